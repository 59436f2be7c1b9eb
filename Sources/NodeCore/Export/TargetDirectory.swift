import Glibc

/// A directory that is being written to. Every entry is made relative to an open directory and without
/// following symlinks, so nothing is written outside, whatever the DAG says and whatever lies there already.
final class TargetDirectory: Sendable {
    let handle: DirectoryHandle

    init(_ handle: DirectoryHandle) { self.handle = handle }

    /// Makes (or takes) the directory at a path that the user named.
    convenience init(creating path: [UInt8]) throws {
        if Path.withCString(path, { mkdir($0, 0o777) }) != 0, errno != EEXIST {
            throw POSIXError.last("create directory", path)
        }
        self.init(try DirectoryHandle(opening: path))
    }

    /// Makes (or takes) a directory in this one; a symlink in its place is refused.
    func makeDirectory(_ name: [UInt8]) throws -> TargetDirectory {
        try check(name)
        if Path.withCString(name, { mkdirat(handle.descriptor, $0, 0o777) }) != 0, errno != EEXIST {
            throw POSIXError.last("create directory", PathText.join(handle.path, name))
        }
        return TargetDirectory(try handle.directory(name))
    }

    /// Opens a file for writing, made if it is not there; a symlink in its place is refused.
    func openFile(_ name: [UInt8]) throws -> TargetFile {
        try check(name)
        let path = PathText.join(handle.path, name)
        let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        let descriptor = Path.withCString(name) { openat(handle.descriptor, $0, flags, 0o666) }
        guard descriptor >= 0 else { throw POSIXError.last("create", path) }
        return TargetFile(descriptor: descriptor, path: path)
    }

    /// Opens a new file; fails with `EEXIST` if anything is there.
    func createFile(_ name: [UInt8]) throws -> TargetFile {
        try check(name)
        let path = PathText.join(handle.path, name)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let descriptor = Path.withCString(name) { openat(handle.descriptor, $0, flags, 0o666) }
        guard descriptor >= 0 else { throw POSIXError.last("create", path) }
        return TargetFile(descriptor: descriptor, path: path)
    }

    /// The status of what is there; `nil` if nothing is.
    func status(of name: [UInt8]) throws -> FileStatus? {
        do {
            return try handle.status(of: name)
        } catch let error as POSIXError where error.code == ENOENT {
            return nil
        }
    }

    func rename(_ name: [UInt8], to newName: [UInt8]) throws {
        try check(newName)
        let result = Path.withCString(name) { old in
            Path.withCString(newName) { renameat(handle.descriptor, old, handle.descriptor, $0) }
        }
        guard result == 0 else { throw POSIXError.last("rename", PathText.join(handle.path, name)) }
    }

    func remove(_ name: [UInt8]) throws {
        guard Path.withCString(name, { unlinkat(handle.descriptor, $0, 0) }) == 0 || errno == ENOENT else {
            throw POSIXError.last("remove", PathText.join(handle.path, name))
        }
    }

    /// Makes a symlink; its target is only text, nothing is ever written through it.
    func makeSymlink(_ name: [UInt8], target: [UInt8]) throws {
        try check(name)
        let path = PathText.join(handle.path, name)
        guard !target.isEmpty, !target.contains(0) else { throw NodeError.unusableSymlink(path) }
        let result = Path.withCString(target) { target in
            Path.withCString(name) { symlinkat(target, handle.descriptor, $0) }
        }
        guard result == 0 else { throw POSIXError.last("create symlink", path) }
    }

    /// Sets what was recorded of a symlink or directory entry.
    func setModificationTime(_ name: [UInt8], seconds: Int64, nanoseconds: UInt32) throws {
        var times = TargetFile.times(seconds: seconds, nanoseconds: nanoseconds)
        let result = Path.withCString(name) { utimensat(handle.descriptor, $0, &times, AT_SYMLINK_NOFOLLOW) }
        guard result == 0 else { throw POSIXError.last("set the time of", PathText.join(handle.path, name)) }
    }

    /// Sets what was recorded of this directory itself, when everything in it is written.
    func apply(mode: UInt32?, seconds: Int64?, nanoseconds: UInt32) throws {
        if let mode, fchmod(handle.descriptor, mode_t(mode & 0o777)) != 0 {
            throw POSIXError.last("set the mode of", handle.path)
        }
        if let seconds {
            var times = TargetFile.times(seconds: seconds, nanoseconds: nanoseconds)
            guard futimens(handle.descriptor, &times) == 0 else {
                throw POSIXError.last("set the time of", handle.path)
            }
        }
    }

    private func check(_ name: [UInt8]) throws {
        guard PathText.isSafeName(name) else { throw NodeError.unsafeName(name, in: handle.path) }
    }
}

/// A file that is being written.
///
/// Closed when the last reference goes; ``close()`` tells of errors.
final class TargetFile: Sendable {
    let descriptor: Int32
    let path: [UInt8]

    init(descriptor: Int32, path: [UInt8]) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { Glibc.close(descriptor) }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done,
                off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw POSIXError.last("write", path)
            }
            done += count
        }
    }

    /// Writes pieces one behind the other, at most 1,024, with as few calls as possible.
    func write(_ pieces: [ArraySlice<UInt8>], at offset: Int64) throws {
        try Self.withPointers(to: pieces[...]) { vectors in
            var first = 0
            var position = off_t(offset)
            while first < vectors.count {
                let count = vectors.withUnsafeBufferPointer {
                    pwritev(
                        descriptor, $0.baseAddress.map { $0 + first }, Int32($0.count - first), position)
                }
                if count < 0 {
                    if errno == EINTR { continue }
                    throw POSIXError.last("write", path)
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
    }

    /// The pieces where they lie, for as long as `body` runs.
    private static func withPointers(
        to pieces: ArraySlice<ArraySlice<UInt8>>, _ vectors: [iovec] = [],
        _ body: (inout [iovec]) throws -> Void
    ) throws {
        var vectors = vectors
        guard let piece = pieces.first else { return try body(&vectors) }
        try piece.withUnsafeBytes { bytes in
            vectors.append(
                iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count))
            try withPointers(to: pieces.dropFirst(), vectors, body)
        }
    }

    /// Reads what is there already; fewer bytes than asked mean the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done,
                off_t(offset) + off_t(done))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw POSIXError.last("read", path)
            }
            done += count
        }
        return done
    }

    func status() throws -> FileStatus { try FileStatus(descriptor: descriptor, path: path) }

    func truncate(to size: Int64) throws {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw POSIXError.last("cut", path) }
    }

    func apply(mode: UInt32?, seconds: Int64?, nanoseconds: UInt32) throws {
        // Set-user-ID bits from somebody else's DAG would be an invitation: permissions only.
        if let mode, fchmod(descriptor, mode_t(mode & 0o777)) != 0 {
            throw POSIXError.last("set the mode of", path)
        }
        if let seconds {
            var times = Self.times(seconds: seconds, nanoseconds: nanoseconds)
            guard futimens(descriptor, &times) == 0 else { throw POSIXError.last("set the time of", path) }
        }
    }

    /// Access and modification time, both the same.
    static func times(seconds: Int64, nanoseconds: UInt32) -> [timespec] {
        let time = timespec(tv_sec: time_t(seconds), tv_nsec: Int(min(nanoseconds, 999_999_999)))
        return [time, time]
    }
}
