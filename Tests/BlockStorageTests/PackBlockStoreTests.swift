import BlockStorage
import Digests
import Foundation
import IPLD
import Multiformats
import TestKit
import Testing

/// The store on a real disk with the real index.
@Suite struct PackBlockStoreTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    func open(_ change: (inout PackBlockStore.Options) -> Void = { _ in }) throws -> PackBlockStore {
        var options = PackBlockStore.Options()
        options.packTargetBytes = 256 * 1024
        change(&options)
        return try PackBlockStore(directory: directory.path("data"), options: options)
    }

    func blocks(_ count: Int, seed: UInt64, bytes: ClosedRange<Int> = 0...3000) throws -> [Block] {
        var random = SeededRandom(seed: seed)
        return try (0..<count).map { _ in
            let bytes = random.bytes(random.number(bytes))
            return Block(cid: try CID(hashing: bytes, codec: .raw), bytes: bytes)
        }
    }

    func put(_ blocks: [Block], into store: PackBlockStore) throws {
        for block in blocks { try store.put(block) }
    }

    func expectAll(_ blocks: [Block], in store: PackBlockStore) throws {
        for start in stride(from: 0, to: blocks.count, by: 100) {
            let slice = Array(blocks[start..<min(blocks.count, start + 100)])
            let found = try store.blocks(slice.map(\.cid))
            #expect(found == slice.map(Optional.some))
        }
    }

    @Test func whatWasPutIsReadBeforeAndAfterACommitAndAReopen() throws {
        let all = try blocks(500, seed: 1)
        let store = try open()
        try put(all, into: store)
        try expectAll(all, in: store)
        try store.commit()
        try expectAll(all, in: store)
        try store.close()
        let again = try open()
        #expect(again.openingNotes.isEmpty)
        try expectAll(all, in: again)
        #expect(again.statistics().packs > 2)
        #expect(again.statistics().deadBytes == 0)
        try again.close()
    }

    @Test func aBlockIsStoredOnce() throws {
        let store = try open()
        let block = try blocks(1, seed: 2, bytes: 100...100)[0]
        #expect(try store.put(block).newBlocks == 1)
        #expect(try store.put(block).knownBlocks == 1)
        try store.commit()
        #expect(try store.put(block).knownBlocks == 1)
        let other = Block(cid: CID(codec: .dagPB, multihash: block.cid.multihash), bytes: block.bytes)
        #expect(try store.put(other).knownBlocks == 1)
        #expect(try store.block(other.cid)?.bytes == block.bytes)
        #expect(store.statistics().blocks == 1)
        try store.close()
    }

    @Test func aCleanStopLeavesPacksOfExactLengthThatAreAppendedToAgain() throws {
        for seed in 10..<16 as Range<UInt64> {
            let store = try open { $0.packTargetBytes = 64 * 1024 * 1024 }
            try put(try blocks(20, seed: seed), into: store)
            try store.close()
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path("data/blocks/packs"))
        #expect(names.count <= 2)
        let store = try open { $0.packTargetBytes = 64 * 1024 * 1024 }
        #expect(store.statistics().blocks == 120)
        try store.close()
        let sizes = try names.map {
            try FileManager.default.attributesOfItem(atPath: directory.path("data/blocks/packs/" + $0))[.size]
                as? Int64 ?? 0
        }
        #expect(sizes.reduce(0, +) == store.statistics().packBytes)
    }

    @Test func withoutACleanStopCommittedBlocksAreThereAndTornOnesAreCutOff() throws {
        let all = try blocks(300, seed: 3)
        try FileManager.default.createDirectory(
            atPath: directory.path("image"), withIntermediateDirectories: true)
        do {
            let store = try open()
            try put(Array(all[..<200]), into: store)
            try store.commit()
            try put(Array(all[200...]), into: store)
            // What a kill leaves: the files as they are, the index without what was not flushed.
            try copyData(to: "image/data")
            try store.close()
        }
        let packs = directory.path("image/data/blocks/packs")
        let newest = try #require(try FileManager.default.contentsOfDirectory(atPath: packs).sorted().last)
        let tail = try FileHandle(forWritingTo: URL(fileURLWithPath: packs + "/" + newest))
        _ = try tail.seekToEnd()
        try tail.write(contentsOf: Data([0x80, 0x20, 0x01, 0x55, 0x12, 0x20, 0xAA]))
        try tail.close()
        var options = PackBlockStore.Options()
        options.packTargetBytes = 256 * 1024
        let store = try PackBlockStore(directory: directory.path("image/data"), options: options)
        try expectAll(all, in: store)
        #expect(try store.scrub().findings.isEmpty)
        try store.close()
    }

    @Test func aLostIndexIsRebuiltFromThePacks() throws {
        let all = try blocks(400, seed: 4)
        let store = try open()
        try put(all, into: store)
        try store.close()
        let statistics = try PackBlockStore.rebuildIndex(directory: directory.path("data"))
        #expect(statistics.blocks == store.statistics().blocks)
        let again = try open()
        try expectAll(all, in: again)
        #expect(again.statistics().liveBytes == store.statistics().liveBytes)
        try again.close()
        try FileManager.default.removeItem(atPath: directory.path("data/blocks/index"))
        let third = try open()
        try expectAll(all, in: third)
        try third.close()
    }

    @Test func collectingDropsWhatIsNotMarkedAndCompactingGivesItsSpaceBack() throws {
        let kept = try blocks(300, seed: 5)
        let gone = try blocks(900, seed: 6)
        let clock = ManualClock()
        let store = try open { $0.now = { clock.milliseconds } }
        for (index, block) in gone.enumerated() {
            try store.put(block)
            if index % 3 == 0 { try store.put(kept[index / 3]) }
        }
        clock.advance(milliseconds: 10_000)
        try store.commit()
        let before = store.statistics()
        let dry = try store.collect(
            grace: 1000, dryRun: .yes, mark: { for block in kept { _ = try store.mark(block.cid.multihash) } }
        )
        #expect(dry.keptBlocks == Set(kept.map(\.cid)).count)
        #expect(store.statistics() == before)
        let young = try store.collect(grace: 60_000, mark: {})
        #expect(young.blocks == 0 && young.youngBlocks > 0)
        let report = try store.collect(
            grace: 1000, mark: { for block in kept { _ = try store.mark(block.cid.multihash) } })
        #expect(report.blocks == dry.blocks && report.bytes == dry.bytes)
        let compaction = try store.compact(maximumUnusedShare: 0)
        #expect(compaction.freedBytes > 0 && compaction.skippedPacks == 0)
        #expect(store.statistics().deadBytes == 0)
        #expect(store.statistics().packBytes < before.packBytes / 2)
        try expectAll(kept, in: store)
        for block in gone where !kept.contains(where: { $0.cid == block.cid }) {
            #expect(try store.block(block.cid) == nil)
        }
        #expect(try store.scrub().findings.isEmpty)
        try store.close()
        let again = try open()
        try expectAll(kept, in: again)
        #expect(again.statistics() == store.statistics())
        try again.close()
    }

    @Test func aLeaseAndAPutDuringACollectionKeepBlocks() throws {
        let clock = ManualClock()
        let store = try open { $0.now = { clock.milliseconds } }
        let old = try blocks(3, seed: 7, bytes: 10...20)
        try put(old, into: store)
        clock.advance(milliseconds: 100_000)
        let lease = store.beginLease()
        try store.put(old[0])
        clock.advance(milliseconds: 100_000)
        let report = try store.collect(grace: 0, mark: { try store.put(old[1]) })
        #expect(report.blocks == 1)
        #expect(try store.has(old[0].cid) && store.has(old[1].cid) && !store.has(old[2].cid))
        lease.end()
        clock.advance(milliseconds: 1)
        #expect(try store.collect(grace: 0, mark: {}).blocks == 2)
        try store.close()
    }

    @Test func badInput40AFlippedBitIsFoundNamedAndNeverServed() throws {
        let all = try blocks(40, seed: 8, bytes: 500...600)
        let store = try open()
        try put(all, into: store)
        try store.close()
        let packs = directory.path("data/blocks/packs")
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: packs).sorted().first)
        let url = URL(fileURLWithPath: packs + "/" + name)
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count / 2] ^= 0x04
        try bytes.write(to: url)
        let damaged = try open()
        var refused: [Block] = []
        for block in all {
            do {
                #expect(try damaged.block(block.cid) == block)
            } catch let error as BlockStoreError {
                #expect(error.isDamage)
                refused.append(block)
            }
        }
        #expect(refused.count <= 1)
        let report = try damaged.scrub()
        #expect(report.findingCount >= 1)
        for block in refused {
            #expect(try damaged.size(of: block.cid) == nil)
            #expect(try damaged.put(block).newBlocks == 1)
            #expect(try damaged.block(block.cid) == block)
        }
        try damaged.close()
    }

    @Test func badInput40AMissingPackIsNamedAndTheRestServes() throws {
        let all = try blocks(600, seed: 9)
        let store = try open()
        try put(all, into: store)
        try store.close()
        let packs = directory.path("data/blocks/packs")
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: packs).sorted().first)
        try FileManager.default.removeItem(atPath: packs + "/" + name)
        let damaged = try open()
        #expect(damaged.openingNotes.contains { $0.description.contains(name) })
        let readable = all.filter { (try? damaged.block($0.cid)) != nil }
        #expect(readable.count > 100 && readable.count < all.count)
        #expect(try damaged.scrub().findings.contains(.missingPack(pack: name)))
        try damaged.close()
    }

    @Test func badInput40ASecondOpenAndANewerFormatAreRefused() throws {
        let store = try open()
        #expect(throws: BlockStoreError.self) { try open() }
        try store.close()
        try "nacre 2\nfeatures:\n".write(
            toFile: directory.path("data/VERSION"), atomically: true, encoding: .utf8)
        #expect(
            throws: BlockStoreError.newerFormat(directory: directory.path("data"), found: "2", supported: 1)
        ) { try open() }
        try "nacre 1\nfeatures: antigravity\n".write(
            toFile: directory.path("data/VERSION"), atomically: true, encoding: .utf8)
        #expect(
            throws: BlockStoreError.newerFormat(
                directory: directory.path("data"), found: "1 with antigravity", supported: 1)
        ) { try open() }
    }

    @Test func manyThreadsPutReadCommitAndCollectAtOnce() throws {
        let store = try open { $0.packTargetBytes = 128 * 1024 }
        let sets = try (0..<4).map { try blocks(250, seed: 100 + UInt64($0) / 2) }
        let failures = Failures()
        DispatchQueue.concurrentPerform(iterations: 6) { worker in
            do {
                if worker == 4 {
                    for _ in 0..<5 {
                        _ = try store.collect(grace: 3_600_000, mark: {});
                        _ = try store.compact(maximumUnusedShare: 0)
                    }
                } else if worker == 5 {
                    for _ in 0..<20 { try store.commit() }
                } else {
                    for block in sets[worker] {
                        try store.put(block)
                        if try store.block(block.cid) != block { failures.add("lost \(block.cid)") }
                    }
                }
            } catch {
                failures.add("\(error)")
            }
        }
        #expect(failures.all.isEmpty, "\(failures.all)")
        for set in sets { try expectAll(set, in: store) }
        try store.close()
        let again = try open()
        for set in sets { try expectAll(set, in: again) }
        #expect(try again.scrub().findings.isEmpty)
        try again.close()
    }

    private func copyData(to name: String) throws {
        try FileManager.default.copyItem(atPath: directory.path("data"), toPath: directory.path(name))
    }
}

/// Failures that threads report.
final class Failures: @unchecked Sendable {
    // Proof of Sendable: every access is under the lock.
    private let lock = NSLock()
    private var messages: [String] = []
    func add(_ message: String) { lock.withLock { messages.append(message) } }
    var all: [String] { lock.withLock { messages } }
}
