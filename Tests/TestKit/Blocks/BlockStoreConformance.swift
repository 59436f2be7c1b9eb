public import BlockStorage
import Digests
import Dispatch
public import IPLD
import Multiformats
import Synchronization
import Testing

/// What every `BlockStore` must do, whatever it is made of.
///
/// One test of each implementation calls it, wrapped and faulty ones included:
/// `try checkBlockStoreConformance { try MemoryBlockStore() }`.
///
/// - Parameters:
///   - seed: of the random blocks.
///   - makeStore: an empty store, a new one at each call.
///   - reopen: closes the store and opens what it left again; `nil` for stores that keep nothing.
public func checkBlockStoreConformance(
    seed: UInt64 = 1, makeStore: @escaping () throws -> any BlockStore,
    reopen: ((any BlockStore) throws -> any BlockStore)? = nil
) throws {
    let checks = BlockStoreChecks(seed: seed, makeStore: makeStore, reopen: reopen)
    try checks.blocksComeBack()
    try checks.aBlockIsStoredOnce()
    try checks.absenceIsNoError()
    try checks.identityIsAnsweredInline()
    try checks.everyHashFunctionServes()
    try checks.sizeHasALimit()
    try checks.manyThreadsPutAtOnce()
    try checks.agreesWithADictionary()
}

private struct BlockStoreChecks {
    let seed: UInt64
    let makeStore: () throws -> any BlockStore
    let reopen: ((any BlockStore) throws -> any BlockStore)?

    /// The store itself, and where that can be, the store after reopening.
    private func afterCommit(_ store: any BlockStore, _ check: (any BlockStore) throws -> Void) throws {
        try check(store)
        try store.commit()
        try check(store)
        if let reopen { try check(try reopen(store)) }
    }

    func blocksComeBack() throws {
        var random = SeededRandom(seed: seed)
        let sizes = interestingSizes + [3 * 1024 * 1024, Block.defaultMaximumBytes]
        let blocks = sizes.map { random.block(bytes: $0, codec: random.pick([.raw, .dagPB, .dagCBOR])) }
        let store = try makeStore()
        let summary = try put(blocks, in: store)
        #expect(summary.newBlocks == blocks.count)
        #expect(summary.newBytes == blocks.reduce(0) { $0 + Int64($1.bytes.count) })
        #expect(summary.knownBlocks == 0)
        let order = random.shuffled(blocks + blocks.prefix(3))
        try afterCommit(store) { store throws in
            for block in blocks {
                expectSame([try store.block(block.cid)], [block])
                #expect(try store.size(of: block.cid) == block.bytes.count)
                #expect(try store.has(block.cid))
            }
            expectSame(try store.blocks(order.map(\.cid)), order)
        }
    }

    func aBlockIsStoredOnce() throws {
        var random = SeededRandom(seed: seed)
        let block = random.block(bytes: 1000)
        let other = random.block(bytes: 500)
        let store = try makeStore()
        #expect(try put([block, other, block], in: store).newBlocks == 2, "a block twice in a batch is one")
        let again = try put([other, block], in: store)
        #expect(
            again.newBlocks == 0 && again.newBytes == 0 && again.knownBlocks == 2 && again.knownBytes == 1500)
        let old = try CID(version0: block.cid.multihash)
        let renamed = CID(codec: .dagCBOR, multihash: block.cid.multihash)
        #expect(try put([Block(cid: renamed, bytes: block.bytes)], in: store).newBlocks == 0)
        try afterCommit(store) { store throws in
            // Any codec finds the block, and it comes under the CID that was asked for.
            expectSame(
                try store.blocks([renamed, old]), [renamed, old].map { Block(cid: $0, bytes: block.bytes) })
            expectSame([try store.block(block.cid)], [block])
            #expect(try put([block], in: store).newBlocks == 0)
        }
    }

    func absenceIsNoError() throws {
        var random = SeededRandom(seed: seed)
        let block = random.block(bytes: 100)
        let absent = random.block(bytes: 100)
        let store = try makeStore()
        #expect(try store.put([], scope: .public) == PutSummary())
        #expect(try store.blocks([]) == [])
        #expect(try store.block(block.cid) == nil)
        try store.commit()
        _ = try put([block], in: store)
        try afterCommit(store) { store throws in
            #expect(try store.block(absent.cid) == nil)
            #expect(try store.size(of: absent.cid) == nil)
            #expect(try !store.has(absent.cid))
            expectSame(try store.blocks([absent.cid, block.cid, absent.cid]), [nil, block, nil])
        }
    }

    func identityIsAnsweredInline() throws {
        let store = try makeStore()
        for bytes in [[], [1, 2, 3], [UInt8](repeating: 7, count: Multihash.maximumIdentityBytes)]
            as [[UInt8]]
        {
            let block = Block(content: bytes, with: .identity)
            expectSame([try store.block(block.cid)], [block])
            #expect(try store.size(of: block.cid) == bytes.count)
            let summary = try put([block], in: store)
            #expect(summary.newBlocks == 0 && summary.newBytes == 0, "an identity block is not stored")
        }
    }

    func everyHashFunctionServes() throws {
        var random = SeededRandom(seed: seed)
        let blocks = MultihashCode.verifiable.map { random.block(bytes: 200, with: $0) }
        let store = try makeStore()
        #expect(try put(blocks, in: store).newBlocks == blocks.count)
        try afterCommit(store) { store throws in
            expectSame(try store.blocks(blocks.map(\.cid)), blocks)
        }
    }

    func sizeHasALimit() throws {
        var random = SeededRandom(seed: seed)
        let largest = random.block(bytes: Block.hardMaximumBytes)
        let tooLarge = random.block(bytes: Block.hardMaximumBytes + 1)
        let small = random.block(bytes: 10)
        let store = try makeStore()
        #expect(throws: (any Error).self, "a block beyond the limit is refused") {
            _ = try put([small, tooLarge], in: store)
        }
        #expect(try !store.has(tooLarge.cid))
        #expect(try put([largest], in: store).newBlocks == 1)
        _ = try put([small], in: store)
        try afterCommit(store) { store throws in
            expectSame(try store.blocks([largest.cid, small.cid]), [largest, small])
        }
    }

    func manyThreadsPutAtOnce() throws {
        var random = SeededRandom(seed: seed)
        let blocks = (0..<200).map { _ in random.block(bytes: random.number(0...2000)) }
        let orders = (0..<6).map { _ in random.shuffled(blocks) }
        let store = try makeStore()
        let new = Mutex(0)
        let errors = Mutex<[String]>([])
        let count = blocks.count
        DispatchQueue.concurrentPerform(iterations: orders.count) { thread in
            do {
                for start in stride(from: 0, to: count, by: 20) {
                    let batch = Array(orders[thread][start..<(start + 20)])
                    let summary = try put(batch, in: store)
                    new.withLock { $0 += summary.newBlocks }
                    if try store.blocks(batch.map(\.cid)) != batch {
                        errors.withLock { $0.append("unreadable") }
                    }
                    if start % 60 == 0 { try store.commit() }
                }
            } catch {
                errors.withLock { $0.append("\(error)") }
            }
        }
        #expect(errors.withLock { $0 } == [])
        // Two threads that bring the same block at the same moment may both write it; one of them counts.
        #expect(
            new.withLock { $0 } == Set(blocks.map(\.cid)).count, "each block is new to one of the threads")
        try afterCommit(store) { store throws in
            expectSame(try store.blocks(blocks.map(\.cid)), blocks)
        }
    }

    func agreesWithADictionary() throws {
        var random = SeededRandom(seed: seed)
        var store = try makeStore()
        var model: [CID: Block] = [:]
        var known = (0..<40).map { _ in random.block(bytes: random.number(0...300)) }
        for _ in 0..<scaled(300, full: 3000) {
            switch random.number(0..<10) {
            case 0..<5:
                if random.oneIn(3) { known.append(random.block(bytes: random.pick(interestingSmallSizes))) }
                let batch = (0..<random.number(0...5)).map { _ in random.pick(known) }
                let fresh = Set(batch.map(\.cid)).subtracting(model.keys)
                #expect(try put(batch, in: store).newBlocks == fresh.count)
                for block in batch { model[block.cid] = block }
            case 5..<9:
                let asked = (0..<random.number(0...5)).map { _ in random.pick(known).cid }
                expectSame(try store.blocks(asked), asked.map { model[$0] })
            default:
                try store.commit()
                if let reopen { store = try reopen(store) }
            }
        }
        #expect(try known.map { try store.size(of: $0.cid) } == known.map { model[$0.cid]?.bytes.count })
    }
}

/// Compares blocks; says of each that differs how, without its bytes.
private func expectSame(
    _ actual: [Block?], _ expected: [Block?], sourceLocation: SourceLocation = #_sourceLocation
) {
    if actual == expected { return }
    guard actual.count == expected.count else {
        Issue.record(
            "\(actual.count) blocks came, \(expected.count) were asked for", sourceLocation: sourceLocation)
        return
    }
    // The first that differs is enough to start looking.
    for (actual, expected) in zip(actual, expected).filter({ $0 != $1 }).prefix(1) {
        func size(_ block: Block?) -> String { block.map { "\($0.cid), \($0.bytes.count) bytes" } ?? "none" }
        Issue.record("expected \(size(expected)), got \(size(actual))", sourceLocation: sourceLocation)
    }
}

private func put(_ blocks: [Block], in store: any BlockStore) throws -> PutSummary {
    try withViews(of: blocks) { try store.put($0, scope: .defaultProject) }
}

/// Gives views of blocks to `body`, for the time of the call.
public func withViews<R>(of blocks: [Block], _ body: ([BlockView]) throws -> R) rethrows -> R {
    // The views of an array element end with the closure that lent them, so the bytes move to one buffer.
    var all: [UInt8] = []
    all.reserveCapacity(blocks.reduce(0) { $0 + $1.bytes.count })
    for block in blocks { all += block.bytes }
    return try all.withUnsafeBytes { buffer in
        var views: [BlockView] = []
        var offset = 0
        for block in blocks {
            let end = offset + block.bytes.count
            views.append(
                BlockView(cid: block.cid, bytes: UnsafeRawBufferPointer(rebasing: buffer[offset..<end])))
            offset = end
        }
        return try body(views)
    }
}
