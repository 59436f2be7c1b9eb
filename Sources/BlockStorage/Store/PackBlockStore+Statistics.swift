public import Multiformats
import Synchronization

/// How much a store holds. Kept up to date with every put; reading it scans nothing.
public struct StoreStatistics: Equatable, Sendable {
    public var blocks: Int64 = 0
    /// Bytes of living blocks with their section headers.
    public var liveBytes: Int64 = 0
    /// Bytes in packs that nothing points at any more.
    public var deadBytes: Int64 = 0
    public var packs = 0
    public var sealedPacks = 0
    /// Lengths of all packs.
    public var packBytes: Int64 = 0
    /// Packs that are missing, or shorter than they were.
    public var unreadablePacks = 0

    public init() {}
}

extension PackBlockStore {
    /// What the store holds now.
    public func statistics() -> StoreStatistics {
        state.withLock { state in
            var statistics = StoreStatistics()
            for pack in state.packs.values {
                statistics.blocks += Int64(pack.liveSections)
                statistics.liveBytes += Int64(clamping: pack.liveBytes)
                statistics.deadBytes += Int64(clamping: pack.deadBytes)
                statistics.packs += 1
                statistics.packBytes += Int64(clamping: pack.mark)
                if pack.isSealed { statistics.sealedPacks += 1 }
            }
            statistics.unreadablePacks = readableEnds.keys.count { state.packs[$0] != nil }
            return statistics
        }
    }

    /// Gives the multihash and size of every held block, in the order of the index; returns early if `body`
    /// says so.
    public func forEachBlock(_ body: (Multihash, Int) throws -> Bool) throws {
        try commit()
        try index.scan(prefix: IndexKey.blockPrefix, from: IndexKey.blockPrefix) { key, value in
            let location = try location(decoding: [UInt8](value))
            guard !location.isQuarantined, let multihash = IndexKey.multihash(of: key) else { return true }
            return try body(multihash, Int(location.payloadBytes))
        }
    }

    // MARK: Scope marks

    /// Marks held blocks for a scope beyond the two that every location has room for.
    public func mark(_ multihashes: [Multihash], for scope: UInt32) throws {
        try checkWritable()
        var batch = IndexBatch()
        for multihash in multihashes { batch.put(IndexKey.scope(scope, multihash), []) }
        try index.write(batch, sync: false)
    }

    /// Takes marks of ``mark(_:for:)`` away.
    public func unmark(_ multihashes: [Multihash], for scope: UInt32) throws {
        try checkWritable()
        var batch = IndexBatch()
        for multihash in multihashes { batch.remove(IndexKey.scope(scope, multihash)) }
        try index.write(batch, sync: false)
        noteWithdrawal()
    }

    /// Whether a block was marked for the scope by ``mark(_:for:)``.
    public func isMarked(_ multihash: Multihash, for scope: UInt32) throws -> Bool {
        try index.value(of: IndexKey.scope(scope, multihash)) != nil
    }

    /// The marks that stand in a block's location; `nil` if it is not held.
    public func scopeMarks(of multihash: Multihash) throws -> ScopeMarks? {
        try location(of: multihash).map { ScopeMarks(rawValue: $0.flags.intersection(.scopes).rawValue) }
    }

    /// Sets and takes away marks of held blocks.
    ///
    /// - Parameter bornBefore: blocks that were put at this time or later are left alone.
    public func changeScopeMarks(
        of multihashes: [Multihash], adding: ScopeMarks = [], removing: ScopeMarks = [],
        bornBefore: UInt64 = .max
    ) throws {
        try checkWritable()
        for multihash in multihashes {
            while try !changeScopeMarks(of: multihash, adding, removing, bornBefore) {}
        }
        if !removing.isEmpty { noteWithdrawal() }
        if state.withLock({ $0.pending.count > options.maximumPendingBlocks }) { try commit() }
    }

    /// - Returns: `false` if the entry changed meanwhile: a mark must be lost neither to a copy elsewhere
    ///   nor to a put.
    private func changeScopeMarks(
        of multihash: Multihash, _ adding: ScopeMarks, _ removing: ScopeMarks, _ bornBefore: UInt64
    ) throws -> Bool {
        let generation = state.withLock { $0.generation }
        guard let location = try location(of: multihash), location.birth < bornBefore else { return true }
        var changed = location
        changed.flags.formUnion(BlockLocation.Flags(adding))
        changed.flags.subtract(BlockLocation.Flags(removing))
        guard changed != location else { return true }
        return state.withLock { state in
            guard state.generation == generation else { return false }
            if let current = state.pending[multihash] ?? state.flushing[multihash], current != location {
                return false
            }
            state.pending[multihash] = changed
            return true
        }
    }

    /// Says in the LOCK file where the process that holds the data directory can be spoken to, such as
    /// `http://127.0.0.1:8080`.
    public func publish(address: String) { lock?.publish(address: address) }
}
