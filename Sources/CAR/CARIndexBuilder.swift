public import Multiformats

/// Collects where sections begin, as a file is written or read.
///
/// Memory: digest and eight bytes for each block. Blocks of identity CIDs are left out, as whoever asks for
/// one has its bytes already.
public struct CARIndexBuilder: Sendable {
    private struct Key: Hashable, Sendable {
        let code: UInt64
        let digestBytes: Int
    }

    private var buckets: [CARIndexBucket] = []
    private var places: [Key: Int] = [:]
    /// Whether no section was left out.
    public private(set) var isComplete = true

    public init() {}

    /// Adds a section.
    ///
    /// - Parameter offset: from the start of the payload.
    public mutating func add(_ multihash: Multihash, at offset: UInt64) {
        guard multihash.code != .identity else {
            isComplete = false
            return
        }
        let key = Key(code: multihash.code.rawValue, digestBytes: multihash.digestByteCount)
        let place = places[key] ?? buckets.count
        if place == buckets.count {
            places[key] = place
            buckets.append(
                CARIndexBucket(code: multihash.code, digestBytes: key.digestBytes, records: []))
        }
        multihash.withDigest { buckets[place].records.append(contentsOf: $0) }
        withUnsafeBytes(of: offset.littleEndian) { buckets[place].records.append(contentsOf: $0) }
    }

    /// The index, in order.
    public consuming func finish() -> CARIndex {
        var sorted = buckets.sorted {
            ($0.code?.rawValue ?? 0, $0.digestBytes) < ($1.code?.rawValue ?? 0, $1.digestBytes)
        }
        for index in sorted.indices { sorted[index].sort() }
        return CARIndex(format: .multihashSorted, buckets: sorted)
    }
}
