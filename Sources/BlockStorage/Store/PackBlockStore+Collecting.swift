import IPLD
public import Multiformats
import Synchronization

extension PackBlockStore {
    /// What marking a block found.
    public enum Marking: Sendable {
        /// The store does not hold it.
        case absent
        case newlyMarked
        case markedBefore
    }

    /// Keeps blocks that are put from now on, also those that are held already, from every collection until
    /// it ends: between a put and the pin that keeps it.
    public func beginLease() -> BlockLease {
        let number = state.withLock { state in
            defer { state.nextLease += 1 }
            state.leases[state.nextLease] = options.now()
            return state.nextLease
        }
        return BlockLease { [weak self] in self?.state.withLock { $0.leases[number] = nil } }
    }

    /// Runs a collection: `mark` is given the means to mark what is to stay, then everything else that is old
    /// enough goes.
    ///
    /// Puts, reads and pins go on meanwhile. One maintenance job runs at a time; a second one waits.
    ///
    /// - Parameters:
    ///   - grace: blocks put within this many milliseconds stay.
    ///   - dryRun: only tells.
    ///   - mark: marks by ``mark(_:)``; what it throws ends the collection with nothing dropped.
    ///   - dropping: told of each block that goes or would go.
    public func collect(
        grace: UInt64, dryRun: DryRun = .no, mark: () throws -> Void,
        dropping: (Multihash, Int) throws -> Void = { _, _ in }
    ) throws -> SweepReport {
        try maintenance.withLock { _ in
            try commit()
            state.withLock { state in
                let now = options.now()
                let oldest = state.leases.values.min() ?? now
                state.collection = Collection(cutoff: min(now - min(now, grace), oldest))
                // A put that looked for its blocks before this must look again: it saw no collection, and would
                // not wait for the sweep.
                state.generation += 1
            }
            defer { state.withLock { $0.collection = nil } }
            try mark()
            return try sweep(dryRun: dryRun, dropping: dropping)
        }
    }

    /// Whether a collection only tells what it would do.
    public enum DryRun: Sendable {
        case no
        case yes
    }

    /// Marks a block as reachable, during a collection; afterwards a sweep does not drop it.
    ///
    /// - Returns: `markedBefore` only if this was called for it before: what lies below a block that was merely
    ///   put meanwhile is not marked yet.
    public func mark(_ multihash: Multihash) throws -> Marking {
        guard let location = try location(of: multihash) else { return .absent }
        return state.withLock { state in
            state.collection?.reach(location) == false ? .markedBefore : .newlyMarked
        }
    }

    /// Keeps a held block from a collection that runs, and counts it as just put.
    ///
    /// - Returns: `false` if the store does not hold it.
    public func protect(_ multihash: Multihash) throws -> Bool {
        try touch(multihash, adding: [])
    }

    private func sweep(dryRun: DryRun, dropping: (Multihash, Int) throws -> Void) throws -> SweepReport {
        var report = SweepReport()
        var doomed: [Multihash] = []
        // Scanned in slices, so that no snapshot of the index is held for long.
        var start = IndexKey.blockPrefix
        while true {
            var last: [UInt8]?
            var seen = 0
            try index.scan(prefix: IndexKey.blockPrefix, from: start) { key, value in
                seen += 1
                last = [UInt8](key)
                let location = try BlockLocation(decoding: value)
                let (isMarked, cutoff) = state.withLock { state in
                    (state.collection?.isMarked(location) ?? true, state.collection?.cutoff ?? 0)
                }
                if isMarked {
                    report.keptBlocks += 1
                } else if location.birth >= cutoff {
                    report.youngBlocks += 1
                    report.youngBytes += Int64(location.payloadBytes)
                } else if let multihash = IndexKey.multihash(of: key) {
                    doomed.append(multihash)
                }
                return seen < 8192
            }
            if dryRun == .no {
                try drop(doomed, &report, dropping)
            } else {
                for multihash in doomed {
                    guard let location = try location(of: multihash) else { continue }
                    report.blocks += 1
                    report.bytes += Int64(location.payloadBytes)
                    try dropping(multihash, Int(location.payloadBytes))
                }
            }
            doomed.removeAll(keepingCapacity: true)
            guard seen >= 8192, let last else { break }
            start = last + [0]
        }
        if dryRun == .no {
            try writeChangedPacks()
            // Before any pack may go, the removals must be sure: an entry must not come back without its
            // bytes.
            if options.durability != .os { try index.sync() }
        }
        return report
    }

    /// Drops entries, each only if it is still unmarked and old under the lock that puts of known blocks
    /// take.
    private func drop(
        _ multihashes: [Multihash], _ report: inout SweepReport, _ dropping: (Multihash, Int) throws -> Void
    ) throws {
        guard !multihashes.isEmpty else { return }
        var dropped: [(Multihash, BlockLocation)] = []
        try sweepLock.withLock { _ in
            try withoutFlush {
                for multihash in multihashes {
                    guard let location = try location(of: multihash) else { continue }
                    let goes = state.withLock { state in
                        guard let collection = state.collection else { return false }
                        return !collection.isMarked(location) && location.birth < collection.cutoff
                            && state.pending[multihash] == nil && state.flushing[multihash] == nil
                    }
                    if goes { dropped.append((multihash, location)) }
                }
                try index.write(removal(of: dropped), sync: false)
                if !dropped.isEmpty { noteWithdrawal() }
                state.withLock { state in
                    for (_, location) in dropped { state.forget(location) }
                    state.generation += 1
                }
            }
        }
        for (multihash, location) in dropped {
            report.blocks += 1
            report.bytes += Int64(location.payloadBytes)
            try dropping(multihash, Int(location.payloadBytes))
        }
    }

    /// Drops one block, whoever may need it: for scratch blocks that nobody else can know. Its bytes go with the
    /// next compaction of their pack.
    ///
    /// - Returns: whether it was held.
    public func remove(_ cid: CID) throws -> Bool {
        try checkWritable()
        // What waits for a flush cannot be taken out of the index yet.
        try commit()
        return try sweepLock.withLock { _ in
            try withoutFlush {
                guard !cid.isIdentity, let location = try location(of: cid.multihash) else { return false }
                let isWaiting = state.withLock {
                    $0.pending[cid.multihash] != nil || $0.flushing[cid.multihash] != nil
                }
                guard !isWaiting else { return false }
                try index.write(removal(of: [(cid.multihash, location)]), sync: false)
                noteWithdrawal()
                state.withLock { state in
                    state.forget(location)
                    state.generation += 1
                }
                return true
            }
        }
    }

    /// Takes entries out, and out of the counts of their packs: in one batch, so that a crash between them
    /// cannot leave dead blocks that count as living and are never compacted.
    private func removal(of dropped: [(Multihash, BlockLocation)]) throws -> IndexBatch {
        var batch = IndexBatch()
        var packs: [UInt64: PackState] = [:]
        for (multihash, location) in dropped {
            batch.remove(IndexKey.block(multihash))
            // The state that the index has, not the newer one in memory, whose mark may be ahead of what is
            // synced.
            let known =
                try packs[location.pack]
                ?? index.value(of: IndexKey.pack(location.pack)).map(PackState.init(decoding:))
            guard var pack = known else { continue }
            pack.forget(location)
            packs[location.pack] = pack
        }
        for (number, pack) in packs { batch.put(IndexKey.pack(number), pack.encoded) }
        return batch
    }

    private func writeChangedPacks() throws { try commit() }
}

/// Keeps what is put while it lasts from being collected.
public final class BlockLease: Sendable {
    private let onEnd: @Sendable () -> Void

    init(onEnd: @escaping @Sendable () -> Void) { self.onEnd = onEnd }

    /// Ends the lease; ending it again does nothing.
    public func end() { onEnd() }

    deinit { onEnd() }
}
