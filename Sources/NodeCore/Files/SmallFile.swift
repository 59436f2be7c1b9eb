import Glibc

/// Small files that are read whole, such as lists of patterns.
public enum SmallFile {
    /// The most bytes that are read.
    public static let maximumBytes = 1024 * 1024

    /// The contents, or `nil` if there is no such file.
    ///
    /// - Throws: `POSIXError`; `EFBIG` above ``maximumBytes``.
    public static func read(_ path: [UInt8]) throws -> [UInt8]? {
        let descriptor = Path.withCString(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw POSIXError.last("open", path)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            guard count > 0 else { throw POSIXError.last("read", path) }
            bytes.append(contentsOf: buffer.prefix(count))
            guard bytes.count <= maximumBytes else { throw POSIXError("read", path: path, code: EFBIG) }
        }
    }
}
