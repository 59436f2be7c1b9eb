/// Content-defined cuts by a Rabin fingerprint of the last 16 bytes, as Kubo's `rabin`.
///
/// A cut falls after a byte where the low bits of the fingerprint are zero, at or after the minimum. The
/// fingerprint at the minimum depends on the window before it only, so everything earlier is skipped
/// unread.
struct RabinCut: Sendable {
    private let sizes: ChunkSizes
    private let mask: UInt64

    static let windowBytes = 16
    static let defaultAverage = 256 * 1024

    init(_ sizes: ChunkSizes) {
        self.sizes = sizes
        mask = (1 << UInt64(Int.bitWidth - 1 - sizes.average.leadingZeroBitCount)) - 1
    }

    /// Minimum and maximum for an average: a third of it, and half as much again.
    static func sizes(average: Int) -> ChunkSizes {
        // An average beyond all limits is refused later: here it must only not overflow.
        let average = min(average, 2 * ChunkerKind.maximumChunkBytes)
        return ChunkSizes(minimum: average / 3, average: average, maximum: average + average / 2)
    }

    /// The length of the chunk at `bytes`; `nil` if no cut is among the first `count` bytes.
    func find(_ bytes: UnsafeRawPointer, _ count: Int) -> Int? {
        guard count >= sizes.minimum else { return nil }
        let end = min(count, sizes.maximum)
        return Self.tables.outgoing.withUnsafeBufferPointer { outgoing in
            Self.tables.reduction.withUnsafeBufferPointer { reduction in
                let start = sizes.minimum - Self.windowBytes
                var digest: UInt64 = 0
                for index in start..<sizes.minimum {
                    digest = Self.append(Self.byte(bytes, index), to: digest, reduction)
                }
                var length = sizes.minimum
                while digest & mask != 0 {
                    if length == end { return end == sizes.maximum ? end : nil }
                    digest ^= outgoing[Int(Self.byte(bytes, length - Self.windowBytes))]
                    digest = Self.append(Self.byte(bytes, length), to: digest, reduction)
                    length += 1
                }
                return length
            }
        }
    }

    @inline(__always)
    private static func byte(_ bytes: UnsafeRawPointer, _ index: Int) -> UInt8 {
        bytes.load(fromByteOffset: index, as: UInt8.self)
    }

    @inline(__always)
    private static func append(
        _ byte: UInt8, to digest: UInt64, _ reduction: UnsafeBufferPointer<UInt64>
    ) -> UInt64 {
        (digest << 8 | UInt64(byte)) ^ reduction[Int(digest >> (degree - 8))]
    }

    // MARK: Tables

    /// An irreducible polynomial over GF(2): bit i is the coefficient of x^i.
    private static let polynomial: UInt64 = 17_437_180_132_763_653
    private static let degree: UInt64 = 53

    /// `outgoing[b]`: what a byte b still contributes when it leaves the window. `reduction[b]`: what takes
    /// a byte b above the degree back below it.
    private static let tables = makeTables()

    private static func makeTables() -> (outgoing: [UInt64], reduction: [UInt64]) {
        let reduction = (0..<256).map { (byte: UInt64) in
            remainder(byte << degree) | byte << degree
        }
        let outgoing = (0..<256).map { (byte: UInt64) in
            (1..<windowBytes).reduce(remainder(byte)) { digest, _ in remainder(digest << 8) }
        }
        return (outgoing, reduction)
    }

    /// The remainder of a polynomial of at most 64 coefficients.
    private static func remainder(_ dividend: UInt64) -> UInt64 {
        var rest = dividend
        while rest >> degree != 0 {
            rest ^= polynomial << (UInt64(63 - rest.leadingZeroBitCount) - degree)
        }
        return rest
    }
}
