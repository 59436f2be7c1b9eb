/// Content-defined cuts by a gear hash of the last 64 bytes, with normalised chunk lengths: `fastcdc`.
///
/// A cut falls after a byte where the hash is below a threshold: a quarter of 2^64 / average until the average is
/// reached, four times as much from there on, which draws lengths towards the average. The hash at the minimum depends
/// on the window before it only, so everything earlier is skipped unread.
///
/// Spec: `docs/formats/chunkers.md`.
struct GearCut: Sendable {
    private let sizes: ChunkSizes
    private let rareThreshold: UInt64
    private let frequentThreshold: UInt64

    static let windowBytes = 64
    static let smallestMinimum = windowBytes
    static let defaultSizes = ChunkSizes(minimum: 16 * 1024, average: 64 * 1024, maximum: 256 * 1024)

    init(_ sizes: ChunkSizes) {
        self.sizes = sizes
        let even = UInt64.max / UInt64(sizes.average)
        rareThreshold = even / 4
        frequentThreshold = even * 4
    }

    /// The length of the chunk at `bytes`; `nil` if no cut is among the first `count` bytes.
    func find(_ bytes: UnsafeRawPointer, _ count: Int) -> Int? {
        guard count >= sizes.minimum else { return nil }
        return Self.table.withUnsafeBufferPointer { table in
            guard let gear = table.baseAddress else { return nil }
            var hash: UInt64 = 0
            var length = sizes.minimum - Self.windowBytes
            // The first byte after which a cut may fall is the last one of the minimum.
            while length < sizes.minimum - 1 {
                hash = (hash << 1) &+ gear[Self.index(bytes, length)]
                length += 1
            }
            let firstEnd = min(count, sizes.average)
            if let cut = Self.scan(bytes, &length, firstEnd, &hash, below: rareThreshold, gear) { return cut }
            let secondEnd = min(count, sizes.maximum)
            if let cut = Self.scan(bytes, &length, secondEnd, &hash, below: frequentThreshold, gear) {
                return cut
            }
            return secondEnd == sizes.maximum ? secondEnd : nil
        }
    }

    /// Rolls over the bytes from `length` to `end`; returns behind which of them a cut falls.
    @inline(__always)
    private static func scan(
        _ bytes: UnsafeRawPointer, _ length: inout Int, _ end: Int, _ hash: inout UInt64,
        below threshold: UInt64,
        _ gear: UnsafePointer<UInt64>
    ) -> Int? {
        while length < end {
            hash = (hash << 1) &+ gear[index(bytes, length)]
            length += 1
            if hash < threshold { return length }
        }
        return nil
    }

    @inline(__always)
    private static func index(_ bytes: UnsafeRawPointer, _ offset: Int) -> Int {
        Int(bytes.load(fromByteOffset: offset, as: UInt8.self))
    }

    // MARK: Table

    /// 256 words of SplitMix64. The seed is "nacre" in ASCII and a number, the first with which no run of one byte
    /// gives a hash below 2^58: so no run is cut before the maximum, and all its chunks are one block.
    static let table: [UInt64] = {
        var state: UInt64 = 0x6E61_6372_6500_0003
        return (0..<256).map { _ in
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
            return word ^ word >> 31
        }
    }()
}
