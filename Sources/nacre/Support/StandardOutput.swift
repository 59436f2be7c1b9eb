import Glibc

/// Buffered standard output that carries any bytes.
///
/// A reader that has gone away (`nacre ls … | head`) ends the program quietly, as SIGPIPE would.
struct StandardOutput {
    private var buffer: [UInt8] = []
    private static let flushBytes = 64 * 1024

    init() {}

    mutating func write(_ text: String) throws {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= Self.flushBytes { try flush() }
    }

    mutating func write(line text: String) throws {
        buffer.append(contentsOf: text.utf8)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.flushBytes { try flush() }
    }

    mutating func write(bytes: some Sequence<UInt8>) throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.flushBytes { try flush() }
    }

    /// Writes large bytes past the buffer.
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        try flush()
        try Self.writeAll(bytes)
    }

    mutating func flush() throws {
        guard !buffer.isEmpty else { return }
        try buffer.withUnsafeBytes { try Self.writeAll($0) }
        buffer.removeAll(keepingCapacity: true)
    }

    private static func writeAll(_ bytes: UnsafeRawBufferPointer) throws {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(STDOUT_FILENO, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count < 0 {
                switch errno {
                case EINTR: continue
                case EPIPE: throw SilentExit(status: .done)
                case let code:
                    throw CommandError(
                        .failed, "cannot write to standard output: \(String(cString: strerror(code)))")
                }
            }
            done += count
        }
    }
}
