import BlockStorage
import Catalog
import Digests
import IPLD
import Multiformats
import Namespaces
import NodeCore
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues
import UnixFS

/// Changes that come over the protocol: content, bases, and what is refused.
@Suite struct SyncCommitTests {
    let laboratory: SyncLaboratory
    let device: SyncDevice

    init() throws {
        laboratory = try SyncLaboratory()
        device = try .create(laboratory.owner)
    }

    private func bytes(of node: SyncNode) throws -> [UInt8] {
        let cid = try #require(node.content)
        let root = try #require(try laboratory.node.store.block(cid))
        var cursor = try UnixFSFileReader(source: laboratory.node.store, root: root).cursor()
        var bytes: [UInt8] = []
        while let piece = try cursor.next() { bytes += piece }
        return bytes
    }

    @Test func aSmallFileComesAlongWithTheCommit() throws {
        let node = try device.put("a.md", "salt")
        #expect(node.revision == 1 && node.contentRevision == 1 && node.size == 4)
        #expect(node.content == CutContent.block(Array("salt".utf8)).cid)
        #expect(try bytes(of: node) == Array("salt".utf8))
        #expect(try device.info.head == 1)
    }

    @Test func anEmptyFileIsTheEmptyUnixFSFile() throws {
        let node = try device.put("empty", "")
        #expect(
            node.size == 0
                && node.content?.description == "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")
        #expect(try bytes(of: node).isEmpty)
        let content = try CutContent([])
        #expect(content.root == node.content)
        let second = try device.put("empty, by its leaves", content)
        #expect(second.content == node.content)
    }

    @Test func aFileOfSeveralLeavesIsNeededStoredAndThere() throws {
        let bytes = SeededRandom.bytes(seed: 1, count: 3_000_001)
        let content = try CutContent(bytes, leafBytes: 1 << 20)
        let operation = SyncOperation(
            id: device.id(), .put(content.node(try device.file("large")), base: nil, .leaves(content.edit)))
        let first = try device.commit([operation])
        #expect(first.results == [.need(content.leaves.map(\.cid))] && first.head == 0)
        #expect(
            try device.service.store(content.blocks(content.leaves.map(\.cid)), for: device.namespace) == [])
        let second = try device.commit([operation])
        guard case .done(let node)? = second.results.first else { throw SyncFailure.badRequest("\(second)") }
        #expect(node.content == content.root && node.size == 3_000_001 && second.head == 1)
        #expect(try self.bytes(of: node) == bytes)
        #expect(try device.commit([operation]) == second, "the same operation again is answered as before")

        // Whoever adds the same bytes gets the same root.
        let importer = Importer(store: laboratory.node.store, options: ImportOptions(threads: 1))
        var rest = bytes[...]
        let entry = try importer.add(streamNamed: Array("file".utf8)) { buffer in
            let count = min(buffer.count, rest.count)
            buffer.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
        #expect(entry.cid == content.root)
    }

    @Test func needNamesEachMissingBlockOnceAndNoOther() throws {
        let content = try CutContent(
            [UInt8](repeating: 7, count: 1000) + SeededRandom.bytes(seed: 2, count: 50), leafBytes: 50)
        let known = try #require(content.leaves.last)
        #expect(try device.service.store(content.blocks([known.cid]), for: device.namespace).isEmpty)
        let result = try device.commit(
            .put(content.node(try device.file("f")), base: nil, .leaves(content.edit)))
        #expect(result == .need([content.leaves[0].cid]))
    }

    @Test func anEditSaysWhichLeavesOfTheFileBeforeStay() throws {
        let old = SeededRandom.bytes(seed: 3, count: 100_000)
        let before = try CutContent(old, leafBytes: 1000)
        let node = try device.put("f", before)
        var new = old
        new[50_500] ^= 1
        let after = try CutContent(new, leafBytes: 1000)
        let edit = LeafEdit(from: before.leaves, root: before.root, to: after.leaves)
        #expect(edit.splices.count == 1)
        var next = after.node(node)
        next.modified = 5
        let change = SyncOperation.Change.put(next, base: node.contentRevision, .leaves(edit))
        #expect(try device.commit(change) == .need([after.leaves[50].cid]))
        // A leaf that comes along need not be asked for; one of other bytes is of no use.
        let other = SyncOperation.Change.put(
            next, base: node.contentRevision, .leaves(edit, blocks: [[1, 2, 3]]))
        #expect(try device.commit(other) == .need([after.leaves[50].cid]))
        let second = try device.put("g", before)
        let along = SyncOperation.Change.put(
            after.node(second), base: second.contentRevision,
            .leaves(edit, blocks: [Array(new[50_000..<51_000])]))
        #expect(try bytes(of: device.must(along)) == new)
        #expect(try device.service.store(after.blocks([after.leaves[50].cid]), for: device.namespace).isEmpty)
        let done = try device.must(change)
        #expect(done.content == after.root && done.contentRevision == 4 && done.modified == 5)
        #expect(try bytes(of: done) == new)

        // And back, as a client reads it.
        let read = try device.service.leaves(
            LeavesRequest(root: after.root, base: before.root), of: device.namespace)
        #expect(read == edit)
        let whole = try device.service.leaves(
            LeavesRequest(root: after.root, base: nil), of: device.namespace)
        #expect(try whole.apply(to: []) == after.leaves && whole.base == nil)
        let unknown = try CutContent([9, 9, 9])
        #expect(throws: SyncFailure.unknownBlock(unknown.root.description)) {
            try device.service.leaves(LeavesRequest(root: unknown.root, base: nil), of: device.namespace)
        }
        // A base that the node does not have is as good as none.
        #expect(
            try device.service.leaves(
                LeavesRequest(root: after.root, base: unknown.root), of: device.namespace) == whole)
    }

    @Test func whatTheLeavesDoNotMakeIsRefusedAndTheRestIsDone() throws {
        let content = try CutContent(SeededRandom.bytes(seed: 4, count: 5000), leafBytes: 1000)
        #expect(
            try device.service.store(content.blocks(content.leaves.map(\.cid)), for: device.namespace).isEmpty
        )
        var wrongRoot = content.node(try device.file("wrong root"))
        wrongRoot.content = CutContent.block([1]).cid
        var shorter = content.leaves
        shorter[1].bytes -= 1
        var foreign = content.leaves
        foreign[2] = Leaf(cid: CID(codec: .dagPB, multihash: foreign[2].cid.multihash), bytes: 1000)
        let node = content.node(try device.file("f"))
        let beyond = LeafEdit(base: content.root, splices: [.init(start: 4, remove: 2, insert: [])])
        let unknown = LeafEdit(base: CutContent.block([2]).cid, splices: [])
        try device.put("base", content)
        func put(_ edit: LeafEdit) -> SyncOperation {
            SyncOperation(id: device.id(), .put(node, base: nil, .leaves(edit)))
        }
        let answer = try device.commit([
            SyncOperation(id: device.id(), .put(wrongRoot, base: nil, .leaves(content.edit))),
            put(LeafEdit(from: [], root: nil, to: shorter)), put(LeafEdit(from: [], root: nil, to: foreign)),
            put(beyond), put(unknown), put(content.edit),
        ])
        let codes = answer.results.map { result in
            if case .refused(let code, _) = result { code.rawValue } else { "" }
        }
        #expect(
            codes == ["bad_manifest", "bad_manifest", "bad_manifest", "bad_manifest", "unknown_base", ""],
            "\(answer.results)")
        #expect(answer.head == 2, "the good one is done, whatever the others are")
    }

    @Test func aBaseThatIsNoFileIsRefusedByItself() throws {
        try device.put("a", "a")
        let folder = try laboratory.node.snapshot(of: laboratory.node.namespaces.namespace(device.namespace))
        let content = try CutContent([1, 2, 3])
        let edit = LeafEdit(base: folder.root, splices: [])
        let answer = try device.commit([
            SyncOperation(
                id: device.id(), .put(content.node(try device.file("f")), base: nil, .leaves(edit))),
            SyncOperation(
                id: device.id(), .put(try device.file("g"), base: nil, .inline([1, 2, 3]))),
        ])
        guard case .refused? = answer.results.first, case .done? = answer.results.last else {
            Issue.record("\(answer)")
            return
        }
    }

    @Test func anEditOfSomethingThatChangedMeanwhileIsAConflict() throws {
        let node = try device.put("a", "one")
        let other = try device.edit(node, "two")
        let late = try device.commit(.put(node, base: node.contentRevision, .inline(Array("three".utf8))))
        #expect(late == .conflict(reason: "stale", current: other))
        let same = try device.commit(.put(node, base: node.contentRevision, .inline(Array("two".utf8))))
        #expect(same == .done(other), "equal content is no conflict")
        #expect(try device.info.head == 2, "and no entry")
    }

    @Test func twoFilesOfOneNameAreOneIfTheirContentIsEqual() throws {
        let first = try device.put("a", "one")
        #expect(
            try device.commit(.put(try device.file("a"), base: nil, .inline(Array("one".utf8))))
                == .done(first))
        #expect(
            try device.commit(.put(try device.file("a"), base: nil, .inline(Array("two".utf8))))
                == .conflict(reason: "name_taken", current: first))
    }

    @Test func deletesAndMovesAreHeldAgainstWhatTheClientHasSeen() throws {
        let folder = try device.directory("d")
        let file = try device.put("a", "one", in: folder.id)
        #expect(
            try device.commit(.delete(folder.id, base: folder.revision, newestBelow: 0))
                == .conflict(reason: "not_empty", current: folder))
        let edited = try device.edit(file, "two")
        #expect(
            try device.commit(.delete(file.id, base: file.revision, newestBelow: 0))
                == .conflict(reason: "stale", current: edited))
        let moved = try device.must(
            .move(file.id, parent: try device.info.root, name: "b", base: file.revision))
        #expect(moved.name == "b" && moved.content == edited.content, "an edit is no obstacle to a move")
        #expect(
            try device.commit(.move(file.id, parent: folder.id, name: "c", base: file.revision))
                == .conflict(reason: "moved", current: moved))
        let inner = try device.directory("e", in: folder.id)
        #expect(
            try device.commit(.move(folder.id, parent: inner.id, name: "d", base: folder.revision))
                == .conflict(reason: "cycle", current: folder))
        try device.must(.delete(folder.id, base: folder.revision, newestBelow: inner.revision))
        guard
            case .conflict(reason: "parent_missing", _) = try device.commit(
                .put(try device.file("x", in: inner.id), base: nil, .inline([])))
        else {
            Issue.record("a file below a folder that went is not put")
            return
        }
    }

    @Test func anEditOfWhatWasDeletedBringsItBack() throws {
        let node = try device.put("a", "one")
        try device.must(.delete(node.id, base: node.revision, newestBelow: 0))
        #expect(try device.live().isEmpty)
        let back = try device.must(.put(node, base: node.contentRevision, .inline(Array("two".utf8))))
        #expect(back.id == node.id && back.revision == 3)
        #expect(try device.live() == [node.id: back])
    }

    @Test func symlinksAreTextsAndOthersAreWhatTheySay() throws {
        let root = try device.info.root
        let link = SyncNode(
            id: device.id(), parent: root, name: "l", kind: .symlink, target: "../../etc/passwd",
            modified: -5, mode: 0o777)
        let made = try device.must(.put(link, base: nil, .none))
        #expect(
            made.kind == .symlink && made.target == link.target && made.content == nil && made.modified == -5)
        var folder = SyncNode(id: device.id(), parent: root, name: "d", kind: .directory, modified: .min)
        folder.mode = 0o700
        let madeFolder = try device.must(.makeDirectory(folder))
        #expect(madeFolder.mode == 0o700 && madeFolder.modified == .min)
        let changed = try device.must(.setAttributes(madeFolder.id, modified: .max, mode: 0o755))
        #expect(changed.modified == .max && changed.mode == 0o755 && changed.revision == 3)
        let same = try device.must(.setAttributes(madeFolder.id, modified: .max, mode: 0o755))
        #expect(same == changed, "what changes nothing adds no entry")
    }

    @Test func namesThatNoFileCanHaveAreRefusedOneByOne() throws {
        let bad = ["", ".", "..", "a/b", "a\u{0}b", String(repeating: "ä", count: 128)]
        let answer = try device.commit(
            try bad.map { SyncOperation(id: device.id(), .put(try device.file($0), base: nil, .inline([1]))) }
                + [SyncOperation(id: device.id(), .put(try device.file("good"), base: nil, .inline([1])))])
        for (name, result) in zip(bad, answer.results) {
            guard case .refused(code: .badPath, _) = result else {
                Issue.record("\(name.debugDescription): \(result)")
                continue
            }
        }
        #expect(answer.head == 1)
    }

    @Test func anAtomicCommitIsDoneAsAWholeOrNotAtAll() throws {
        let root = try device.info.root
        func operations(_ last: SyncOperation.Change) throws -> [SyncOperation] {
            [
                SyncOperation(id: device.id(), .put(try device.file("a"), base: nil, .inline([1]))),
                SyncOperation(id: device.id(), last),
            ]
        }
        #expect(throws: NamespaceError.self) {
            try device.commit(try operations(.delete(device.id(), base: 1, newestBelow: 0)), isAtomic: true)
        }
        let content = try CutContent([1, 2, 3])
        let needing = try operations(
            .put(
                content.node(SyncNode(id: device.id(), parent: root, name: "b", kind: .file)), base: nil,
                .leaves(content.edit)))
        let answer = try device.commit(needing, isAtomic: true)
        #expect(answer.results.last == .need([content.root]) && answer.head == 0)
        guard case .refused(code: .notAtomic, _)? = answer.results.first else {
            Issue.record("\(answer)")
            return
        }
        #expect(try device.live().isEmpty)
        #expect(try device.service.store(content.blocks([content.root]), for: device.namespace).isEmpty)
        #expect(try device.commit(needing, isAtomic: true).head == 2)
    }

    @Test func aCommitToAnotherJournalIsRefused() throws {
        let request = CommitRequest(epoch: try device.info.epoch &+ 1, operations: [])
        do {
            _ = try device.service.commit(request, to: device.namespace)
            Issue.record("it went through")
        } catch NamespaceError.epochChanged {}
    }

    @Test func quotasHoldByBytesAndByNodes() throws {
        var policy = NamespacePolicy()
        policy.maximumBytes = 10
        policy.maximumNodes = 3
        let small = try SyncDevice.create(laboratory.owner, "small", policy: policy.json)
        let file = try small.put("a", "12345678")
        func refusal(_ result: CommitResult) -> String {
            if case .refused(let code, _) = result { code.rawValue } else { "\(result)" }
        }
        let content = try CutContent(Array("12345678901".utf8))
        #expect(try small.service.store(content.blocks([content.root]), for: small.namespace).isEmpty)
        for change: SyncOperation.Change in [
            .put(try small.file("b"), base: nil, .inline(Array("123".utf8))),
            .put(file, base: file.contentRevision, .inline(Array("12345678901".utf8))),
            .put(content.node(try small.file("c")), base: nil, .leaves(content.edit)),
        ] {
            #expect(refusal(try small.commit(change)) == "quota_exceeded")
        }
        try small.put("b", "12")
        try small.directory("d")
        #expect(
            refusal(try small.commit(.put(try small.file("e"), base: nil, .inline([])))) == "quota_exceeded")
        #expect(try small.info.bytes == 10 && small.info.nodes == 3)
    }

    @Test func removingMostOfANamespaceNeedsAPersonWhoAgrees() throws {
        let folder = try device.directory("d")
        let operations = try (0..<150).map { number in
            SyncOperation(
                id: device.id(),
                .put(try device.file("\(number)", in: folder.id), base: nil, .inline([UInt8(number)])))
        }
        let made = try device.commit(operations)
        let delete = SyncOperation.Change.delete(folder.id, base: folder.revision, newestBelow: made.head)
        guard case .confirmationNeeded(removals: 151, let token) = try device.commit(delete) else {
            Issue.record("151 of 151 went")
            return
        }
        #expect(try device.live().count == 151)
        var other = device
        other.name = "phone"
        guard case .confirmationNeeded = try other.commit(delete, confirmation: token),
            case .confirmationNeeded = try device.commit(delete, confirmation: "guess")
        else {
            Issue.record("a token is for the device that asked")
            return
        }
        guard case .done = try device.commit(delete, confirmation: token) else {
            Issue.record("a person agreed")
            return
        }
        #expect(try device.live().isEmpty)
        #expect(try device.info.head == made.head + 1, "one entry for all of it")
    }
}

extension SeededRandom {
    static func bytes(seed: UInt64, count: Int) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        return random.bytes(count)
    }
}
