import Glibc

/// An open directory. Everything below it is opened relative to it, so that renames above and symlinks
/// put in place of a part of the path cannot lead elsewhere.
///
/// Closed when the last reference goes.
final class DirectoryHandle: Sendable {
    let descriptor: Int32
    /// For messages only.
    let path: [UInt8]

    init(descriptor: Int32, path: [UInt8]) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens a directory by path; the last part may be a symlink, since the user named it.
    convenience init(opening path: [UInt8]) throws {
        let descriptor = Path.withCString(path) { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw POSIXError.last("open directory", path) }
        self.init(descriptor: descriptor, path: path)
    }

    deinit { close(descriptor) }

    /// Opens a directory in this one. A symlink is refused unless `following` says otherwise.
    func directory(_ name: [UInt8], following: Bool = false) throws -> DirectoryHandle {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (following ? 0 : O_NOFOLLOW)
        let child = PathText.join(path, name)
        let descriptor = Path.withCString(name) { openat(self.descriptor, $0, flags) }
        guard descriptor >= 0 else { throw POSIXError.last("open directory", child) }
        return DirectoryHandle(descriptor: descriptor, path: child)
    }

    /// The status of an entry.
    func status(of name: [UInt8], following: Bool = false) throws -> FileStatus {
        var status = stat()
        let flags = following ? 0 : AT_SYMLINK_NOFOLLOW
        guard Path.withCString(name, { fstatat(descriptor, $0, &status, flags) }) == 0 else {
            throw POSIXError.last("look at", PathText.join(path, name))
        }
        return FileStatus(status)
    }

    /// The target of a symlink.
    func symlinkTarget(_ name: [UInt8]) throws -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = Path.withCString(name) { readlinkat(descriptor, $0, &buffer, buffer.count) }
        guard count >= 0 else { throw POSIXError.last("read symlink", PathText.join(path, name)) }
        return buffer.prefix(count).map { UInt8(bitPattern: $0) }
    }

    /// All names with their kinds, without `.` and `..`, sorted by their bytes.
    func listing() throws -> DirectoryListing {
        // A descriptor of its own: reading through the shared one would move its position for everybody.
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let opened: OpaquePointer? = copy >= 0 ? fdopendir(copy) : nil
        guard let stream = opened else {
            let error = POSIXError.last("read directory", path)
            if copy >= 0 { close(copy) }
            throw error
        }
        defer { closedir(stream) }
        var listing = DirectoryListing()
        errno = 0
        while let entry = readdir(stream) {
            withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                let bytes = UnsafeRawBufferPointer(start: pointer, count: Int(entry.pointee.d_reclen))
                let name = bytes.prefix { $0 != 0 }
                listing.append(UnsafeRawBufferPointer(rebasing: name), kind: entry.pointee.d_type)
            }
            errno = 0
        }
        guard errno == 0 else { throw POSIXError.last("read directory", path) }
        listing.sort()
        return listing
    }
}

/// Paths as bytes on their way into system calls.
enum Path {
    /// Gives the bytes with a NUL behind them. Bytes from a NUL on would be cut off by the system, so callers
    /// take names only from the system itself or check them before.
    static func withCString<R>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) throws -> R) rethrows -> R {
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: path.count + 1) { buffer in
            for index in path.indices { buffer[index] = CChar(bitPattern: path[index]) }
            buffer[path.count] = 0
            return try body(UnsafePointer(buffer.baseAddress.unsafelyUnwrapped))
        }
    }
}
