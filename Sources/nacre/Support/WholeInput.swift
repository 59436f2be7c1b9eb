import Glibc
import NodeCore

/// Inputs that must be whole in memory, such as one block.
enum WholeInput {
    /// - Throws: if there are more than `limit` bytes, before more than that is read.
    ///
    /// - Parameter noun: what the limit is one of, where it is no block.
    static func read(_ path: String, limit: Int, noun: String? = nil) throws -> [UInt8] {
        var descriptor = STDIN_FILENO
        if path != "-" {
            descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                throw POSIXError("open", path: RawArguments.bytes(of: path), code: errno)
            }
        }
        defer { if path != "-" { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        while true {
            try Interruption.waitForInput(descriptor)
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                throw POSIXError("read", path: RawArguments.bytes(of: path), code: errno)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer.prefix(count))
            guard bytes.count <= limit else {
                if let noun {
                    throw CommandError(
                        .failed, "\(path) has more than \(limit) bytes, which is too much for \(noun)")
                }
                throw CommandError(
                    .failed,
                    "\(path == "-" ? "standard input" : path) has more than \(limit) bytes, the limit of a block; `nacre add` takes files of any size"
                )
            }
        }
    }
}
