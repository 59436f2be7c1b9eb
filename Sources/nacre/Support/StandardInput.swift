import Glibc
import NodeCore

enum StandardInput {
    /// Reads what there is; 0 at the end.
    static func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            try Interruption.cancellation.check()
            let count = Glibc.read(STDIN_FILENO, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR {
                throw CommandError(.failed, "cannot read standard input: \(String(cString: strerror(errno)))")
            }
        }
    }
}
