import BlockStorage
import IPLD
import Multiformats
import Synchronization
import TestKit
import Testing

/// Random puts, reads, collections, compactions, stops and kills, compared with a dictionary.
@Suite struct ModelTests {
    @Test(arguments: SeededRandom.seeds(scaled(4, full: 10)))
    func storeAndDictionaryAgree(seed: UInt64) throws {
        var model = try StoreModel(seed: seed)
        for _ in 0..<scaled(800, full: 10_000) { try model.step() }
        try model.reopen()
        try model.compareAll()
        try StoreLaboratory.expectSound(model.store)
        try model.store.close()
    }
}

private struct StoreModel {
    private let disk = MemoryFileSystem()
    private let index = MemoryBlockIndex()
    private let clock = Clock()
    private var random: SeededRandom
    private(set) var store: PackBlockStore
    /// What the store must hold, and what it may hold since no commit followed.
    private var held: [CID: Block] = [:]
    private var uncommitted: [CID: Block] = [:]
    private var known: [Block] = []

    init(seed: UInt64) throws {
        random = SeededRandom(seed: seed)
        store = try Self.open(disk, index, clock)
    }

    private static func open(
        _ disk: MemoryFileSystem, _ index: MemoryBlockIndex, _ clock: Clock
    ) throws -> PackBlockStore {
        var options = PackBlockStore.Options()
        options.packTargetBytes = 32 * 1024
        options.maximumPendingBlocks = 50
        options.now = { clock.milliseconds }
        return try PackBlockStore(directory: "/data", options: options, files: disk, index: index)
    }

    mutating func step() throws {
        clock.advance(by: UInt64(random.number(0...5)))
        switch random.number(0..<100) {
        case 0..<50: try put()
        case 50..<85: try read()
        case 85..<92: try commit()
        case 92..<95: try collect()
        case 95..<97: _ = try store.compact(maximumUnusedShare: random.pick([0, 0.05, 0.5]))
        case 97..<99: try reopen()
        default: try kill()
        }
    }

    private mutating func put() throws {
        var batch: [Block] = []
        for _ in 0..<random.number(0...6) {
            if known.isEmpty || random.oneIn(2) {
                known.append(random.block(bytes: random.pick([0, 1, 100, 1000, 5000])))
                batch.append(known[known.count - 1])
            } else {
                batch.append(random.pick(known))
            }
        }
        let fresh = Set(batch.map(\.cid)).filter { held[$0] == nil && uncommitted[$0] == nil }
        let summary = try withViews(of: batch) { try store.put($0, scope: .public) }
        #expect(summary.newBlocks == fresh.count)
        for block in batch where held[block.cid] == nil { uncommitted[block.cid] = block }
    }

    private mutating func read() throws {
        let asked = (0..<random.number(1...8)).compactMap { _ in known.isEmpty ? nil : random.pick(known).cid
        }
        let same = try store.blocks(asked) == asked.map { held[$0] ?? uncommitted[$0] }
        #expect(same)
    }

    private mutating func commit() throws {
        try store.commit()
        held.merge(uncommitted) { $1 }
        uncommitted = [:]
    }

    /// Keeps a random part; everything else is older than the moment at which the collection begins.
    private mutating func collect() throws {
        clock.advance(by: 10)
        let share = random.number(1...4)
        try commit()
        let kept = held.filter { _ in random.number(0...share) > 0 }
        let report = try store.collect(
            grace: 0, mark: { for cid in kept.keys { _ = try store.mark(cid.multihash) } })
        #expect(report.blocks == held.count - kept.count)
        #expect(report.keptBlocks == kept.count)
        held = kept
        if known.count > 300 {
            known = Array(kept.values.sorted { $0.cid.bytes.lexicographicallyPrecedes($1.cid.bytes) })
        }
    }

    mutating func reopen() throws {
        try store.close()
        held.merge(uncommitted) { $1 }
        uncommitted = [:]
        store = try Self.open(disk, index, clock)
        #expect(store.openingNotes == [])
        #expect(store.statistics().blocks == Int64(held.count))
    }

    /// The process ends without a word; what the system has of its writes is still there.
    private mutating func kill() throws {
        store = try Self.open(disk, index, clock)
        #expect(store.openingNotes == [])
        for block in uncommitted.values {
            guard let found = try store.block(block.cid) else { continue }
            #expect(found == block)
            held[block.cid] = block
        }
        uncommitted = [:]
        #expect(store.statistics().blocks == Int64(held.count))
    }

    func compareAll() throws {
        for block in known {
            let found = try store.block(block.cid)
            #expect(found?.bytes == (held[block.cid] ?? uncommitted[block.cid])?.bytes)
        }
    }
}

/// A clock that is moved by hand.
private final class Clock: Sendable {
    private let now = Mutex<UInt64>(1_000_000)
    var milliseconds: UInt64 { now.withLock { $0 } }
    func advance(by milliseconds: UInt64) { now.withLock { $0 += milliseconds } }
}
