/// The first and the last bytes of a name as numbers: whether a pattern can match at all is then two comparisons.
///
/// Of up to eight bytes each; a shorter name has zero bytes where it has none, which no name has.
struct NameEnds {
    private let head: UInt64
    private let tail: UInt64
    /// The same with ASCII capitals made small.
    private let foldedHead: UInt64
    private let foldedTail: UInt64
    private let isASCII: Bool

    /// What a pattern wants of both ends: the bytes, and which of them count.
    struct Wanted: Sendable {
        private let head: UInt64
        private let headMask: UInt64
        private let tail: UInt64
        private let tailMask: UInt64
        private let ignoresCase: Bool

        /// - Parameter pattern: of the last name of a path, with small letters where case is ignored.
        init(_ pattern: GlobPattern, ignoringCase: Bool) {
            let (first, last) = pattern.literalEnds
            // Bytes are characters only where both are ASCII.
            let head = first.prefix { $0.isASCII }.prefix(8).map { UInt8(ascii: $0) }
            let tail = last.reversed().prefix { $0.isASCII }.prefix(8).map { UInt8(ascii: $0) }
            ignoresCase = ignoringCase
            (self.head, headMask) = Self.number(head)
            (self.tail, tailMask) = Self.number(tail)
        }

        private static func number(_ bytes: [UInt8]) -> (UInt64, mask: UInt64) {
            var (number, mask): (UInt64, UInt64) = (0, 0)
            for (index, byte) in bytes.enumerated() {
                number |= UInt64(byte) << UInt64(8 * index)
                mask |= 0xFF << UInt64(8 * index)
            }
            return (number, mask)
        }

        /// Whether the pattern may match a name of these ends; whether it does is for it to say.
        func allows(_ name: NameEnds) -> Bool {
            guard ignoresCase else { return name.head & headMask == head && name.tail & tailMask == tail }
            // The small letters of some others are ASCII.
            return !name.isASCII || (name.foldedHead & headMask == head && name.foldedTail & tailMask == tail)
        }
    }

    /// - Parameter path: the ends are those of its last name.
    init(ofLastNameIn path: String) {
        var path = path
        self = path.withUTF8 { bytes in
            let start = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
            return NameEnds(UnsafeBufferPointer(rebasing: bytes[start...]))
        }
    }

    private init(_ name: UnsafeBufferPointer<UInt8>) {
        var (head, tail): (UInt64, UInt64) = (0, 0)
        for index in 0..<min(8, name.count) {
            head |= UInt64(name[index]) << UInt64(8 * index)
            tail |= UInt64(name[name.count - 1 - index]) << UInt64(8 * index)
        }
        (self.head, self.tail) = (head, tail)
        (foldedHead, foldedTail) = (Self.folded(head), Self.folded(tail))
        isASCII = name.allSatisfy { $0 < 0x80 }
    }

    private static func folded(_ bytes: UInt64) -> UInt64 {
        var folded = bytes
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            let byte = UInt8(truncatingIfNeeded: bytes >> shift)
            if byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") { folded |= 0x20 << shift }
        }
        return folded
    }
}
