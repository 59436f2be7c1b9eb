import CChunking

/// Content-defined cuts by a gear hash of the last 32 bytes, with normalised chunk lengths: `fastcdc`.
///
/// A cut falls after a byte where the hash is below a threshold: half of 2^32 / average until the average
/// is reached, twice as much from there on, which draws lengths towards the average. The hash at the
/// minimum depends on the window before it only, so everything earlier is skipped unread.
///
/// Spec: `docs/formats/chunkers.md`.
struct GearCut: Sendable {
    private let sizes: ChunkSizes
    private let rareThreshold: UInt32
    private let frequentThreshold: UInt32

    static let smallestMinimum = 64
    static let defaultSizes = ChunkSizes(minimum: 16 * 1024, average: 48 * 1024, maximum: 256 * 1024)

    init(_ sizes: ChunkSizes) {
        self.sizes = sizes
        let even = UInt32.max / UInt32(sizes.average)
        rareThreshold = even / 2
        frequentThreshold = even * 2
    }

    /// The length of the chunk at `bytes`; `nil` if no cut is among the first `count` bytes.
    func find(_ bytes: UnsafeRawPointer, _ count: Int) -> Int? {
        guard count >= sizes.minimum else { return nil }
        let bytes = bytes.assumingMemoryBound(to: UInt8.self)
        // The first cut may fall after the last byte of the minimum.
        let rare = nacre_gear_scan(bytes, sizes.minimum - 1, min(count, sizes.average), rareThreshold)
        if rare > 0 { return rare }
        guard count > sizes.average else { return nil }
        let end = min(count, sizes.maximum)
        let frequent = nacre_gear_scan(bytes, sizes.average, end, frequentThreshold)
        if frequent > 0 { return frequent }
        return end == sizes.maximum ? end : nil
    }
}
