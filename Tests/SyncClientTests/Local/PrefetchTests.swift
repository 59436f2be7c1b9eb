import Digests
import IPLD
import Multiformats
import SyncProtocol
import Synchronization
import Testing
import TreeValues

@testable import SyncClient

/// What other devices send is read ahead, on a real disk.
@Suite struct PrefetchTests {
    /// A file as it is being sent: what a node would say of it.
    private struct SentFile: Sendable {
        let leaves: [Leaf]
        let blocks: [CID: [UInt8]]
        let root: CID
        let node: NodeID

        init(_ content: [UInt8], leafBytes: Int, node: UInt128) throws {
            var leaves: [Leaf] = []
            var blocks: [CID: [UInt8]] = [:]
            for start in stride(from: 0, to: content.count, by: leafBytes) {
                let bytes = Array(content[start..<min(start + leafBytes, content.count)])
                let cid = CID(codec: .raw, multihash: bytes.withUnsafeBytes { Multihash.sha256(of: $0) })
                leaves.append(Leaf(cid: cid, bytes: bytes.count))
                blocks[cid] = bytes
            }
            (self.leaves, self.blocks) = (leaves, blocks)
            root = try LeafLists.root(of: leaves)
            self.node = NodeID(bits: node)
        }

        func shown(_ arrived: Range<Int>? = nil) -> InflightFile {
            var bits = [UInt8](repeating: 0, count: (leaves.count + 7) / 8)
            for index in arrived ?? 0..<leaves.count { bits[index / 8] |= 1 << (index % 8) }
            return InflightFile(
                node: node, parent: NodeID(bits: 1), name: "f", device: "other",
                size: leaves.reduce(0) { $0 + Int64($1.bytes) }, root: root, leaves: leaves.count,
                arrived: bits, seconds: 600)
        }
    }

    /// A node that shows what a test says.
    private final class Source: PrefetchSource {
        struct State {
            var shown: [InflightFile] = []
            var files: [CID: SentFile] = [:]
            var asked: [CID] = []
            var calls = 0
            /// Of each call: how many were asked for.
            var sizes: [Int] = []
            /// Milliseconds, and how many a call takes.
            var now: Int64 = 0
            var duration: Int64 = 0
            var isDamaged = false
        }

        let state = Mutex(State())

        func show(_ file: SentFile, _ arrived: Range<Int>? = nil) {
            state.withLock { state in
                state.files[file.root] = file
                state.shown.removeAll { $0.root == file.root }
                state.shown.append(file.shown(arrived))
            }
        }

        func inflight(after cursor: SyncCursor) -> [InflightFile] { state.withLock { $0.shown } }

        func leaves(of root: CID, base: CID?) throws(SyncServerError) -> LeafEdit {
            guard let file = state.withLock({ $0.files[root] }) else {
                throw .refused(code: .unknownBlock, message: "", retryAfterSeconds: nil)
            }
            return LeafEdit(from: [], root: nil, to: file.leaves)
        }

        func retrieve(_ cids: [CID]) -> RetrievedBlocks {
            state.withLock { state in
                state.asked += cids
                state.calls += 1
                state.sizes.append(cids.count)
                state.now += state.duration
                let blocks = cids.compactMap { cid in
                    state.files.values.lazy.compactMap { $0.blocks[cid] }.first.map { bytes in
                        Block(cid: cid, bytes: state.isDamaged ? bytes.reversed() : bytes)
                    }
                }
                return RetrievedBlocks(blocks, answered: cids.count)
            }
        }
    }

    private struct NoContent: ContentReading {
        func leaves(of root: CID, at path: String) -> [Leaf]? { nil }
        func cachedLeaves(of root: CID) -> [Leaf]? { nil }
        func remember(_ leaves: [Leaf], of root: CID) {}
    }

    private struct Having: LocalBlockSource {
        var cids: Set<CID> = []
        func find(_ cid: CID) -> LocalBlock? {
            cids.contains(cid) ? LocalBlock(path: "x", offset: 0, bytes: 1) : nil
        }
    }

    private let scratch: ScratchFolder
    private let disk: DiskFolder
    private let source = Source()
    private let cursor = SyncCursor(epoch: 1, jid: 1, text: "1")

    init() throws {
        scratch = try ScratchFolder()
        try scratch.makeDirectory(".nacre")
        disk = try DiskFolder(scratch.path)
    }

    private func prefetcher(
        _ cache: PrefetchCache, having: Set<CID> = [], batch: Int = 64 * 1024,
        clock: @escaping @Sendable () -> Int64 = { 0 }, isTaken: Bool = true
    ) -> Prefetcher {
        let environment = SyncEnvironment(
            wallClock: { 0 }, steadyClock: clock,
            random: { UInt64.random(in: 0 ... .max) },
            parallelForEach: { count, body in for index in 0..<count { body(index) } })
        return Prefetcher(
            source, into: cache, disk: disk, content: NoContent(), blocks: Having(cids: having),
            environment: environment, maximumBytes: batch
        ) { _ in isTaken ? Prefetcher.Known(base: nil) : nil }
    }

    /// - Returns: whether it came to its end.
    @discardableResult
    private func readAll(_ prefetcher: Prefetcher) throws -> Bool {
        var prefetcher = prefetcher
        return try prefetcher.read(after: cursor) { true }
    }

    private func files() throws -> [String] {
        try disk.list(PrefetchCache.directory).compactMap(\.name)
    }

    private func bytes(_ seed: UInt64, _ count: Int) -> [UInt8] {
        var random = LocalRandom(seed: seed)
        return random.bytes(count)
    }

    /// A text is very many leaves, and a disk image few large ones.
    @Test(arguments: [1000, 300_000]) func whatArrivedIsReadOnceAndGivenBack(leafBytes: Int) throws {
        let file = try SentFile(bytes(1, 3_000_000), leafBytes: leafBytes, node: 5)
        let cache = PrefetchCache(disk: disk, budget: 1 << 30)
        let prefetcher = prefetcher(cache)
        let half = file.leaves.count / 2
        source.show(file, 0..<half)
        #expect(try readAll(prefetcher))
        #expect(source.state.withLock { $0.asked } == file.leaves[..<half].map(\.cid))
        source.show(file)
        #expect(try readAll(prefetcher))
        #expect(source.state.withLock { $0.asked } == file.leaves.map(\.cid), "each once")
        #expect(cache.counters == .init(blocks: file.leaves.count, bytes: 3_000_000, bytesUsed: 0))
        #expect(cache.contents(of: file.leaves) == file.blocks)
        #expect(cache.counters.bytesUsed == 3_000_000)
        cache.finish(file.leaves)
        #expect(try files().isEmpty && cache.bytes == 0 && cache.contents(of: file.leaves).isEmpty)
    }

    @Test func whatIsInTheFolderOrTwiceInTheFileIsNotRead() throws {
        let zeros = [UInt8](repeating: 0, count: 100_000)
        let file = try SentFile(bytes(2, 400_000) + zeros + zeros + zeros, leafBytes: 100_000, node: 5)
        let cache = PrefetchCache(disk: disk, budget: 1 << 30)
        source.show(file)
        try readAll(prefetcher(cache, having: [file.leaves[1].cid]))
        #expect(cache.bytes == 400_000 && source.state.withLock { $0.asked.count } == 4)
        #expect(cache.contents(of: file.leaves).count == 4)
    }

    @Test func nothingIsAskedForWhileTheFolderHasOtherWork() throws {
        let file = try SentFile(bytes(3, 1_000_000), leafBytes: 50_000, node: 5)
        let cache = PrefetchCache(disk: disk, budget: 1 << 30)
        source.show(file)
        var turns = 4
        var prefetcher = prefetcher(cache)
        let isDone = try prefetcher.read(after: cursor) {
            turns -= 1
            return turns > 0
        }
        #expect(!isDone)
        #expect(source.state.withLock { $0.calls } == 1, "64 KiB of it")
        #expect(try readAll(self.prefetcher(cache, isTaken: false)))
        #expect(source.state.withLock { $0.calls } == 1, "ignored here")
    }

    /// The folder's own calls share the line with one of these at most.
    @Test func itAsksForAsMuchAsComesInAMoment() throws {
        let file = try SentFile(bytes(10, 4_096_000), leafBytes: 32_000, node: 5)
        let cache = PrefetchCache(disk: disk, budget: 1 << 30)
        source.show(file, 0..<64)
        let source = source
        let clock = { @Sendable in source.state.withLock { $0.now } }
        var prefetcher = prefetcher(cache, batch: 1 << 20, clock: clock)
        var isDone = try prefetcher.read(after: cursor) { true }
        #expect(isDone)
        #expect(source.state.withLock { $0.sizes } == [16, 32, 16], "512 KiB, then a MiB at most")
        source.state.withLock { ($0.duration, $0.sizes) = (3000, []) }
        source.show(file)
        isDone = try prefetcher.read(after: cursor) { true }
        #expect(isDone)
        #expect(source.state.withLock { $0.sizes.prefix(6) } == [32, 16, 8, 4, 2, 2])
    }

    @Test func damagedBlocksAreNotKeptNorGivenBack() throws {
        let file = try SentFile(bytes(4, 300_000), leafBytes: 100_000, node: 5)
        let cache = PrefetchCache(disk: disk, budget: 1 << 30)
        source.show(file)
        source.state.withLock { $0.isDamaged = true }
        #expect(try readAll(prefetcher(cache)))
        #expect(cache.bytes == 0)
        source.state.withLock { $0.isDamaged = false }
        #expect(try readAll(prefetcher(cache)))
        let path = PrefetchCache.directory + "/" + (try #require(try files().first))
        try [UInt8(1), 2, 3].withUnsafeBytes { try disk.write($0, to: path, at: 150_000) }
        #expect(Set(cache.contents(of: file.leaves).keys) == [file.leaves[0].cid, file.leaves[2].cid])
        try scratch.remove(path)
        #expect(cache.contents(of: file.leaves).isEmpty)
    }

    @Test func theBudgetIsKeptAndTheOldestMakesRoom() throws {
        let (one, two) = (
            try SentFile(bytes(5, 500_000), leafBytes: 50_000, node: 5),
            try SentFile(bytes(6, 900_000), leafBytes: 50_000, node: 6)
        )
        let cache = PrefetchCache(disk: disk, budget: 600_000)
        source.show(one)
        try readAll(prefetcher(cache))
        #expect(cache.bytes == 500_000)
        source.state.withLock { $0.shown = [] }
        source.show(two)
        try readAll(prefetcher(cache))
        #expect(cache.bytes == 600_000 && cache.contents(of: one.leaves).isEmpty)
        #expect(cache.contents(of: two.leaves).count == 12, "the beginning")
        #expect(try files().count == 1)
    }

    @Test func whatIsNotShownAnyMoreGoesAfterAWhile() throws {
        let file = try SentFile(bytes(7, 100_000), leafBytes: 50_000, node: 5)
        let cache = PrefetchCache(disk: disk, budget: 1 << 30)
        source.show(file)
        try readAll(prefetcher(cache))
        #expect(cache.expire(at: 600_000) == 610_000 && cache.bytes == 100_000)
        cache.show([], at: 1000)
        #expect(cache.expire(at: 10_999) == 11_000)
        #expect(cache.expire(at: 11_000) == nil)
        #expect(try cache.bytes == 0 && files().isEmpty)
    }

    @Test func whatAnEarlierRunLeftIsRemoved() throws {
        try scratch.write("left", ".nacre/prefetch/0123")
        _ = PrefetchCache(disk: disk, budget: 0)
        #expect(try files().isEmpty)
    }

    /// Whoever made the list may say anything.
    @Test func aListThatIsNotThatOfTheRootIsNotBelieved() throws {
        let file = try SentFile(bytes(8, 100_000), leafBytes: 50_000, node: 5)
        let other = try SentFile(bytes(9, 100_000), leafBytes: 50_000, node: 5)
        let cache = PrefetchCache(disk: disk, budget: 1 << 30)
        source.show(file)
        source.state.withLock { $0.files[file.root] = other }
        #expect(try readAll(prefetcher(cache)))
        #expect(cache.bytes == 0 && source.state.withLock { $0.asked.isEmpty })
    }
}
