import IPLD
import Multiformats
import Synchronization

extension PackBlockStore {
    /// Gives the space of dead blocks back.
    ///
    /// Packs without a living block are removed at once. Then the packs with most dead bytes are rewritten
    /// until no more
    /// than `maximumUnusedShare` of the store is dead. Reads and puts go on meanwhile; a crash at any point
    /// leaves each block in at least one pack that the index knows.
    ///
    /// - Parameters:
    ///   - maximumUnusedShare: 0 rewrites every pack that has a dead byte.
    ///   - goesOn: asked between packs.
    public func compact(
        maximumUnusedShare: Double, goesOn: () throws -> Void = {}
    ) throws -> CompactionReport {
        try maintenance.withLock { _ in
            var report = CompactionReport()
            try sealPacksWithDeadBlocks()
            for (number, pack) in sealedPacks() where pack.liveSections == 0 {
                try goesOn()
                report.freedBytes += Int64(readableEnds[number] ?? pack.mark)
                report.removedPacks += 1
                try remove(number)
            }
            let allowed = { (packs: [(UInt64, PackState)]) -> Bool in
                let total = packs.reduce(UInt64(0)) { $0 + $1.1.mark }
                let dead = packs.reduce(UInt64(0)) { $0 + $1.1.deadBytes }
                return Double(dead) <= Double(total) * maximumUnusedShare
            }
            for (number, pack) in sealedPacks().sorted(by: { $0.1.deadBytes > $1.1.deadBytes }) {
                guard pack.deadBytes > 0, !allowed(allPacks()) else { break }
                try goesOn()
                // The reserve is there for this: a full store must be able to shrink.
                let available = try files.availableBytes(at: packsDirectory)
                guard available > Int64(pack.liveBytes) + Self.compactionMargin else {
                    report.skippedPacks += 1
                    continue
                }
                do {
                    try rewrite(number, &report)
                } catch BlockStoreError.storageFull {
                    // What was copied is found again; others may be smaller.
                    report.skippedPacks += 1
                }
            }
            return report
        }
    }

    /// What compaction leaves free for entries of the index.
    private static let compactionMargin: Int64 = 4 * 1024 * 1024

    private func allPacks() -> [(UInt64, PackState)] {
        state.withLock { $0.packs.map { ($0.key, $0.value) } }
    }

    private func sealedPacks() -> [(UInt64, PackState)] { allPacks().filter { $0.1.isSealed } }

    /// Open packs that hold dead blocks are sealed before their time, so that they can be rewritten.
    private func sealPacksWithDeadBlocks() throws {
        // Each lane is taken once and given back behind the others.
        var taken: [AppendLane] = []
        defer { for lane in taken { giveBack(lane) } }
        for _ in 0..<max(1, options.lanes) {
            let lane = takeLane()
            taken.append(lane)
            guard let pack = lane.pack else { continue }
            let isDead = state.withLock { ($0.packs[pack.number]?.deadBytes ?? 0) > 0 }
            if isDead { retire(pack, of: lane) }
        }
        for lane in taken { giveBack(lane) }
        taken.removeAll()
        try commit()
    }

    /// Copies the living blocks of a pack to where puts go, then removes it.
    private func rewrite(_ number: UInt64, _ report: inout CompactionReport) throws {
        let file = try reader.file(number)
        let limit = state.withLock { $0.packs[number]?.mark ?? 0 }
        let scanner = PackScanner(file: file)
        var hasDamage = false
        var copied: Int64 = 0
        let end = try scanner.scan(from: UInt64(PackFormat.header.count), upTo: limit) { sections in
            var living: [(section: PackScanner.Section, location: BlockLocation)] = []
            for section in sections {
                guard let location = try location(of: section.cid.multihash), location.pack == number,
                    location.offset == section.offset
                else { continue }
                guard section.isIntact, !location.isQuarantined else {
                    hasDamage = true
                    if !location.isQuarantined { _ = try quarantine(section.cid, location) }
                    continue
                }
                living.append((section, location))
                copied += Int64(location.sectionBytes)
            }
            try move(living)
            return true
        }
        try commit()
        let isEmpty = state.withLock { $0.packs[number]?.liveSections == 0 }
        guard isEmpty || !hasDamage && end == .clean(limit) else {
            // What is damaged may still be mended from these bytes by hand: the pack stays.
            report.skippedPacks += 1
            return
        }
        if options.durability != .os { try index.sync() }
        let before = limit
        try remove(number)
        report.rewrittenPacks += 1
        report.copiedBytes += copied
        report.freedBytes += Int64(before) - copied
    }

    /// Appends copies and points the index at them, each only if nothing else has moved the block meanwhile.
    private func move(_ blocks: [(section: PackScanner.Section, location: BlockLocation)]) throws {
        guard !blocks.isEmpty else { return }
        let lane = takeLane()
        defer { giveBack(lane) }
        do {
            try appendCopies(
                of: blocks.map { (BlockView(cid: $0.section.cid, bytes: $0.section.payload), $0.location) },
                to: lane)
        } catch let error as BlockStoreError where error.isDiskFull {
            throw BlockStoreError.storageFull(
                needed: blocks.reduce(0) { $0 + Int64($1.section.payload.count) },
                available: try freeBeyondReserve())
        } catch {
            fail(error)
            throw error
        }
    }

    private func remove(_ number: UInt64) throws {
        var batch = IndexBatch()
        batch.remove(IndexKey.pack(number))
        try index.write(batch, sync: options.durability != .os)
        let path = packsDirectory + "/" + PackFormat.fileName(number)
        if try files.exists(path) { try files.remove(path) }
        if options.durability != .os { try files.syncDirectory(packsDirectory) }
        reader.forget(number)
        state.withLock { state in
            state.packs[number] = nil
            state.changedPacks.remove(number)
        }
    }
}
