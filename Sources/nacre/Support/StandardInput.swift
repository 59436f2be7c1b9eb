import Glibc
import NodeCore

enum StandardInput {
    /// Reads what there is; 0 at the end.
    static func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            try Interruption.waitForInput(STDIN_FILENO)
            let count = Glibc.read(STDIN_FILENO, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR {
                throw CommandError(.failed, "cannot read standard input: \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Gives each line, without its end, as it comes.
    ///
    /// - Throws: if a line is longer than any CID.
    static func forEachLine(_ body: (String) throws -> Void) throws {
        let newline = UInt8(ascii: "\n")
        var rest: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try read(into: $0) }
            if count == 0 { break }
            rest += buffer.prefix(count)
            var lines = rest[...]
            while let end = lines.firstIndex(of: newline) {
                try body(String(decoding: lines[..<end], as: UTF8.self))
                lines = lines[(end + 1)...]
            }
            rest = Array(lines)
            guard rest.count <= maximumLineBytes else {
                throw CommandError(
                    .wrongUsage, "a line of standard input has more than \(maximumLineBytes) bytes")
            }
        }
        if !rest.isEmpty { try body(String(decoding: rest, as: UTF8.self)) }
    }

    private static let maximumLineBytes = 64 * 1024
}
