import BlockStorage
import Catalog
import Digests
import IPLD
import Multiformats
import Namespaces
import TestKit
import Testing
import TreeValues

@testable import NodeCore

/// Snapshots over the real store and its collector: what one names is there, whatever became of earlier ones.
@Suite struct NamespaceSnapshotTests {
    private let directory: TemporaryDirectory
    private let author = ChangeAuthor(user: "somebody", device: "laptop")

    init() throws { directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent) }

    /// Where the catalog of a test is: in the data directory, or at an address.
    static let catalogs: [String] = PostgreSQLServer.isAvailable ? ["sqlite", "postgresql"] : ["sqlite"]

    private func environment(_ catalog: String) throws -> [String: String] {
        guard catalog == "postgresql" else { return [:] }
        return ["NACRE_CATALOG_URL": try PostgreSQLServer.shared.get().urlOfNewSchema()]
    }

    private func open(_ environment: [String: String]) throws -> StorageNode {
        try StorageNode.open(directory.path("data"), environment: environment)
    }

    private func makeNamespace(in node: StorageNode, keeping seconds: Int64) throws {
        var policy = NamespacePolicy()
        (policy.history.all, policy.history.daily) = (seconds, 0)
        _ = try node.namespaces.create("recipes", project: .default, visibility: .public, policy: policy)
    }

    private func namespace(_ node: StorageNode) throws -> Namespace {
        try node.namespaces.namespace("recipes")
    }

    @discardableResult
    private func must(_ change: TreeChange, _ node: StorageNode) throws -> TreeNode {
        let result = try node.namespaces.commit(
            [TreeOperation(change)], to: namespace(node).id, author: author)
        guard case .done(let done, _) = result.outcomes[0] else {
            throw NamespaceError.notAtomic(index: 0, result.outcomes[0])
        }
        return done
    }

    private func makeDirectory(_ name: String, in parent: TreeNode? = nil, _ node: StorageNode) throws
        -> TreeNode
    {
        let place = try JournalEntry.Place(parent: parent?.id ?? namespace(node).root, name: name)
        return try must(.makeDirectory(at: place, node: nil, .init()), node)
    }

    @discardableResult
    private func put(
        _ name: String, _ text: String, in parent: TreeNode? = nil, _ node: StorageNode
    ) throws -> TreeNode {
        let bytes = Array(text.utf8)
        let cid = CID(codec: .raw, multihash: try Multihash(hashing: bytes, with: .sha2_256))
        try NamespaceBlocks(node, of: namespace(node)).put(Block(cid: cid, bytes: bytes))
        let place = try JournalEntry.Place(parent: parent?.id ?? namespace(node).root, name: name)
        return try must(.put(.init(.file(cid, bytes: Int64(bytes.count)), place: place)), node)
    }

    private func delete(_ id: NodeID, _ node: StorageNode) throws {
        let current = try #require(try node.namespaces.node(id, in: namespace(node)))
        try must(.delete(id, base: current.revision, newestBelow: .max), node)
    }

    /// Everything that the newest snapshot leads to, read through the blocks that everybody may read.
    private func read(_ node: StorageNode) throws -> [String: String] {
        let snapshot = try node.snapshot(of: namespace(node))
        let tree = try Tree(snapshot.root, from: NamespaceBlocks(node, of: namespace(node)))
        return tree.files.mapValues { String(decoding: $0, as: UTF8.self) }
    }

    private func collect(_ node: StorageNode) throws {
        // Ages are counted in whole milliseconds: what was put in this one is not older than none.
        let moment = ContinuousClock.now + .milliseconds(3)
        while ContinuousClock.now < moment {}
        try NodeLaboratory.collect(node)
    }

    /// The process ends before a snapshot of what was changed last is made; history is thinned out, and what
    /// nothing keeps is collected, before the next.
    @Test(arguments: catalogs) func whatDidNotChangeIsThereAfterTheSnapshotThatHadItIsGone(
        catalog: String
    ) throws {
        let environment = try environment(catalog)
        var node = try open(environment)
        try makeNamespace(in: node, keeping: 0)
        let soups = try makeDirectory("soups", node)
        try put("borscht", "beet", in: makeDirectory("red", in: soups, node), node)
        let cakes = try makeDirectory("cakes", node)
        try put("plain", "flour", in: cakes, node)
        _ = try read(node)
        try put("rich", "butter", in: cakes, node)
        try put("rich too", "cream", in: cakes, node)
        try node.close()
        node = try open(environment)
        #expect(try node.thinHistories().failures.isEmpty)
        try collect(node)
        #expect(
            try read(node) == [
                "soups/red/borscht": "beet", "cakes/plain": "flour", "cakes/rich": "butter",
                "cakes/rich too": "cream",
            ])
        try collect(node)
        try node.close()
    }

    /// A clock that is a month ahead for an hour took the trash and every version of a month with it.
    @Test(arguments: catalogs) func aClockThatWasSetRemovesNothingBeforeSomebodyCouldSetItBack(
        catalog: String
    ) throws {
        let node = try open(environment(catalog))
        try makeNamespace(in: node, keeping: 0)
        try put("plain", "flour", in: makeDirectory("cakes", node), node)
        try delete(try #require(try node.namespaces.node(at: "cakes/", in: namespace(node))).id, node)
        let day: Int64 = 24 * 3600 * 1000
        let now = node.namespaces.currentTime
        try node.catalog.settings.set("history.clock", to: "\(now - 31 * day)")
        for _ in 0..<2 {
            let report = try node.thinHistories()
            let end = try #require(report.waitsUntil)
            #expect(report.droppedEntries == 0 && (now + 3 * day..<now + 4 * day).contains(end))
            #expect(try node.namespaces.trash(of: namespace(node)).count == 1)
        }
        try node.catalog.settings.set("history.clock", to: "\(now - 31 * day) \(now - 3 * day)")
        let report = try node.thinHistories()
        #expect(report.waitsUntil == nil && report.droppedEntries == 1)
        #expect(try node.namespaces.trash(of: namespace(node)).isEmpty)
        try node.close()
    }

    @Test func aClockIsBelievedAsLongAsItGoesOn() throws {
        let hour: Int64 = 3600 * 1000
        var clock = SweepClock(at: 1_000_000 * hour)
        func take(_ hours: Int64) -> Int64? { clock.take(hours * hour).map { $0 / hour } }
        #expect(take(1_000_001) == nil && take(1_000_100) == nil && take(1_000_099) == nil)
        // A month ahead for two days, and right again.
        #expect(take(1_000_820) == 1_000_892 && take(1_000_868) == 1_000_892)
        #expect(take(1_000_148) == nil)
        #expect(take(1_000_868) == 1_000_940, "the second time it is as new as the first")
        #expect(SweepClock(clock.text) == clock)
        #expect(take(1_000_939) == 1_000_940 && take(1_000_940) == nil, "the node was off for a month")
        // A machine without a battery for its clock.
        #expect(take(0) == 72 && take(1_000_941) == nil)
        #expect(take(0) == 72 && take(72) == nil && clock == SweepClock(at: 72 * hour))
        for text in ["", "x", "1 x", "1 2 3", " 1"] { #expect(SweepClock(text) == nil, "\(text)") }
        var last = SweepClock(at: .min)
        #expect(last.take(.max) == .max)
    }

    /// What is known of a folder in the trash is from a snapshot that was removed as another one was emptied.
    @Test(arguments: catalogs) func aFolderThatComesBackHasAllOfItsDirectories(catalog: String) throws {
        let node = try open(environment(catalog))
        try makeNamespace(in: node, keeping: 3600)
        let soups = try makeDirectory("soups", node)
        try put("borscht", "beet", in: makeDirectory("red", in: soups, node), node)
        let cakes = try makeDirectory("cakes", node)
        try put("plain", "flour", in: cakes, node)
        _ = try read(node)
        try delete(soups.id, node)
        _ = try read(node)
        try delete(cakes.id, node)
        _ = try read(node)
        let item = try node.namespaces.trashItem(cakes.id.text, of: namespace(node))
        _ = try node.namespaces.empty([item], of: namespace(node).id, author: author)
        try collect(node)
        try must(.restore(soups.id, to: nil), node)
        #expect(try read(node) == ["soups/red/borscht": "beet"])
        try collect(node)
        try node.close()
    }

    @Test(arguments: catalogs) func aSnapshotThatCouldNotBeMadeIsTriedAgain(catalog: String) throws {
        let node = try open(environment(catalog))
        try makeNamespace(in: node, keeping: 3600)
        // A file of one byte, which is not there yet.
        let bytes: [UInt8] = [10, 7, 8, 2, 18, 1, 120, 24, 1]
        let multihash = try Multihash(hashing: bytes, with: .sha2_256)
        let content = Block(cid: CID(codec: .dagPB, multihash: multihash), bytes: bytes)
        let place = try JournalEntry.Place(parent: namespace(node).root, name: "late")
        try must(.put(.init(.file(content.cid, bytes: 1), place: place)), node)
        func made(after wait: Duration) throws -> (made: Int, failures: Int) {
            let report = node.makeSettledSnapshots(quiet: 0, atMost: 0, at: .now + wait)
            return (report.made.count, report.failures.count)
        }
        #expect(try made(after: .zero) == (0, 1))
        let id = try namespace(node).id
        #expect(node.namespaces.feed.unsettledMilliseconds(of: id) != nil)
        #expect(!node.namespaces.feed.isChanging(id))
        #expect(try made(after: .zero) == (0, 0), "not at once")
        #expect(try made(after: .seconds(6)) == (0, 1))
        #expect(try made(after: .seconds(6)) == (0, 0), "nor as soon as the first time")
        try NamespaceBlocks(node, of: namespace(node)).put(content)
        #expect(try made(after: .seconds(11)) == (1, 0))
        #expect(node.namespaces.feed.unsettledMilliseconds(of: id) == nil)
        #expect(try made(after: .seconds(1000)) == (0, 0))
        try node.close()
    }
}
