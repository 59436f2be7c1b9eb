import IPLD
import Multiformats
import Synchronization

extension PackBlockStore {
    @discardableResult
    public func put(_ blocks: [BlockView], scope: ScopeMarks = .defaultProject) throws -> PutSummary {
        try checkWritable()
        var summary = PutSummary()
        var generation = state.withLock { $0.generation }
        var damaged: [Multihash: BlockLocation] = [:]
        var missing = try sortOut(blocks, scope: scope, since: generation, &summary, &damaged)
        if !missing.isEmpty {
            try checkFreeSpace(for: missing)
            let lane = takeLane()
            defer { giveBack(lane) }
            let newest = state.withLock { $0.generation }
            if newest != generation {
                generation = newest
                // A flush ended meanwhile: what another thread put could have gone by unseen.
                missing = try sortOut(missing, scope: scope, since: generation, &summary, &damaged)
            }
            do {
                try append(missing, scope: scope, to: lane, since: generation, &summary)
            } catch let error as BlockStoreError where error.isDiskFull {
                // Nothing was registered: the bytes behind the end are overwritten by the next put.
                throw BlockStoreError.storageFull(
                    needed: missing.reduce(0) { $0 + Int64($1.bytes.count) },
                    available: try freeBeyondReserve())
            } catch {
                fail(error)
                throw error
            }
            try forgetReplaced(damaged)
        }
        if options.durability == .always {
            try commit()
        } else if state.withLock({
            $0.pending.count > options.maximumPendingBlocks || $0.pendingBytes > options.maximumPendingBytes
        }) {
            try commit()
        }
        return summary
    }

    /// Splits off the blocks that are held already; those count as just put.
    private func sortOut(
        _ blocks: [BlockView], scope: ScopeMarks, since generation: Int, _ summary: inout PutSummary,
        _ damaged: inout [Multihash: BlockLocation]
    ) throws -> [BlockView] {
        var missing: [BlockView] = []
        var seen: Set<Multihash> = []
        let locations = try self.locations(of: blocks.map(\.cid.multihash))
        for (block, location) in zip(blocks, locations) {
            guard block.bytes.count <= Block.hardMaximumBytes else {
                throw BlockStoreError.blockTooLarge(
                    block.cid, bytes: block.bytes.count, maximum: Block.hardMaximumBytes)
            }
            let holding: Holding =
                try block.cid.isIdentity
                ? .whole : hold(block.cid.multihash, at: location, since: generation, adding: scope)
            if case .damaged(let location) = holding { damaged[block.cid.multihash] = location }
            if holding == .whole || (blocks.count > 1 && !seen.insert(block.cid.multihash).inserted) {
                summary.knownBlocks += 1
                summary.knownBytes += Int64(block.bytes.count)
            } else {
                missing.append(block)
            }
        }
        return missing
    }

    /// Copies that good ones have replaced are dead, though they were counted as living until here.
    private func forgetReplaced(_ damaged: [Multihash: BlockLocation]) throws {
        for (multihash, old) in damaged {
            guard let location = try location(of: multihash), !location.isSamePlace(as: old) else { continue }
            state.withLock { $0.forget(old) }
        }
    }

    /// Makes a held block count as just put: see ``hold(_:at:adding:)``.
    ///
    /// - Returns: `false` if the block is not held, or its bytes are known to be damaged.
    func touch(_ multihash: Multihash, adding scope: ScopeMarks) throws -> Bool {
        let generation = state.withLock { $0.generation }
        return try hold(multihash, at: location(of: multihash), since: generation, adding: scope) == .whole
    }

    private enum Holding: Equatable {
        case absent
        /// Its bytes are known to be wrong: a good copy is welcome.
        case damaged(BlockLocation)
        case whole
    }

    /// Makes a held block count as just put: for the grace period, for leases, for a collection that runs.
    ///
    /// - Parameters:
    ///   - place: where the block was found; `nil` if it was not.
    ///   - generation: what had moved or gone before it was looked for.
    private func hold(
        _ multihash: Multihash, at place: BlockLocation?, since generation: Int, adding scope: ScopeMarks
    ) throws -> Holding {
        var (place, generation) = (place, generation)
        while let location = place {
            if location.isQuarantined { return .damaged(location) }
            let (isCollecting, newest) = state.withLock { ($0.collection != nil, $0.generation) }
            if isCollecting {
                // A sweep may be about to drop it: look again and mark under the lock that the sweep takes.
                return try sweepLock.withLock { _ in
                    while true {
                        let newest = state.withLock { $0.generation }
                        guard let location = try self.location(of: multihash) else { return .absent }
                        if location.isQuarantined { return .damaged(location) }
                        if refresh(multihash, location, since: newest, adding: scope) { return .whole }
                    }
                }
            }
            if newest == generation, refresh(multihash, location, since: generation, adding: scope) {
                return .whole
            }
            generation = newest
            place = try self.location(of: multihash)
        }
        return .absent
    }

    /// - Parameter generation: nothing is done if a flush or a sweep has ended since.
    /// - Returns: `false` if something else changed the entry meanwhile: it is to be looked up again.
    private func refresh(
        _ multihash: Multihash, _ location: BlockLocation, since generation: Int, adding scope: ScopeMarks
    ) -> Bool {
        let now = options.now()
        var fresh = location
        fresh.flags.formUnion(BlockLocation.Flags(scope))
        return state.withLock { state in
            guard state.generation == generation else { return false }
            state.collection?.mark(location)
            let oldestLease = state.leases.values.min() ?? now
            let isOld = location.birth + 60_000 < now || location.birth < oldestLease
            guard isOld || fresh.flags != location.flags else { return true }
            // Moved, refreshed or given another mark: none of that may be undone.
            if let current = state.pending[multihash] ?? state.flushing[multihash], current != location {
                return false
            }
            fresh.birth = max(now, location.birth)
            state.pending[multihash] = fresh
            return true
        }
    }

    /// Less at once is left to the sync: the disk is not kept busy with crumbs.
    private static let writebackBytes = 1024 * 1024

    /// Writes blocks that are not held, in one pack or, where it gets full, in several.
    ///
    /// - Parameter generation: the flushes that had ended when the blocks were looked for.
    private func append(
        _ blocks: [BlockView], scope: ScopeMarks, to lane: AppendLane, since generation: Int,
        _ summary: inout PutSummary
    ) throws {
        var rest = blocks[...]
        while !rest.isEmpty {
            let pack = try openPack(of: lane)
            let start = state.withLock { $0.packs[pack.number]?.mark ?? 0 }
            let run = fitting(rest, in: pack, at: start)
            if run.isEmpty {
                retire(pack, of: lane)
                continue
            }
            var writer = SectionWriter()
            let headers = run.map { writer.append($0) }
            try allocate(pack, upTo: Int64(start) + Int64(writer.bytes))
            try writer.write(to: pack.file, at: Int64(start))
            if options.durability != .os, writer.bytes >= Self.writebackBytes {
                // The disk works from now on, not only when the sync waits for it.
                pack.file.startWriteback(at: Int64(start), count: writer.bytes)
            }
            try register(
                run, headers: headers, in: pack, at: start, scope: scope, since: generation, &summary)
            rest = rest.dropFirst(run.count)
        }
    }

    /// As many blocks as the pack still takes. An empty pack takes one of any size.
    private func fitting(_ blocks: ArraySlice<BlockView>, in pack: OpenPack, at start: UInt64) -> ArraySlice<
        BlockView
    > {
        var size = Int64(start)
        var count = 0
        for block in blocks {
            let section = Int64(block.bytes.count + block.cid.byteCount)
            let bytes = section + Int64(Varint.size(of: UInt64(section)))
            let isFirst = start == UInt64(PackFormat.header.count) && count == 0
            guard isFirst || size + bytes <= options.packTargetBytes else { break }
            size += bytes
            count += 1
        }
        return blocks.prefix(count)
    }

    /// Makes written sections readable. Their bytes are in the file; they are not durable yet.
    private func register(
        _ blocks: ArraySlice<BlockView>, headers: [Int], in pack: OpenPack, at start: UInt64,
        scope: ScopeMarks, since generation: Int, _ summary: inout PutSummary
    ) throws {
        let birth = options.now()
        try state.withLock { state in
            // A flush that ended since they were looked for may have taken another thread's copies to the
            // index.
            let flushed =
                try state.generation == generation ? [] : blocks.filter { try isInIndex($0.cid.multihash) }
            let held = Set(flushed.map(\.cid.multihash))
            var ownState = state.packs[pack.number] ?? PackState(mark: start)
            var offset = start
            for (block, headerBytes) in zip(blocks, headers) {
                let location = BlockLocation(
                    pack: pack.number, offset: offset, headerBytes: UInt8(headerBytes),
                    payloadBytes: UInt32(block.bytes.count), ordinal: ownState.sections, birth: birth,
                    flags: BlockLocation.Flags(scope))
                offset += location.sectionBytes
                ownState.sections += 1
                // Another thread may have put the same block at the same time: its copy stays, ours is dead.
                let other = state.pending[block.cid.multihash] ?? state.flushing[block.cid.multihash]
                if other?.isQuarantined == false || held.contains(block.cid.multihash) {
                    summary.knownBlocks += 1
                    summary.knownBytes += Int64(block.bytes.count)
                    continue
                }
                summary.newBlocks += 1
                summary.newBytes += Int64(block.bytes.count)
                ownState.liveSections += 1
                ownState.liveBytes += location.sectionBytes
                state.pending[block.cid.multihash] = location
                state.collection?.mark(location)
            }
            ownState.mark = offset
            state.pendingBytes += Int64(offset - start)
            state.packs[pack.number] = ownState
            state.changedPacks.insert(pack.number)
            state.dirtyPacks[pack.number] = pack
        }
    }

    private func isInIndex(_ multihash: Multihash) throws -> Bool {
        guard let value = try index.value(of: IndexKey.block(multihash)) else { return false }
        return try !location(decoding: value).isQuarantined
    }

    /// Writes copies of living blocks, keeping their birth and flags, and points the index at them.
    func appendCopies(of blocks: [(view: BlockView, from: BlockLocation)], to lane: AppendLane) throws {
        var rest = blocks[...]
        while !rest.isEmpty {
            let pack = try openPack(of: lane)
            let start = state.withLock { $0.packs[pack.number]?.mark ?? 0 }
            let run = rest.prefix(fitting(ArraySlice(rest.map(\.view)), in: pack, at: start).count)
            if run.isEmpty {
                retire(pack, of: lane)
                continue
            }
            var writer = SectionWriter()
            let headers = run.map { writer.append($0.view) }
            try allocate(pack, upTo: Int64(start) + Int64(writer.bytes))
            try writer.write(to: pack.file, at: Int64(start))
            try registerCopies(run, headers: headers, in: pack, at: start)
            rest = rest.dropFirst(run.count)
        }
    }

    private func registerCopies(
        _ blocks: ArraySlice<(view: BlockView, from: BlockLocation)>, headers: [Int], in pack: OpenPack,
        at start: UInt64
    ) throws {
        // The newest of what is known: a put may have refreshed a block, a sweep cannot run now.
        while true {
            let generation = state.withLock { $0.generation }
            let current = try blocks.map { try location(of: $0.view.cid.multihash) }
            if register(blocks, at: current, since: generation, headers: headers, in: pack, at: start) {
                return
            }
        }
    }

    /// - Returns: `false`, with nothing done, if a flush has ended since the blocks were looked for.
    private func register(
        _ blocks: ArraySlice<(view: BlockView, from: BlockLocation)>, at current: [BlockLocation?],
        since generation: Int, headers: [Int], in pack: OpenPack, at start: UInt64
    ) -> Bool {
        state.withLock { state in
            guard state.generation == generation else { return false }
            var offset = start
            for ((block, headerBytes), known) in zip(zip(blocks, headers), current) {
                let multihash = block.view.cid.multihash
                var copy = state.pending[multihash] ?? state.flushing[multihash] ?? known ?? block.from
                let isStillThere = copy.isSamePlace(as: block.from) && known != nil
                copy.pack = pack.number
                copy.offset = offset
                copy.headerBytes = UInt8(headerBytes)
                copy.ordinal = state.packs[pack.number]?.sections ?? 0
                offset += copy.sectionBytes
                state.packs[pack.number]?.sections += 1
                guard isStillThere else { continue }
                state.packs[pack.number]?.liveSections += 1
                state.packs[pack.number]?.liveBytes += copy.sectionBytes
                state.forget(block.from)
                state.pending[multihash] = copy
            }
            state.packs[pack.number]?.mark = offset
            state.pendingBytes += Int64(offset - start)
            state.changedPacks.insert(pack.number)
            state.dirtyPacks[pack.number] = pack
            return true
        }
    }
}
