import Glibc

/// One small file that only its owner can read. It appears under its name whole and durable, or not at all.
struct SecretFile {
    let path: String
    private let directory: String
    private static let maximumBytes = 64 * 1024

    /// Makes the directory if need be.
    init(directory: String, name: String) throws {
        self.directory = directory
        path = directory + "/" + name
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw POSIXError.last("create directory", Array(directory.utf8))
        }
    }

    /// The contents; where there is no file yet, one with what `make` gives.
    func contents(orMake make: () throws -> [UInt8]) throws -> [UInt8] {
        if let bytes = try read() { return bytes }
        let passing = "\(path).\(getpid()).\(UInt64.random(in: 0...UInt64.max))"
        defer { unlink(passing) }
        try write(make(), to: passing)
        // Whoever comes first wins, also between processes: a link is made only where nothing is.
        guard link(passing, path) == 0 || errno == EEXIST else {
            throw POSIXError.last("create", Array(path.utf8))
        }
        try syncDirectory()
        guard let bytes = try read() else { throw POSIXError("read", path: Array(path.utf8), code: ENOENT) }
        return bytes
    }

    /// - Throws: `SecretsError.readableByOthers`.
    private func read() throws -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw POSIXError.last("open", Array(path.utf8))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw POSIXError.last("look at", Array(path.utf8)) }
        guard status.st_mode & 0o077 == 0 else { throw SecretsError.readableByOthers(path: path) }
        guard status.st_size <= Self.maximumBytes else {
            throw POSIXError("read", path: Array(path.utf8), code: EFBIG)
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(done))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw POSIXError.last("read", Array(path.utf8)) }
            done += count
        }
        return bytes
    }

    private func write(_ bytes: [UInt8], to passing: String) throws {
        let descriptor = open(passing, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw POSIXError.last("create", Array(passing.utf8)) }
        defer { close(descriptor) }
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count, fsync(descriptor) == 0 else {
            throw POSIXError.last("write", Array(passing.utf8))
        }
    }

    /// Without it the name can be lost on power cut, and what was sealed with the key for good.
    private func syncDirectory() throws {
        for folder in [directory, directory + "/.."] {
            let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { throw POSIXError.last("open", Array(folder.utf8)) }
            defer { close(descriptor) }
            guard fsync(descriptor) == 0 else { throw POSIXError.last("sync", Array(folder.utf8)) }
        }
    }
}
