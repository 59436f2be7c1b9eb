import CLinux
import Glibc

extension DiskFolder {
    public func makeDirectory(_ path: String) throws(FileError) {
        let (directory, name) = try parent(of: path)
        guard mkdirat(directory.descriptor, name, 0o777) == 0 else { throw FileError(errno, path) }
    }

    public func makeSymlink(_ path: String, target: String) throws(FileError) {
        guard !target.utf8.contains(0) else { throw .system(path, code: EINVAL) }
        let (directory, name) = try parent(of: path)
        guard symlinkat(target, directory.descriptor, name) == 0 else { throw FileError(errno, path) }
    }

    public func create(_ path: String) throws(FileError) {
        let (directory, name) = try parent(of: path)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = openat(directory.descriptor, name, flags, 0o666)
        guard descriptor >= 0 else { throw FileError(errno, path) }
        close(descriptor)
    }

    public func create(
        _ path: String, _ content: UnsafeRawBufferPointer, modified: Int64?, mode: UInt32?
    ) throws(FileError) {
        let (directory, name) = try parent(of: path)
        // Made with the permissions that it is to have, it rarely has to be given them.
        let first = mode.map { $0 & 0o777 } ?? 0o666
        if path.hasPrefix(Self.making), let descriptor = unnamed.open(in: directory.descriptor, mode: first) {
            do throws(FileError) {
                try Self.fill(descriptor, content, modified: modified, mode: mode, path)
            } catch {
                unnamed.discard(descriptor)
                throw error
            }
            return unnamed.keep(descriptor, path)
        }
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = openat(directory.descriptor, name, flags, first)
        guard descriptor >= 0 else { throw FileError(errno, path) }
        defer { close(descriptor) }
        try Self.fill(descriptor, content, modified: modified, mode: mode, path)
    }

    /// Where files are made that are put in place by a rename.
    private static let making = OwnDirectory.temporary + "/"

    private static func fill(
        _ descriptor: Int32, _ content: UnsafeRawBufferPointer, modified: Int64?, mode: UInt32?,
        _ path: String
    ) throws(FileError) {
        try write(content, to: descriptor, at: 0, path)
        if let mode { try Self.setMode(descriptor, mode & 0o777, path) }
        guard let modified else { return }
        guard futimens(descriptor, times(modified)) == 0 else { throw FileError(errno, path) }
    }

    /// What the process's mask or the directory's list of rights took away when a file was made is given to it.
    private static func setMode(_ descriptor: Int32, _ mode: UInt32, _ path: String) throws(FileError) {
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & 0o777 == mode { return }
        guard fchmod(descriptor, mode) == 0 else { throw FileError(errno, path) }
    }

    public func write(
        _ bytes: UnsafeRawBufferPointer, to path: String, at offset: Int64
    ) throws(FileError) {
        guard offset >= 0 else { throw .system(path, code: EINVAL) }
        let descriptor = try openFile(path, O_WRONLY)
        defer { close(descriptor) }
        try Self.write(bytes, to: descriptor, at: offset, path)
    }

    private static func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int64, _ path: String
    ) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + done)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(errno, path)
            }
            done += count
        }
    }

    public func copy(
        _ source: String, at sourceOffset: Int64, to path: String, at offset: Int64, count: Int64
    ) throws(FileError) {
        guard sourceOffset >= 0, offset >= 0, count >= 0 else { throw .system(path, code: EINVAL) }
        let input = try openFile(source, O_RDONLY)
        defer { close(input) }
        let output = try openFile(path, O_WRONLY)
        defer { close(output) }
        var (from, to, left) = (off_t(sourceOffset), off_t(offset), count)
        while left > 0 {
            // Makes a reference by itself where the file system shares extents.
            let moved = copy_file_range(input, &from, output, &to, Int(min(left, 1 << 30)), 0)
            if moved > 0 {
                left -= Int64(moved)
            } else if moved == 0 {
                // The source ends early: it is not what the caller took it for.
                throw .system(source, code: EIO)
            } else if [ENOSYS, EOPNOTSUPP, EXDEV, EINVAL, EPERM].contains(errno) {
                return try Self.copyThroughMemory(
                    (input, Int64(from), source), to: (output, Int64(to), path), count: left)
            } else if errno != EINTR {
                throw FileError(errno, path)
            }
        }
    }

    private static func copyThroughMemory(
        _ source: (descriptor: Int32, offset: Int64, path: String),
        to target: (descriptor: Int32, offset: Int64, path: String), count: Int64
    ) throws(FileError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 64)
        defer { buffer.deallocate() }
        var done: Int64 = 0
        while done < count {
            let wanted = Int(min(Int64(buffer.count), count - done))
            let read = pread(source.descriptor, buffer.baseAddress, wanted, off_t(source.offset + done))
            if read < 0, errno == EINTR { continue }
            guard read > 0 else {
                throw read == 0 ? .system(source.path, code: EIO) : FileError(errno, source.path)
            }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<read])
            try write(bytes, to: target.descriptor, at: target.offset + done, target.path)
            done += Int64(read)
        }
    }

    public func synchronize(file path: String) throws(FileError) {
        if try unnamed.synchronize(path) { return }
        let descriptor = try openFile(path, O_RDONLY)
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError(errno, path) }
    }

    public func synchronize(directory path: String) throws(FileError) {
        let handle = try openDirectory(path)
        guard fsync(handle.descriptor) == 0 else { throw FileError(errno, path) }
    }

    public func synchronizeAll() throws(FileError) {
        let root = try rootHandle()
        guard syncfs(root.descriptor) == 0 else { throw FileError(errno, "") }
    }

    public func rename(
        _ source: String, to destination: String, replacing: Bool
    ) throws(FileError) {
        if replacing {
            try name(source)
        } else if try placeUnnamed(source, at: destination, { _ in true }) != nil {
            return
        }
        let from = try parent(of: source)
        let to = try parent(of: destination)
        if replacing {
            let result = renameat(from.directory.descriptor, from.name, to.directory.descriptor, to.name)
            guard result == 0 else { throw FileError(errno, errno == ENOENT ? source : destination) }
            return
        }
        if offersRenameNoReplace {
            // 1: RENAME_NOREPLACE.
            let result = renameat2(from.directory.descriptor, from.name, to.directory.descriptor, to.name, 1)
            if result == 0 { return }
            guard [EINVAL, ENOSYS, EOPNOTSUPP].contains(errno) else {
                throw FileError(errno, errno == ENOENT ? source : destination)
            }
        }
        try renameByLink(source, from, destination, to)
    }

    public func place(_ source: String, at destination: String) throws(FileError) -> FileStatus? {
        // Asked of the file itself, and not of its path: who has put another one there by now has one that the
        // next scan finds to be another.
        let found = try placeUnnamed(source, at: destination) { descriptor -> FileStatus? in
            var status = stat()
            return fstat(descriptor, &status) == 0 ? FileStatus(status) : nil
        }
        if let found { return found }
        return try placeByRename(source, at: destination)
    }

    public func exchange(_ first: String, _ second: String) throws(FileError) {
        try name(first)
        let from = try parent(of: first)
        let to = try parent(of: second)
        // 2: RENAME_EXCHANGE.
        let result = renameat2(from.directory.descriptor, from.name, to.directory.descriptor, to.name, 2)
        if result == 0 { return }
        guard [EINVAL, ENOSYS, EOPNOTSUPP].contains(errno) else {
            throw FileError(errno, errno == ENOENT ? second : first)
        }
        throw .system(first, code: FileError.notSupported)
    }

    /// For file systems without the flag: a second link fails if the name is taken. Directories have no
    /// second link; for them there is a look before, and an empty one that appears after the look would be
    /// replaced.
    private func renameByLink(
        _ source: String, _ from: (directory: DirectoryHandle, name: String),
        _ destination: String, _ to: (directory: DirectoryHandle, name: String)
    ) throws(FileError) {
        guard let status = try status(source) else { throw .notFound(source) }
        guard try self.status(destination) == nil else { throw .exists(destination) }
        if status.kind != .directory {
            if linkat(from.directory.descriptor, from.name, to.directory.descriptor, to.name, 0) == 0 {
                guard unlinkat(from.directory.descriptor, from.name, 0) == 0 else {
                    throw FileError(errno, source)
                }
                return
            }
            // Some file systems have no links; then it is a look before as well.
            guard errno == EPERM || errno == EOPNOTSUPP else { throw FileError(errno, destination) }
        }
        guard renameat(from.directory.descriptor, from.name, to.directory.descriptor, to.name) == 0 else {
            throw FileError(errno, destination)
        }
    }

    public func removeFile(_ path: String) throws(FileError) {
        if let descriptor = unnamed.take(path) {
            close(descriptor)
            return
        }
        let (directory, name) = try parent(of: path)
        guard unlinkat(directory.descriptor, name, 0) == 0 else { throw FileError(errno, path) }
    }

    public func removeDirectory(_ path: String) throws(FileError) {
        let (directory, name) = try parent(of: path)
        guard unlinkat(directory.descriptor, name, AT_REMOVEDIR) == 0 else { throw FileError(errno, path) }
    }

    public func setAttributes(_ path: String, modified: Int64?, mode: UInt32?) throws(FileError) {
        try name(path)
        let (directory, name) = try parent(of: path)
        if let mode {
            // A symlink has no permissions of its own, and says so.
            let result = fchmodat(directory.descriptor, name, mode & 0o777, AT_SYMLINK_NOFOLLOW)
            guard result == 0 || errno == EOPNOTSUPP else { throw FileError(errno, path) }
        }
        guard let modified else { return }
        guard utimensat(directory.descriptor, name, Self.times(modified), AT_SYMLINK_NOFOLLOW) == 0 else {
            throw FileError(errno, path)
        }
    }

    private static func times(_ modified: Int64) -> [timespec] {
        var seconds = modified / 1_000_000_000
        var nanoseconds = modified % 1_000_000_000
        if nanoseconds < 0 {
            seconds -= 1
            nanoseconds += 1_000_000_000
        }
        // UTIME_OMIT: the time of the last access stays.
        return [
            timespec(tv_sec: 0, tv_nsec: 0x3FFF_FFFE),
            timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds)),
        ]
    }
}
