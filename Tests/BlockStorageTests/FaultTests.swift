import BlockStorage
import Dispatch
import IPLD
import Synchronization
import TestKit
import Testing

/// Every call fails once, and from some call on for ever: errors are typed, nothing acknowledged is lost.
@Suite struct FaultTests {
    private typealias Work = (String, any FileSystem, any BlockIndex, StoreLedger) throws -> Void

    private func breakDisk(step: Int, _ work: Work) throws {
        var index = MemoryBlockIndex()
        let tried = try checkFaultSafety(
            base: DiskFileSystem(), step: step, isTyped: { $0 is BlockStoreError }
        ) {
            system, path, ledger in
            index = MemoryBlockIndex()
            try work(path + "/data", system, index, ledger)
        } reopen: { path, _ in
            try StoreLaboratory.reopen(path + "/data", index)
        }
        #expect(tried > 30)
    }

    @Test(arguments: SeededRandom.seeds(scaled(1, full: 10)))
    func aFailingDiskLosesNothingThatWasAdded(seed: UInt64) throws {
        try breakDisk(step: scaled(3, full: 1)) {
            try StoreLaboratory.addWorkload($0, $1, $2, $3, seed: seed)
        }
    }

    @Test(arguments: SeededRandom.seeds(scaled(1, full: 10)))
    func aFailingDiskLosesNothingThatACollectionKeeps(seed: UInt64) throws {
        try breakDisk(step: scaled(3, full: 1)) {
            try StoreLaboratory.collectWorkload($0, $1, $2, $3, seed: seed)
        }
    }

    @Test(arguments: SeededRandom.seeds(scaled(2, full: 10)))
    func aFailingIndexLosesNothing(seed: UInt64) throws {
        for staysBroken in [false, true] {
            var call = 0
            while true {
                let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
                let base = MemoryBlockIndex()
                let index = FaultyBlockIndex(base: base, failing: call, staysBroken: staysBroken)
                let ledger = StoreLedger()
                do {
                    try StoreLaboratory.collectWorkload(
                        directory.path("data"), UnlockedDisk(), index, ledger, seed: seed)
                } catch {
                    #expect(error is BlockStoreError)
                    #expect(index.faults > 0)
                }
                let store = try StoreLaboratory.reopen(directory.path("data"), base)
                #expect(ledger.complaints(about: store) == [], "call \(call) of the index")
                if index.faults == 0 { break }
                call += 1
            }
        }
    }

    @Test func afterAFailedWriteNothingIsWrittenAndEverythingIsRead() throws {
        let directory = try TemporaryDirectory()
        let system = FaultyFileSystem(base: DiskFileSystem())
        let store = try StoreLaboratory.open(directory.path("data"), system, MemoryBlockIndex())
        let block = try StoreLaboratory.addFreshBlock(store, seed: 1)
        system.fail(.init(call: system.calls, kind: .ioError))
        var random = SeededRandom(seed: 2)
        let other = random.block(bytes: 10)
        #expect(throws: BlockStoreError.self) { try store.put(other) }
        #expect(system.faults == 1)
        // The disk is well again, but nobody knows what it holds.
        do {
            try store.put(other)
            Issue.record("a put after a failed write went through")
        } catch BlockStoreError.failedBefore {}
        #expect(throws: BlockStoreError.self) { try store.commit() }
        #expect(try store.block(block.cid) == block)
        #expect(try store.block(other.cid) == nil)
    }

    /// Commits that wait for another's sync once returned normally when that sync failed.
    @Test(arguments: 0..<8) func aSyncThatFailsFailsEveryCommitThatWaitedForIt(round: Int) throws {
        let directory = try TemporaryDirectory()
        let system = FaultyFileSystem(base: DiskFileSystem())
        let store = try StoreLaboratory.open(directory.path("data"), system, MemoryBlockIndex())
        var random = SeededRandom(seed: UInt64(round))
        for _ in 0..<4 { try store.put(random.block(bytes: 100)) }
        system.fail(.init(call: system.calls, kind: .ioError, staysBroken: true))
        let successes = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 32) { _ in
            if (try? store.commit()) != nil { successes.withLock { $0 += 1 } }
        }
        #expect(successes.withLock { $0 } == 0)
    }

    @Test func badInput36AFullDiskIsReportedAndMoreCanBePutWhenThereIsRoom() throws {
        let directory = try TemporaryDirectory()
        let system = FaultyFileSystem(base: DiskFileSystem())
        let store = try StoreLaboratory.open(directory.path("data"), system, MemoryBlockIndex())
        let block = try StoreLaboratory.addFreshBlock(store, seed: 1)
        var random = SeededRandom(seed: 2)
        let other = random.block(bytes: 10)
        for kind in [FaultyFileSystem.Kind.noSpace, .shortWrite] {
            system.fail(.init(call: system.calls, kind: kind))
            do {
                try store.put(other)
                Issue.record("a put on a full disk went through")
            } catch BlockStoreError.storageFull {}
        }
        #expect(try store.block(block.cid) == block)
        #expect(try store.put(other).newBlocks == 1)
        try store.commit()
        try store.close()
        let again = try StoreLaboratory.open(directory.path("data"), DiskFileSystem(), MemoryBlockIndex())
        #expect(try again.blocks([block.cid, other.cid]) == [block, other])
        try again.close()
    }
}
