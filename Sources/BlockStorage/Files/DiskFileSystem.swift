import CLinux
import Glibc

/// The real file system.
public struct DiskFileSystem: FileSystem {
    public init() {}

    public func open(_ path: String, _ mode: FileOpenMode) throws -> any FileHandle {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .update: O_RDWR
            case .create: O_RDWR | O_CREAT | O_EXCL
            }
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("open", path) }
        return DiskFile(descriptor: descriptor, path: path)
    }

    public func rename(_ source: String, to destination: String) throws {
        guard Glibc.rename(source, destination) == 0 else { throw Self.failure("rename", source) }
    }

    public func remove(_ path: String) throws {
        guard unlink(path) == 0 else { throw Self.failure("remove", path) }
    }

    /// Removes an empty directory.
    func removeDirectory(_ path: String) throws {
        guard rmdir(path) == 0 else { throw Self.failure("remove directory", path) }
    }

    /// What is pinned privately is nobody else's to read: neither directories nor files are open to others.
    public func createDirectory(_ path: String) throws {
        var partial = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            partial += "/" + part
            if mkdir(partial, 0o700) != 0 && errno != EEXIST {
                throw Self.failure("create directory", partial)
            }
        }
    }

    public func names(in directory: String) throws -> [String] {
        guard let stream = opendir(directory) else { throw Self.failure("read directory", directory) }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw Self.failure("read directory", directory) }
        return names
    }

    public func exists(_ path: String) throws -> Bool {
        if access(path, F_OK) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw Self.failure("look at", path) }
        return false
    }

    public func syncDirectory(_ path: String) throws {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("open directory", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Self.failure("sync directory", path) }
    }

    public func availableBytes(at path: String) throws -> Int64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw Self.failure("ask for free space at", path) }
        return Int64(clamping: UInt64(status.f_bavail) &* UInt64(status.f_frsize))
    }

    static func failure(_ operation: String, _ path: String) -> BlockStoreError {
        .file(operation: operation, path: path, code: errno)
    }
}

/// An open file on a real disk; closed when the last reference goes.
final class DiskFile: FileHandle {
    private let descriptor: Int32
    private let path: String

    init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { Glibc.close(descriptor) }

    var systemDescriptor: Int32? { descriptor }

    func size() throws -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw DiskFileSystem.failure("look at", path) }
        return Int64(status.st_size)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done,
                off_t(offset) + off_t(done))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw DiskFileSystem.failure("read", path)
            }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done,
                off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw DiskFileSystem.failure("write", path)
            }
            done += count
        }
    }

    func write(_ buffers: [UnsafeRawBufferPointer], at offset: Int64) throws {
        var vectors = buffers.filter { !$0.isEmpty }.map {
            iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
        }
        var first = 0
        var position = off_t(offset)
        while first < vectors.count {
            let count = vectors.withUnsafeBufferPointer {
                pwritev(
                    descriptor, $0.baseAddress.map { $0 + first }, Int32(min(1024, $0.count - first)),
                    position)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw DiskFileSystem.failure("write", path)
            }
            position += off_t(count)
            var left = count
            while first < vectors.count, left >= vectors[first].iov_len {
                left -= vectors[first].iov_len
                first += 1
            }
            if left > 0 {
                vectors[first].iov_base = vectors[first].iov_base.map { $0 + left }
                vectors[first].iov_len -= left
            }
        }
    }

    func allocate(upTo size: Int64) throws {
        let current = try self.size()
        guard size > current else { return }
        // Extends with zero bytes, so that later writes change no metadata but the extents' state.
        if fallocate(descriptor, 0, off_t(current), off_t(size - current)) == 0 { return }
        if errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL { return }
        throw DiskFileSystem.failure("allocate space for", path)
    }

    func startWriteback(at offset: Int64, count: Int) {
        // 2: SYNC_FILE_RANGE_WRITE, which Glibc's module does not show. Errors come back from the sync.
        _ = sync_file_range(descriptor, off_t(offset), off_t(count), 2)
    }

    func truncate(to size: Int64) throws {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw DiskFileSystem.failure("cut", path) }
    }

    func sync() throws {
        guard fdatasync(descriptor) == 0 else { throw DiskFileSystem.failure("sync", path) }
    }

    /// The descriptor itself goes with the last reference, so that reads on other threads end well.
    func close() throws {}
}
