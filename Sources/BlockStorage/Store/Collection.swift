/// A collection that is under way: what the walk from the roots has reached, and what was put meanwhile.
///
/// Used under the store's state lock only.
struct Collection {
    /// Blocks put at or after this moment stay.
    let cutoff: UInt64
    private var reached = BlockBits()
    /// Kept apart from `reached`: that a block was put says nothing about what lies below it, so the walk must
    /// still enter it.
    private var touched = BlockBits()

    init(cutoff: UInt64) { self.cutoff = cutoff }

    /// Keeps a block that the walk has come to.
    ///
    /// - Returns: whether the walk comes to it for the first time.
    mutating func reach(_ location: BlockLocation) -> Bool { reached.insert(location) }

    /// Keeps a block that was put.
    mutating func mark(_ location: BlockLocation) { touched.insert(location) }

    func isMarked(_ location: BlockLocation) -> Bool {
        reached.contains(location) || touched.contains(location)
    }
}

/// A set of blocks: one bit each, by pack and ordinal. 10 million blocks take 1.25 MB.
struct BlockBits {
    private var bitmaps: [UInt64: [UInt64]] = [:]

    /// - Returns: whether the bit was not set before.
    @discardableResult
    mutating func insert(_ location: BlockLocation) -> Bool {
        let word = Int(location.ordinal >> 6)
        let bit = UInt64(1) << UInt64(location.ordinal & 63)
        var bitmap = bitmaps[location.pack] ?? []
        bitmaps[location.pack] = nil  // so that the array is not copied
        if bitmap.count <= word {
            bitmap.append(contentsOf: repeatElement(0, count: word + 1 - bitmap.count))
        }
        let isNew = bitmap[word] & bit == 0
        bitmap[word] |= bit
        bitmaps[location.pack] = bitmap
        return isNew
    }

    func contains(_ location: BlockLocation) -> Bool {
        guard let bitmap = bitmaps[location.pack], bitmap.count > Int(location.ordinal >> 6) else {
            return false
        }
        return bitmap[Int(location.ordinal >> 6)] & (1 << UInt64(location.ordinal & 63)) != 0
    }
}

/// What a sweep dropped, or would drop.
public struct SweepReport: Equatable, Sendable {
    public var blocks = 0
    /// Bytes of the blocks themselves.
    public var bytes: Int64 = 0
    /// Blocks that nothing reaches and that are too young to go.
    public var youngBlocks = 0
    public var youngBytes: Int64 = 0
    /// Blocks that stay because they are reachable.
    public var keptBlocks = 0

    public init() {}
}

/// What a compaction did.
public struct CompactionReport: Equatable, Sendable {
    public var removedPacks = 0
    public var rewrittenPacks = 0
    public var copiedBytes: Int64 = 0
    /// By how much the packs shrank.
    public var freedBytes: Int64 = 0
    /// Packs that could not be rewritten for lack of space, or because a block in them is damaged.
    public var skippedPacks = 0

    public init() {}
}
