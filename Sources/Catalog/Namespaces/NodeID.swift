/// The id of a file, directory or symlink in a namespace; it survives renames, moves and deletion.
///
/// 128 bits: in rows 16 bytes, the most significant first; as text 26 characters of Crockford's base32,
/// like every id. Ids made by ``NodeIDGenerator`` are ordered by when they were made, which keeps new rows
/// together; clients may make their own in any way.
public struct NodeID: Hashable, Sendable {
    public let bits: UInt128

    public init(bits: UInt128) { self.bits = bits }

    /// Reads 26 characters, in either case.
    ///
    /// - Throws: `invalidID`.
    public init(text: String) throws(CatalogError) {
        let (high, low) = try RecordID<NodeID>(text: text).bits
        bits = UInt128(high) << 64 | UInt128(low)
    }

    /// Reads 16 bytes; `nil` if there are more or less.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        bits = bytes.reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// The 16 bytes, the most significant first.
    public var bytes: [UInt8] {
        withUnsafeBytes(of: bits.bigEndian) { [UInt8]($0) }
    }

    /// 26 characters.
    public var text: String {
        RecordID<NodeID>(high: UInt64(truncatingIfNeeded: bits >> 64), low: UInt64(truncatingIfNeeded: bits))
            .text
    }
}

extension NodeID: Comparable {
    public static func < (a: Self, b: Self) -> Bool { a.bits < b.bits }
}

extension NodeID: CustomStringConvertible {
    public var description: String { text }
}

/// Makes ids of nodes that only grow, even if the clock goes back. Thread-safe.
public final class NodeIDGenerator: Sendable {
    private let ids = RecordIDGenerator<NodeID>(after: nil)

    public init() {}

    /// - Parameter now: Unix milliseconds.
    public func next(now: Int64) -> NodeID {
        let (high, low) = ids.nextBits(now: now)
        return NodeID(bits: UInt128(high) << 64 | UInt128(low))
    }
}
