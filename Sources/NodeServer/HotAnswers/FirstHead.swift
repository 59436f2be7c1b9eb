import Glibc
import NIOCore

/// What the beginning of some bytes is, seen from far: see ``HotLane``.
enum FirstHead {
    /// The head of a GET or HEAD of HTTP/1.1, of so many bytes.
    case whole(Int)
    /// Perhaps the beginning of one.
    case partial
    /// Something else, or a head that is longer than most.
    case other
}

extension ByteBuffer {
    func readingFirstHead() -> FirstHead { withUnsafeReadableBytes { FirstHead(of: $0) } }
}

extension FirstHead {
    /// Longer heads are not remembered.
    static let maximumBytes = 4096

    private static let methods = [Array("GET /".utf8), Array("HEAD /".utf8)]
    private static let version = Array(" HTTP/1.1\r".utf8)

    /// Only lines that end with CR LF count: what else may be a line is for the codec to say.
    init(of bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, Self.methods.contains(where: { bytes.begins(with: $0) }) else {
            self = .other
            return
        }
        let end = min(bytes.count, Self.maximumBytes)
        var line = 0
        while let found = memchr(start + line, 0x0A, end - line) {
            let newline = UnsafeRawPointer(found) - start
            guard newline > 0, bytes[newline - 1] == 0x0D else {
                self = .other
                return
            }
            let count = newline + 1 - line
            if line == 0, !UnsafeRawBufferPointer(rebasing: bytes[..<newline]).ends(with: Self.version) {
                self = .other
                return
            }
            if count == 2 {
                self = .whole(newline + 1)
                return
            }
            line = newline + 1
        }
        self = bytes.count < Self.maximumBytes ? .partial : .other
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes, as far as they are there, are the beginning of `prefix` or begin with it.
    fileprivate func begins(with prefix: [UInt8]) -> Bool {
        self.prefix(prefix.count).elementsEqual(prefix.prefix(count))
    }

    fileprivate func ends(with suffix: [UInt8]) -> Bool { self.suffix(suffix.count).elementsEqual(suffix) }

    /// Whether both have the same bytes.
    func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let first = baseAddress, let second = other.baseAddress else { return true }
        return memcmp(first, second, count) == 0
    }
}
