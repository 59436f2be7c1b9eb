import Access
import BlockStorage
import Catalog
import IPLD
import Multiformats
import NodeCore
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// What a key may do, and what it does not even see.
@Suite struct SyncRoleTests {
    let laboratory: SyncLaboratory
    let device: SyncDevice
    let file: SyncNode

    init() throws {
        laboratory = try SyncLaboratory()
        device = try .create(laboratory.owner)
        file = try device.put("a", "one")
    }

    private func holder(
        _ operations: [Access.Operation], in project: ProjectID = .default, scope: Resource? = nil
    ) throws -> SyncDevice {
        SyncDevice(try laboratory.service(operations, in: project, scope: scope), device.namespace)
    }

    /// The codes of what every call of a namespace says.
    private func codes(_ service: SyncService, _ namespace: String) throws -> [String: String] {
        let epoch = try (try? service.info(namespace).epoch) ?? device.info.epoch
        let cid = try #require(file.content)
        let calls: [(String, () throws -> Void)] = [
            ("info", { _ = try service.info(namespace) }),
            (
                "commit",
                {
                    _ = try service.commit(
                        CommitRequest(epoch: epoch, operations: []), to: namespace)
                }
            ),
            (
                "list",
                {
                    _ = try service.changes(ListRequest(cursor: nil, limit: 1), of: namespace)
                }
            ),
            (
                "snapshot",
                {
                    _ = try service.snapshot(SnapshotRequest(directory: nil, page: nil), of: namespace)
                }
            ),
            ("have", { _ = try service.missing([cid], of: namespace) }),
            ("store", { _ = try service.store([], for: namespace) }),
            ("retrieve", { _ = try service.retrieve([cid], of: namespace) }),
            ("leaves", { _ = try service.leaves(LeavesRequest(root: cid, base: nil), of: namespace) }),
            (
                "wait",
                {
                    _ = try service.changed(
                        WaitRequest(
                            positions: [.init(namespace: namespace, epoch: epoch, jid: 0)], seconds: 0))
                }
            ),
        ]
        return try calls.reduce(into: [:]) { codes, call in
            do {
                try call.1()
                codes[call.0] = "ok"
            } catch let failure as SyncFailure { codes[call.0] = failure.code.rawValue }
        }
    }

    private static let reading = ["info", "list", "snapshot", "retrieve", "leaves", "wait"]
    private static let writing = ["commit", "have", "store"]

    @Test func whoMayReadReadsAndWritesNothing() throws {
        let reader = try holder([.read])
        let codes = try codes(reader.service, reader.namespace)
        #expect(codes.filter { $0.value == "ok" }.keys.sorted() == Self.reading.sorted())
        #expect(codes.filter { $0.value == "forbidden" }.keys.sorted() == Self.writing.sorted())
        #expect(try reader.service.list().map(\.role) == ["viewer"])
    }

    @Test func whoMayOnlyWriteBringsFilesInAndSeesNone() throws {
        let box = try holder([.write])
        let codes = try codes(box.service, box.namespace)
        #expect(codes.filter { $0.value == "ok" }.keys.sorted() == Self.writing.sorted())
        #expect(codes.filter { $0.value == "forbidden" }.keys.sorted() == Self.reading.sorted())
        let info = try #require(try box.service.list().first)
        #expect(info.role == "writer_only" && info.id == device.namespace)
        func commit(_ change: SyncOperation.Change) throws -> CommitResult {
            try #require(
                try box.speaking.commit(
                    CommitRequest(epoch: info.epoch, operations: [SyncOperation(id: device.id(), change)]),
                    to: box.namespace
                ).results.first)
        }
        let new = SyncNode(id: device.id(), parent: info.root, name: "b", kind: .file)
        guard case .done = try commit(.put(new, base: nil, .inline([1]))) else {
            Issue.record("a new file is what such a key is for")
            return
        }
        for change: SyncOperation.Change in [
            .put(file, base: file.contentRevision, .inline([2])),
            .move(file.id, parent: info.root, name: "c", base: file.revision),
            .delete(file.id, base: file.revision, newestBelow: 0),
            .setAttributes(file.id, modified: 1, mode: nil),
            .restore(file.id, parent: info.root, name: "c"),
        ] {
            guard case .refused(code: .forbidden, _) = try commit(change) else {
                Issue.record("\(change)")
                continue
            }
        }
        // A base that is left out changes nothing that is there.
        guard case .conflict = try commit(.put(file, base: nil, .inline([2]))) else {
            Issue.record("a file that is there was overwritten")
            return
        }
        #expect(try device.live()[file.id] == file)
    }

    @Test func whoMayReadWriteAndDeleteIsAnEditor() throws {
        let editor = try holder([.read, .write, .delete])
        #expect(try codes(editor.service, editor.namespace).values.allSatisfy { $0 == "ok" })
        #expect(try editor.info.role == "editor" && device.info.role == "owner")
        let edited = try editor.edit(file, "two")
        try editor.must(.delete(edited.id, base: edited.revision, newestBelow: 0))
    }

    @Test func aKeyForOneNamespaceSeesNoOther() throws {
        let other = try SyncDevice.create(laboratory.owner, "other")
        let key = try laboratory.service(
            [.admin], scope: .namespace(.default, name: "other"))
        #expect(try key.list().map(\.id) == [other.namespace])
        for name in [device.namespace, "recipes", "nosuch"] {
            #expect(try codes(key, name).values.allSatisfy { $0 == "unknown_namespace" }, "\(name)")
        }
        // The block is of the same project, and of the namespace that is none of its.
        for (call, code) in try codes(key, "other") {
            #expect(code == (call == "leaves" ? "unknown_block" : "ok"), "\(call)")
        }
        #expect(throws: SyncFailure.self) { try key.create(NamespaceRequest(name: "mine")) }
    }

    /// Sync defect 8: blocks were everybody's who knew their names.
    @Test func anotherProjectLearnsNeitherNamesNorBlocks() throws {
        let project = try laboratory.project("others")
        let stranger = try laboratory.service([.admin], in: project)
        #expect(try stranger.list().isEmpty)
        for name in [device.namespace, "recipes", "nosuch"] {
            #expect(try codes(stranger, name).values.allSatisfy { $0 == "unknown_namespace" }, "\(name)")
        }
        let mine = try SyncDevice.create(stranger, "mine")
        #expect(try stranger.list().map(\.name) == ["mine"])
        // What the other project holds counts as missing, and is not read.
        let secret = try CutContent(SeededRandom.bytes(seed: 9, count: 3000), leafBytes: 1000)
        try device.put("secret", secret)
        let cids = secret.leaves.map(\.cid) + [secret.root]
        #expect(try stranger.missing(cids, of: mine.namespace) == cids)
        #expect(try device.service.missing(cids, of: device.namespace) == [])
        for cid in cids {
            let found = try stranger.retrieve([cid], of: mine.namespace)
            #expect(found.blocks.isEmpty && found.answered == 1)
        }
        #expect(throws: SyncFailure.self) {
            try stranger.leaves(LeavesRequest(root: secret.root, base: nil), of: mine.namespace)
        }
        let put = SyncOperation.Change.put(
            secret.node(try mine.file("f")), base: nil, .leaves(secret.edit))
        #expect(try mine.commit(put) == .need(secret.leaves.map(\.cid)), "nobody learns that it is held")
        guard
            case .refused(code: .unknownBase, _) = try mine.commit(
                .put(
                    secret.node(try mine.file("g")), base: nil,
                    .leaves(LeafEdit(base: secret.root, splices: []))))
        else {
            Issue.record("a file of another project was a base")
            return
        }
        // Whoever has the bytes gets them in.
        #expect(try stranger.store(secret.blocks(secret.leaves.map(\.cid)), for: mine.namespace).isEmpty)
        let done = try mine.must(put)
        #expect(done.content == secret.root)
        #expect(try stranger.retrieve(cids, of: mine.namespace).blocks.map(\.cid) == cids)
    }

    @Test func namespacesAreMadeByWhoMayWriteInTheProject() throws {
        #expect(throws: SyncFailure.forbidden("make namespaces")) {
            try laboratory.service([.read]).create(NamespaceRequest(name: "x"))
        }
        let writer = try laboratory.service([.read, .write])
        #expect(throws: SyncFailure.forbidden("publish")) {
            try writer.create(NamespaceRequest(name: "x", visibility: "public"))
        }
        #expect(try writer.create(NamespaceRequest(name: "x")).visibility == "private")
        for name in ["", ".x", "a/b", "a@1", "ä", "a b", String(repeating: "x", count: 64)] {
            #expect(throws: SyncFailure.self, "\(name)") { try writer.create(NamespaceRequest(name: name)) }
        }
        #expect(throws: SyncFailure.self) {
            try writer.create(NamespaceRequest(name: "y", visibility: "secret"))
        }
        #expect(throws: SyncFailure.nameTaken("recipes"), "a name is taken once on a node") {
            try writer.create(NamespaceRequest(name: "recipes"))
        }
    }

    /// Sync defect 6: names of blocks were cut to a few bits, and two that began alike were one.
    @Test func defect6BlocksWhoseDigestsBeginAlikeAreTwo() throws {
        var seen: [[UInt8]: Block] = [:]
        var found: [Block] = []
        for number in 0..<5000 where found.isEmpty {
            let block = CutContent.block(Array("\(number)".utf8))
            let start = Array(block.cid.multihash.digest.prefix(2))
            if let other = seen[start] { found = [other, block] }
            seen[start] = block
        }
        try #require(found.count == 2 && found[0].bytes != found[1].bytes)
        #expect(try device.service.store(found, for: device.namespace).isEmpty)
        let cids = [found[1].cid, found[0].cid]
        #expect(
            try device.service.retrieve(cids, of: device.namespace).blocks == Array(found.reversed()))
        let mixed = Block(cid: found[0].cid, bytes: found[1].bytes)
        #expect(try device.service.store([mixed], for: device.namespace) == [mixed.cid])
    }

    @Test func whatIsNotOfOneHashIsNotStoredAndTheRestIs() throws {
        let good = CutContent.block([1, 2, 3])
        let bad = Block(cid: CutContent.block([4]).cid, bytes: [5])
        #expect(try device.service.store([bad, good, bad], for: device.namespace) == [bad.cid, bad.cid])
        #expect(try device.service.missing([bad.cid, good.cid], of: device.namespace) == [bad.cid])
    }

    @Test func blocksComeInTheOrderAskedAndEndWhereItIsTooMuch() throws {
        let blocks = (0..<20).map { number in
            CutContent.block([UInt8](repeating: UInt8(number), count: SyncLimits.maximumLeafBytes))
        }
        let cids = Array(blocks.map(\.cid).reversed())
        #expect(try device.service.store(blocks, for: device.namespace).isEmpty)
        let found = try device.service.retrieve(cids, of: device.namespace)
        #expect(found.blocks.map(\.cid) == Array(cids.prefix(16)) && found.answered == 16, "32 MiB")
        let again = try device.service.retrieve([cids[3], cids[1], cids[3]], of: device.namespace)
        #expect(again.blocks.map(\.cid) == [cids[3], cids[1], cids[3]])
    }

    @Test func whatIsMissingAmongBlocksKeepsNoOtherBack() throws {
        let (here, there) = (CutContent.block([1]), CutContent.block([2]))
        #expect(try device.service.store([here], for: device.namespace).isEmpty)
        for (asked, came) in [
            ([there.cid, here.cid], [here.cid]), ([here.cid, there.cid], [here.cid]), ([there.cid], []),
        ] {
            let found = try device.service.retrieve(asked, of: device.namespace)
            #expect(found.blocks.map(\.cid) == came && found.answered == asked.count)
        }
    }
}
