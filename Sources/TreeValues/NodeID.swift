import Synchronization

/// The id of a file, directory or symlink in a namespace; it survives renames, moves and deletion.
///
/// 128 bits: in rows and in CBOR 16 bytes, the most significant first; as text 26 characters of Crockford's
/// base32, like every id. Ids made by ``NodeIDGenerator`` are ordered by when they were made, which keeps
/// new rows together; clients may make their own in any way.
public struct NodeID: Hashable, Sendable {
    public let bits: UInt128

    public init(bits: UInt128) { self.bits = bits }

    /// Reads 26 characters, in either case.
    ///
    /// - Throws: for anything else, and for more than 128 bits.
    public init(text: String) throws(NodeIDError) {
        guard text.utf8.count == 26 else { throw NodeIDError(text: String(text.prefix(64))) }
        var bits: UInt128 = 0
        for (index, character) in text.utf8.enumerated() {
            // Small letters differ from capitals in one bit; digits have that bit as well.
            let capital = character >= UInt8(ascii: "a") ? character & 0xDF : character
            guard let digit = Self.alphabet.firstIndex(of: capital), index > 0 || digit < 8 else {
                throw NodeIDError(text: String(text.prefix(64)))
            }
            bits = bits << 5 | UInt128(digit)
        }
        self.bits = bits
    }

    /// Reads 16 bytes; `nil` if there are more or less.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        // Ids are most of what rows and messages hold: no generic collection here.
        bits = bytes.withUnsafeBytes { UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self)) }
    }

    /// The 16 bytes, the most significant first.
    public var bytes: [UInt8] {
        withUnsafeBytes(of: bits.bigEndian) { [UInt8]($0) }
    }

    /// 26 characters.
    public var text: String {
        String(unsafeUninitializedCapacity: 26) { buffer in
            for index in 0..<26 {
                buffer[index] = Self.alphabet[Int(truncatingIfNeeded: bits >> (5 * (25 - index))) & 31]
            }
            return 26
        }
    }

    /// Digits and capitals without those that are taken for others.
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
}

extension NodeID: Comparable {
    public static func < (a: Self, b: Self) -> Bool { a.bits < b.bits }
}

extension NodeID: CustomStringConvertible {
    public var description: String { text }
}

/// A text that is no id.
public struct NodeIDError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The beginning of it.
    public let text: String

    public var description: String {
        "`\(text)` is no id: ids have 26 digits and letters, such as 01JD0Z8T0M6E1J4N5C7W9XQ2RB"
    }
}

/// The id of an operation, made by whoever asks for it: 128 bits, best ordered by time.
public typealias OperationID = NodeID

/// Makes ids of nodes that only grow, even if the clock goes back. Thread-safe.
///
/// 48 bits of Unix milliseconds, then 80 random bits, which count upwards within one millisecond.
public final class NodeIDGenerator: Sendable {
    private let last = Mutex(UInt128(0))

    public init() {}

    /// - Parameter now: Unix milliseconds.
    public func next(now: Int64) -> NodeID {
        let start = UInt128(UInt64(clamping: now) & 0xFFFF_FFFF_FFFF) << 80
        return last.withLock { last in
            if start > (last >> 80) << 80 {
                last = start | UInt128.random(in: 0..<(1 << 80))
            } else {
                // Steps of random width keep the ids hard to guess from one another.
                last &+= UInt128(UInt32.random(in: 1...UInt32.max))
            }
            return NodeID(bits: last)
        }
    }
}
