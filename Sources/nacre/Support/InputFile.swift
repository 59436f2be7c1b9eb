import Glibc
import NodeCore

/// A file, or standard input for `-`, that is read front to back.
final class InputFile {
    private let descriptor: Int32
    private let path: String
    /// The size, if it is a regular file.
    let bytes: Int64?

    init(_ path: String) throws {
        self.path = path
        if path == "-" {
            descriptor = STDIN_FILENO
        } else {
            let bytes = RawArguments.bytes(of: path) + [0]
            descriptor = bytes.withUnsafeBufferPointer {
                $0.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_RDONLY | O_CLOEXEC) }
            }
            guard descriptor >= 0 else {
                throw POSIXError("open", path: RawArguments.bytes(of: path), code: errno)
            }
        }
        var status = stat()
        bytes =
            fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            ? Int64(status.st_size) : nil
    }

    deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

    /// Fills what it can of a buffer; 0 is the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            try Interruption.waitForInput(descriptor)
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR { throw POSIXError("read", path: RawArguments.bytes(of: path), code: errno) }
        }
    }
}
