import Multiformats
import Synchronization

/// Who flushes: the first that comes leads, those that come while it works wait for the next round together.
struct CommitQueue {
    /// Rounds that began and ended.
    var begun = 0
    var ended = 0
    var isLeading = false
    var failure: (any Error)?
}

extension PackBlockStore {
    public func commit() throws {
        try checkWritable()
        try checkIndexSpace()
        let round = commits.with { queue in
            // What was put before this call is taken by the next round that begins.
            queue.begun + 1
        }
        let leads = try commits.wait { queue -> Monitor<CommitQueue>.Outcome<Bool> in
            if queue.ended >= round { return .done(false) }
            if let failure = queue.failure { throw failure }
            if queue.isLeading { return .waiting }
            queue.isLeading = true
            queue.begun += 1
            return .done(true)
        }
        guard leads else { return }
        let result = Result { try flush() }
        commits.with { queue in
            queue.isLeading = false
            // A round that failed never ends: those that wait for it hear of the failure too.
            switch result {
            case .success: queue.ended = queue.begun
            case .failure(let error): queue.failure = error
            }
        }
        commits.signalAll()
        do {
            try result.get()
        } catch {
            fail(error)
            throw error
        }
    }

    /// Refuses a commit for which the disk has no room before anything of it is written: what was put stays
    /// as it is, and the next commit takes it. One that failed half-way would close the store for writing.
    private func checkIndexSpace() throws {
        let (entries, packs) = state.withLock { ($0.pending.count, $0.changedPacks.count) }
        guard entries + packs > 0 else { return }
        // An entry with its key and what the log of the index adds to it, twice: as the log and as a table.
        let needed = Self.indexRoom + Int64(entries + packs) * 256
        let free = try files.availableBytes(at: packsDirectory)
        guard free >= needed else { throw BlockStoreError.storageFull(needed: needed, available: free) }
    }

    private static let indexRoom: Int64 = 64 * 1024

    /// Runs `body` while no flush is under way: nothing is in `flushing`, and nobody else writes pack states.
    func withoutFlush<R>(_ body: () throws -> R) rethrows -> R {
        commits.wait { queue -> Monitor<CommitQueue>.Outcome<Void> in
            if queue.isLeading { return .waiting }
            queue.isLeading = true
            return .done(())
        }
        defer {
            commits.with { $0.isLeading = false }
            commits.signalAll()
        }
        return try body()
    }

    /// What one flush takes with it.
    private struct Round {
        var dirty: [OpenPack] = []
        var full: [OpenPack] = []
        var packs: [UInt64: PackState] = [:]
        let start: UInt64
    }

    /// Syncs the packs, then writes the entries: the index is never ahead of the packs.
    private func flush() throws {
        var round = state.withLock { state -> Round in
            var round = Round(start: options.now())
            swap(&state.pending, &state.flushing)
            state.pending.removeAll(keepingCapacity: true)
            state.pendingBytes = 0
            round.dirty = Array(state.dirtyPacks.values)
            round.full = Array(state.fullPacks.values)
            for number in state.changedPacks { round.packs[number] = state.packs[number] }
            state.dirtyPacks.removeAll()
            state.fullPacks.removeAll()
            state.changedPacks.removeAll()
            return round
        }
        for pack in round.full {
            // Sealed packs are exactly as long as their sections, so that they are CARv1 files for everybody.
            try pack.file.truncate(to: Int64(round.packs[pack.number]?.mark ?? 0))
            round.packs[pack.number]?.isSealed = true
        }
        if options.durability != .os {
            for pack in round.dirty { try pack.file.sync() }
        }
        try writeEntries(&round)
        state.withLock { state in
            for pack in round.full { state.packs[pack.number]?.isSealed = true }
            state.flushing.removeAll(keepingCapacity: true)
            state.generation += 1
        }
    }

    /// In the order of their digests, or nearly so: the index takes neighbours at a third of the cost.
    private static func inOrder(
        _ entries: [Multihash: BlockLocation]
    ) -> [(key: Multihash, value: BlockLocation)] {
        let unordered = Array(entries)
        var order: [(digest: UInt64, position: Int)] = []
        order.reserveCapacity(unordered.count)
        for (position, entry) in unordered.enumerated() {
            let digest = entry.key.withDigest { digest in
                digest.count < 8 ? 0 : UInt64(bigEndian: digest.loadUnaligned(as: UInt64.self))
            }
            order.append((digest, position))
        }
        order.sort { $0.digest < $1.digest }
        return order.map { unordered[$0.position] }
    }

    private func writeEntries(_ round: inout Round) throws {
        let entries = state.withLock { $0.flushing }
        guard !entries.isEmpty || !round.packs.isEmpty else { return }
        var batch = IndexBatch()
        for (multihash, location) in Self.inOrder(entries) {
            batch.put(IndexKey.block(multihash), location.encoded)
        }
        // In the same batch as the entries that they cover.
        for (number, pack) in round.packs { batch.put(IndexKey.pack(number), pack.encoded) }
        let isSynced = !round.full.isEmpty && options.durability != .os
        if isSynced { batch.put(IndexKey.synced, IndexKey.value(of: round.start)) }
        try index.write(batch, sync: isSynced)
        for pack in round.full { try pack.file.close() }
    }
}
