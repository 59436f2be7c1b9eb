import Glibc

extension DiskFolder {
    public func list(_ directory: String) throws(FileError) -> [FileEntry] {
        let root = try rootHandle()
        let handle = try openDirectory(directory)
        // The stream takes a descriptor of its own, and with it a position of its own.
        let descriptor = fcntl(handle.descriptor, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { throw FileError(errno, directory) }
        guard let stream = fdopendir(descriptor) else {
            let code = errno
            close(descriptor)
            throw FileError(code, directory)
        }
        defer { closedir(stream) }
        var entries: [FileEntry] = []
        let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw FileError(errno, directory) }
                try checkRoot(root)
                return entries
            }
            let name = UnsafeRawPointer(entry).advanced(by: nameOffset)
                .assumingMemoryBound(to: CChar.self)
            let length = strlen(name)
            if length <= 2, Self.isDots(name, length) { continue }
            let bytes = UnsafeRawBufferPointer(start: name, count: length)
            var status = stat()
            let found = fstatat(handle.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0
            entries.append(
                FileEntry(
                    name: String(validating: bytes.bindMemory(to: UInt8.self), as: UTF8.self),
                    status: found ? FileStatus(status) : nil))
        }
    }

    private static func isDots(_ name: UnsafePointer<CChar>, _ length: Int) -> Bool {
        name[0] == 0x2E && (length == 1 || name[1] == 0x2E)
    }

    public func status(_ path: String) throws(FileError) -> FileStatus? {
        if path.hasPrefix(OwnDirectory.temporary) { try name(path) }
        let root = try rootHandle()
        let place: (directory: DirectoryHandle, name: String)
        do {
            place = try parent(of: path)
        } catch .notFound, .notDirectory {
            try checkRoot(root)
            return nil
        }
        var status = stat()
        guard fstatat(place.directory.descriptor, place.name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT {
                try checkRoot(root)
                return nil
            }
            throw FileError(errno, path)
        }
        return FileStatus(status)
    }

    public func readLink(_ path: String) throws(FileError) -> String {
        let (directory, name) = try parent(of: path)
        // The system allows 4095 bytes.
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = bytes.withUnsafeMutableBytes { buffer -> Int in
            let characters = buffer.assumingMemoryBound(to: CChar.self)
            guard let start = characters.baseAddress else { return 0 }
            return readlinkat(directory.descriptor, name, start, characters.count)
        }
        guard count >= 0 else { throw FileError(errno, path) }
        guard let text = String(validating: bytes.prefix(count), as: UTF8.self) else {
            throw .system(path, code: FileError.targetNotText)
        }
        return text
    }

    public func read(
        _ path: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(FileError) -> Int {
        guard offset >= 0 else { throw .system(path, code: EINVAL) }
        let descriptor = try openFile(path, O_RDONLY)
        defer { close(descriptor) }
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + done)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(errno, path)
            }
            done += count
        }
        return done
    }

    /// Opens a regular file. A pipe or a device in its place is not waited for, and refused.
    func openFile(_ path: String, _ flags: Int32) throws(FileError) -> Int32 {
        if path.hasPrefix(OwnDirectory.temporary) { try name(path) }
        let (directory, name) = try parent(of: path)
        var descriptor: Int32 = -1
        repeat {
            descriptor = openat(
                directory.descriptor, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        } while descriptor < 0 && errno == EINTR
        guard descriptor >= 0 else { throw FileError(errno, path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
            close(descriptor)
            throw isDirectory ? .isDirectory(path) : .denied(path)
        }
        return descriptor
    }

    public func freeBytes() throws(FileError) -> Int64 {
        let root = try rootHandle()
        var status = statvfs()
        guard fstatvfs(root.descriptor, &status) == 0 else { throw FileError(errno, "") }
        // No more files can be made, however much room is left; some file systems do not count them.
        if status.f_files > 0, status.f_favail == 0 { return 0 }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(
            by: UInt64(status.f_frsize))
        return overflow ? .max : Int64(clamping: bytes)
    }
}

extension FileStatus {
    init(_ status: stat) {
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .symlink
            default: .other
            }
        self.init(
            kind: kind,
            identity: FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)),
            size: Int64(status.st_size), modified: Self.nanoseconds(status.st_mtim),
            changed: Self.nanoseconds(status.st_ctim), mode: status.st_mode & 0o777,
            links: Int(clamping: status.st_nlink))
    }

    /// Times that 64 bits of nanoseconds cannot hold, as a damaged disk shows, become the nearest that they
    /// can.
    private static func nanoseconds(_ time: timespec) -> Int64 {
        let (scaled, tooFar) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow) = scaled.addingReportingOverflow(Int64(time.tv_nsec))
        return tooFar || overflow ? (time.tv_sec < 0 ? .min : .max) : sum
    }
}

extension DiskFolder {
    /// The names of the directories in a directory: without a look at each entry, where the file system
    /// says what they are. Names that are not UTF-8 are left out.
    func subdirectories(of directory: String) throws(FileError) -> [String] {
        let handle = try openDirectory(directory)
        let descriptor = fcntl(handle.descriptor, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { throw FileError(errno, directory) }
        guard let stream = fdopendir(descriptor) else {
            let code = errno
            close(descriptor)
            throw FileError(code, directory)
        }
        defer { closedir(stream) }
        var names: [String] = []
        let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw FileError(errno, directory) }
                return names
            }
            // DT_DIR and DT_UNKNOWN.
            guard entry.pointee.d_type == 4 || entry.pointee.d_type == 0 else { continue }
            let name = UnsafeRawPointer(entry).advanced(by: nameOffset).assumingMemoryBound(to: CChar.self)
            let length = strlen(name)
            if length <= 2, Self.isDots(name, length) { continue }
            if entry.pointee.d_type == 0 {
                var status = stat()
                guard fstatat(handle.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
                    status.st_mode & S_IFMT == S_IFDIR
                else { continue }
            }
            let bytes = UnsafeRawBufferPointer(start: name, count: length).bindMemory(to: UInt8.self)
            if let text = String(validating: bytes, as: UTF8.self) { names.append(text) }
        }
    }
}
