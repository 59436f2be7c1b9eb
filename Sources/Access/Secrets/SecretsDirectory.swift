import Foundation
import Glibc

/// The directory `secrets/` of a node: 0700, its files 0600, each appears whole or not at all.
struct SecretsDirectory: Sendable {
    let path: String

    /// The most bytes of a file.
    static let maximumBytes = 64 * 1024

    /// Makes the directory unless it is there.
    ///
    /// - Throws: `secretUnusable`, `secretReadableByOthers`.
    func make() throws(AccessError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw failure(path, "cannot be made") }
        var status = stat()
        guard lstat(path, &status) == 0 else { throw failure(path, "cannot be looked at") }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .secretUnusable(path: path, reason: "it is no directory")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw .secretReadableByOthers(path: path, mode: status.st_mode & 0o777)
        }
    }

    func path(of name: String) -> String { path + "/" + name }

    /// The contents of a file, or `nil` if it is not there.
    ///
    /// - Throws: `secretReadableByOthers`, `secretUnusable`.
    func read(_ name: String) throws(AccessError) -> [UInt8]? {
        let file = path(of: name)
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure(file, "cannot be opened")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(file, "cannot be looked at") }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.maximumBytes else {
            throw .secretUnusable(path: file, reason: "it is no file of a secret")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw .secretReadableByOthers(path: file, mode: status.st_mode & 0o777)
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(file, "cannot be read") }
            done += count
        }
        return bytes
    }

    /// The contents of a file; where there is none yet, one is made that survives power loss.
    func contents(_ name: String, orMake make: () -> [UInt8]) throws(AccessError) -> [UInt8] {
        if let bytes = try read(name) { return bytes }
        let file = path(of: name)
        let new = "\(file).\(getpid()).\(UInt64.random(in: 0...UInt64.max))"
        defer { unlink(new) }
        try write(make(), to: new)
        // Whoever comes first wins: a link is made only where nothing is.
        guard link(new, file) == 0 || errno == EEXIST else { throw failure(file, "cannot be made") }
        try sync(path)
        try sync(path + "/..")
        guard let bytes = try read(name) else { throw .secretMissing(path: file) }
        return bytes
    }

    private func write(_ bytes: [UInt8], to new: String) throws(AccessError) {
        let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure(new, "cannot be made") }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(new, "cannot be written") }
            done += count
        }
        guard fsync(descriptor) == 0 else { throw failure(new, "cannot be synced") }
    }

    /// Makes names durable.
    private func sync(_ path: String) throws(AccessError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(path, "cannot be synced") }
    }

    private func failure(_ path: String, _ what: String) -> AccessError {
        .secretUnusable(path: path, reason: "it \(what) (\(String(cString: strerror(errno))))")
    }
}
