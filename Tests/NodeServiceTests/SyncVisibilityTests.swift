import Access
import BlockStorage
import Catalog
import IPLD
import Multiformats
import Namespaces
import NodeCore
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// Who may read what a namespace holds, and how long it is kept.
@Suite struct SyncVisibilityTests {
    let laboratory: SyncLaboratory
    let device: SyncDevice
    let content: CutContent

    init() throws {
        laboratory = try SyncLaboratory()
        device = try .create(laboratory.owner, visibility: "public")
        content = try CutContent(SeededRandom.bytes(seed: 1, count: 5000), leafBytes: 1000)
    }

    private var node: StorageNode { laboratory.node }
    private var namespace: Namespace { get throws { try node.namespaces.namespace(device.namespace) } }

    private func isPublic(_ cid: CID) throws -> Bool {
        try node.store.scopeMarks(of: cid.multihash)?.contains(.public) == true
    }

    /// Every block that the namespace reaches as of the newest state.
    private func reached() throws -> [CID] {
        let snapshot = try node.snapshot(of: namespace)
        return [snapshot.root, content.root] + content.leaves.map(\.cid)
    }

    @Test func whatComesIntoAPublicNamespaceIsPublicAtOnce() throws {
        let small = try device.put("small", "salt")
        try device.put("large", content)
        #expect(try isPublic(#require(small.content)))
        for cid in try reached() { #expect(try isPublic(cid), "\(cid)") }
        // An edit and a state between are as public.
        let edited = try device.edit(small, "pepper")
        #expect(try isPublic(#require(edited.content)))
        #expect(try isPublic(node.snapshot(of: namespace, asOf: 1).root))
    }

    @Test func whatWasStoredForNoFileIsNotPublic() throws {
        #expect(
            try device.service.store(content.blocks([content.leaves[0].cid]), for: device.namespace).isEmpty)
        #expect(try !isPublic(content.leaves[0].cid), "nothing says that it is to be read")
        try device.put("f", content)
        #expect(try isPublic(content.leaves[0].cid))
    }

    @Test func whatWasPublicIsNotAfterwardsUnlessSomethingElseKeepsItSo() throws {
        let small = try device.put("small", "salt")
        let old = try #require(small.content)
        try device.edit(small, "pepper")
        try device.put("large", content)
        let kept = try device.put("kept", "this is pinned as well")
        let keptRoot = try #require(kept.content)
        try node.pin(keptRoot, name: "kept", visibility: .public)
        let all = try reached()
        _ = try node.setVisibility(.private, of: namespace)
        for cid in all + [old] { #expect(try !isPublic(cid), "\(cid)") }
        #expect(try isPublic(keptRoot))
        // What comes from here on is for the project alone.
        let later = try device.put("later", "mine")
        #expect(try !isPublic(#require(later.content)))
        #expect(try !isPublic(node.snapshot(of: namespace).root))

        _ = try node.setVisibility(.public, of: namespace)
        for cid in try reached() + [old, keptRoot] {
            #expect(try isPublic(cid), "all of its history: \(cid)")
        }
        #expect(try isPublic(#require(later.content)))
        #expect(try namespace.visibility == .public)
    }

    /// What was marked by the visibility of before, and got into the journal after it was changed, kept its
    /// marks: nobody could read it, or everybody could.
    @Test(arguments: [NamespaceVisibility.public, .private])
    func aCommitUnderWayFollowsTheVisibilityOfItsTransaction(_ next: NamespaceVisibility) throws {
        let before: NamespaceVisibility = next == .public ? .private : .public
        if before == .private { _ = try node.setVisibility(.private, of: namespace) }
        let known = try namespace
        let blocks = try NamespaceBlocks(node, of: known)
        let block = CutContent.block(Array("under way".utf8))
        try blocks.put(block, scope: [])
        try blocks.commit()
        _ = try node.setVisibility(next, of: known)
        #expect(try isPublic(block.cid) == (before == .public), "marked as it was when it came")
        let put = TreeChange.Put(
            .file(block.cid, bytes: Int64(block.bytes.count)),
            place: TreeChange.Place(parent: known.root, name: "f"))
        let done = try node.namespaces.commit(
            [TreeOperation(.put(put))], to: known.id, author: ChangeAuthor())
        #expect(done.visibility == next && done.contents == [block.cid])
        try node.follow(done.contents, from: known.visibility, to: done.visibility)
        #expect(try isPublic(block.cid) == (next == .public))
    }

    @Test(arguments: [NamespaceVisibility.public, .private])
    func commitsAtTheMomentOfAChangeEndAsTheNamespaceIs(_ next: NamespaceVisibility) async throws {
        let (node, device) = (node, device)
        for round in 0..<24 {
            _ = try node.setVisibility(next == .public ? .private : .public, of: namespace)
            let operations = try (0..<100).map { number in
                let file = try device.file("f\(round)-\(number)")
                let content = PutContent.inline(Array("text \(round) \(number)".utf8))
                return SyncOperation(id: device.id(), .put(file, base: nil, content))
            }
            let writing = Task.detached { try device.commit(operations).results }
            // A little later each time, over about as long as a commit takes.
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .milliseconds(3 * round) { await Task.yield() }
            _ = try node.setVisibility(next, of: namespace)
            for case .done(let file) in try await writing.value {
                let cid = try #require(file.content)
                #expect(try isPublic(cid) == (next == .public), "round \(round)")
            }
        }
    }

    @Test func aPublicPinOfAnotherProjectIsAdoptedWithoutBeingSent() throws {
        let project = try laboratory.project("others")
        let others = try laboratory.service([.admin], in: project)
        let mine = try SyncDevice.create(others, "mine")
        // The default project has it for everybody to read.
        try device.put("f", content)
        let cids = content.leaves.map(\.cid)
        #expect(try others.missing(cids, of: mine.namespace).isEmpty)
        let done = try mine.must(
            .put(content.node(try mine.file("f")), base: nil, .leaves(content.edit)))
        #expect(done.content == content.root)
        // It stays theirs when it is not public any more, and when nobody else has it.
        _ = try node.setVisibility(.private, of: namespace)
        #expect(try others.retrieve(cids + [content.root], of: mine.namespace).blocks.count == 6)
        _ = try laboratory.collect()
        #expect(try others.retrieve(cids + [content.root], of: mine.namespace).blocks.count == 6)
        #expect(try !isPublic(content.root))
    }

    @Test func whatNobodyCommittedIsCollectedAndAskedForAgain() throws {
        let change = SyncOperation.Change.put(
            content.node(try device.file("f")), base: nil, .leaves(content.edit))
        let operation = SyncOperation(id: device.id(), change)
        let cids = content.leaves.map(\.cid)
        #expect(try device.service.store(content.blocks(cids), for: device.namespace).isEmpty)
        let report = try laboratory.collect()
        #expect(report.blocks == 5)
        #expect(try device.service.missing(cids, of: device.namespace) == cids)
        #expect(try device.commit([operation]).results == [.need(cids)])
        #expect(try device.service.store(content.blocks(cids), for: device.namespace).isEmpty)
        guard case .done? = try device.commit([operation]).results.first else {
            Issue.record("all of it came")
            return
        }
    }

    @Test func headsAndHistoryAreKeptByTheCollector() throws {
        let first = try device.put("f", content)
        let next = try CutContent(SeededRandom.bytes(seed: 2, count: 3000), leafBytes: 1000)
        #expect(try device.service.store(next.blocks(next.leaves.map(\.cid)), for: device.namespace).isEmpty)
        let second = try device.must(
            .put(next.node(first), base: first.contentRevision, .leaves(next.edit)))
        let gone = try device.put("gone", "pepper")
        try device.must(.delete(gone.id, base: gone.revision, newestBelow: 0))
        let roots = try (1...4).map { try node.snapshot(of: namespace, asOf: $0).root }
        // Something to collect, so that it is seen that there was a collection.
        let loose = CutContent.block([1, 2, 3])
        #expect(try device.service.store([loose], for: device.namespace).isEmpty)
        #expect(try laboratory.collect().blocks == 1)
        #expect(try node.store.block(loose.cid) == nil)
        let cids =
            content.leaves.map(\.cid) + next.leaves.map(\.cid) + [content.root, next.root] + roots
            + [try #require(gone.content)]
        for cid in cids { #expect(try node.store.block(cid) != nil, "\(cid)") }
        #expect(second.content == next.root)
        // Put away, its content is kept.
        _ = try node.catalog.namespaces.change(namespace.id) { $0.deleted = 1 }
        #expect(try laboratory.collect().blocks == 0)
    }
}
