import BlockStorage
import IPLD
import Multiformats
import TestKit
import Testing

/// What the crash and fault tests have in common: small packs, a clock that stands still, checks of a
/// store that was opened again.
enum StoreLaboratory {
    static func open(
        _ directory: String, _ files: any FileSystem, _ index: any BlockIndex, now: UInt64 = 1_000_000,
        lanes: Int = 2
    ) throws -> PackBlockStore {
        var options = PackBlockStore.Options()
        options.packTargetBytes = 24 * 1024
        options.lanes = lanes
        options.now = { now }
        return try PackBlockStore(directory: directory, options: options, files: files, index: index)
    }

    /// Opens what a crash left, looks at everything, works on it, and opens it once more.
    ///
    /// - Returns: the store, which is sound, still open, and holds what it held before.
    static func reopen(_ directory: String, _ index: MemoryBlockIndex) throws -> PackBlockStore {
        let store = try open(directory, DiskFileSystem(), index)
        #expect(store.openingNotes == [])
        try expectSound(store)
        let fresh = try addFreshBlock(store, seed: 77)
        try store.close()
        let again = try open(directory, DiskFileSystem(), index)
        #expect(again.openingNotes == [])
        #expect(try again.block(fresh.cid) == fresh)
        #expect(again.statistics() == store.statistics())
        return again
    }

    /// Opens what a crash left without its index. What was torn is reported as damaged then, since nobody
    /// knows any more that it was never acknowledged.
    static func reopenWithoutIndex(_ directory: String) throws -> PackBlockStore {
        let index = MemoryBlockIndex()
        let store = try open(directory, DiskFileSystem(), index)
        let fresh = try addFreshBlock(store, seed: 77)
        try store.close()
        let again = try open(directory, DiskFileSystem(), index)
        #expect(again.openingNotes == [])
        #expect(try again.block(fresh.cid) == fresh)
        return again
    }

    static func expectSound(_ store: PackBlockStore) throws {
        let report = try store.scrub()
        #expect(report.findings == [])
        let statistics = store.statistics()
        #expect(Int64(report.blocks) == statistics.blocks)
        var listed: Int64 = 0
        try store.forEachBlock { multihash, bytes throws in
            listed += 1
            let cid = CID(codec: .raw, multihash: multihash)
            #expect(try store.block(cid)?.bytes.count == bytes)
            return true
        }
        #expect(listed == statistics.blocks)
    }

    @discardableResult
    static func addFreshBlock(_ store: PackBlockStore, seed: UInt64) throws -> Block {
        var random = SeededRandom(seed: seed &+ 0xF4E5)
        let block = random.block(bytes: 3000)
        try store.put(block)
        try store.commit()
        #expect(try store.block(block.cid) == block)
        return block
    }

    /// Puts a batch and, if `commits`, commits it; tells the ledger.
    static func put(_ blocks: [Block], in store: PackBlockStore, _ ledger: StoreLedger, commits: Bool) throws
    {
        ledger.willPut(blocks)
        _ = try withViews(of: blocks) { try store.put($0, scope: .public) }
        guard commits else { return }
        try store.commit()
        ledger.didCommit(blocks)
    }

    /// Adds, duplicates, seals packs, closes, opens again: some 20 blocks of all shapes.
    static func addWorkload(
        _ directory: String, _ files: any FileSystem, _ index: any BlockIndex, _ ledger: StoreLedger,
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        var known: [Block] = []
        for _ in 0..<2 {
            let store = try open(directory, files, index)
            for _ in 0..<4 {
                var batch = random.blocks(count: 1...4, bytes: [0, 1, 40, 500, 4000, 9000])
                if random.oneIn(3), !known.isEmpty { batch.append(random.pick(known)) }
                let commits = !random.oneIn(4)
                try put(batch, in: store, ledger, commits: commits)
                known += batch
            }
            try store.close()
            ledger.didCommit(known)
        }
        let store = try open(directory, files, index)
        try put(random.blocks(count: 1...3, bytes: [100, 5000]), in: store, ledger, commits: true)
    }

    /// Fills a store, collects two thirds of it, compacts, and adds more.
    static func collectWorkload(
        _ directory: String, _ files: any FileSystem, _ index: any BlockIndex, _ ledger: StoreLedger,
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        let kept = (0..<8).map { _ in random.block(bytes: random.pick([0, 100, 3000, 6000])) }
        let gone = (0..<16).map { _ in random.block(bytes: random.pick([1, 200, 3000, 6000])) }
        let old = try open(directory, files, index)
        for batch in stride(from: 0, to: 24, by: 3) {
            let all = random.shuffled(kept + gone)
            try put(Array(all[batch..<(batch + 3)]), in: old, ledger, commits: random.oneIn(2))
        }
        try put(kept + gone, in: old, ledger, commits: true)
        // Half of the time the store was killed before.
        if random.oneIn(2) { try old.close() }
        let store = try open(directory, files, index, now: 9_000_000)
        try collect(kept, gone, in: store, ledger)
        try put(random.blocks(count: 1...2, bytes: [100]), in: store, ledger, commits: true)
        // What was dropped may be brought again.
        try put(Array(gone.prefix(2)), in: store, ledger, commits: true)
        try store.close()
    }

    private static func collect(
        _ kept: [Block], _ gone: [Block], in store: PackBlockStore, _ ledger: StoreLedger
    ) throws {
        ledger.willRemove(gone.map(\.cid))
        _ = try store.collect(
            grace: 1000, mark: { for block in kept { _ = try store.mark(block.cid.multihash) } })
        _ = try store.compact(maximumUnusedShare: 0)
    }
}
