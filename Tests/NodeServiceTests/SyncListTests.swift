import Access
import Catalog
import Foundation
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

/// Lists and snapshots: whoever follows them has what the server has.
@Suite struct SyncListTests {
    let laboratory: SyncLaboratory
    let device: SyncDevice

    init() throws {
        laboratory = try SyncLaboratory()
        device = try .create(laboratory.owner)
    }

    /// Sync defect 1: a client that took its own commit for what it has seen lost what lay between.
    @Test func anOwnCommitBetweenHidesNothing() throws {
        var phone = device
        phone.name = "phone"
        let start = try device.list(after: nil)
        let foreign = try phone.put("theirs", "1")
        let own = try device.put("mine", "2")
        let next = try device.list(after: start.cursor.text)
        #expect(next.entries.map(\.node) == [foreign, own])
        #expect(next.entries.map(\.device) == ["phone", "laptop"])
        #expect(next.cursor.jid == 2 && !next.hasMore)
        #expect(try device.list(after: next.cursor.text).entries.isEmpty)
    }

    @Test func pagesComeInTheOrderOfTheJournalAndLeaveNothingOut() throws {
        var nodes: [SyncNode] = []
        for number in 0..<20 { nodes.append(try device.put("\(number)", "\(number)")) }
        nodes[3] = try device.edit(nodes[3], "changed")
        var entries: [RemoteEntry] = []
        var cursor: String?
        var pages = 0
        while true {
            let answer = try device.list(after: cursor, limit: 6)
            entries += answer.entries
            cursor = answer.cursor.text
            pages += 1
            guard answer.hasMore else { break }
        }
        #expect(pages == 4)
        let expected = nodes.sorted { $0.revision < $1.revision }
        #expect(entries.map(\.node) == expected, "each node once, as it is, where it changed last")
    }

    @Test func cursorsOfAnotherJournalAskForAReset() throws {
        try device.put("a", "1")
        let cursor = try device.list(after: nil).cursor
        let epoch = cursor.epoch
        for text in ["1.\(epoch &+ 1).1", "1.\(epoch).2", "1.\(epoch).9223372036854775807"] {
            #expect(throws: SyncFailure.resetRequired, "\(text)") { try device.list(after: text) }
        }
        for text in [
            "", "x", "1", "1.2", "2.\(epoch).1", "2.\(epoch).1.", "2.\(epoch).1.x", "2.\(epoch).1.1ffffffff",
            "1.\(epoch).-1", "1.\(epoch).1.1", "1..1",
            "1.\(epoch).99999999999999999999",
        ] {
            #expect(throws: SyncFailure.badRequest("this is no cursor of this node"), "\(text)") {
                try device.list(after: text)
            }
        }
        // As after a restore from a backup: the journal is another one.
        let namespace = try laboratory.node.namespaces.namespace(device.namespace)
        _ = try laboratory.node.catalog.namespaces.change(namespace.id) { $0.epoch = epoch &+ 7 }
        #expect(throws: SyncFailure.resetRequired) { try device.list(after: cursor.text) }
        #expect(try device.snapshot().cursor.epoch == epoch &+ 7)
    }

    /// A node was set back to an older backup, and others went on: the numbers of its entries are taken again, and the
    /// epoch is as it was. Who had read on does not take the new journal for the one it knows.
    @Test func cursorsOfTheTimeBeforeABackupWasRestoredAskForAReset() throws {
        try device.put("a", "1")
        let early = try device.list(after: nil).cursor
        let backup = laboratory.directory.path("backup")
        try FileManager.default.copyItem(atPath: laboratory.directory.path("data"), toPath: backup)
        try device.put("b", "before")
        let late = try device.list(after: early.text).cursor
        #expect(try device.list(after: late.text).entries.isEmpty)

        let restored = try StorageNode.open(backup)
        let other = SyncDevice(SyncService(restored, as: .localAdministrator), device.namespace)
        #expect(throws: SyncFailure.resetRequired) { try other.list(after: late.text) }
        try other.put("c", "after")
        let now = try other.list(after: nil).cursor
        #expect(now.epoch == late.epoch && now.jid == late.jid && now.text != late.text)
        #expect(throws: SyncFailure.resetRequired) { try other.list(after: late.text) }
        // What both journals have is no reason.
        #expect(try other.list(after: early.text).entries.map(\.node.name) == ["c"])
        #expect(try other.list(after: "2.\(late.epoch).0.0").entries.count == 2)
    }

    @Test func smallContentComesAlongIfItIsWanted() throws {
        let small = try device.put("small", "salt")
        let empty = try device.put("empty", "")
        let limit = try device.put(
            "limit", String(repeating: "x", count: SyncLimits.maximumInlineBytes))
        let large = try device.put(
            "large", CutContent([UInt8](repeating: 1, count: SyncLimits.maximumInlineBytes + 1)))
        // Below the limit and of several leaves: its root is not its content.
        let cut = try device.put("cut", CutContent([1, 2, 3, 4], leafBytes: 2))
        let gone = try device.put("gone", "pepper")
        try device.must(.delete(gone.id, base: gone.revision, newestBelow: 0))
        let expected: [NodeID: [UInt8]] = [
            small.id: Array("salt".utf8), empty.id: [],
            limit.id: [UInt8](repeating: UInt8(ascii: "x"), count: SyncLimits.maximumInlineBytes),
        ]
        for entries in [
            try device.list(after: nil, wantsInline: true).entries,
            try device.snapshot(wantsInline: true).entries,
        ] {
            let found = entries.reduce(into: [:]) { $0[$1.node.id] = $1.inline }
            #expect(found == expected)
            #expect(entries.contains { $0.node.id == large.id } && entries.contains { $0.node.id == cut.id })
        }
        #expect(try device.list(after: nil).entries.allSatisfy { $0.inline == nil })
    }

    @Test func aSnapshotGivesEachDirectoryBeforeWhatIsInIt() throws {
        let outer = try device.directory("d")
        let inner = try device.directory("e", in: outer.id)
        try device.put("z", "1", in: inner.id)
        try device.put("a", "2")
        let gone = try device.directory("gone")
        try device.put("x", "3", in: gone.id)
        try device.must(.delete(gone.id, base: gone.revision, newestBelow: 100))
        let page = try device.snapshot()
        #expect(page.entries.map(\.node.name) == ["a", "d", "e", "z"] && page.next == nil)
        #expect(page.cursor.jid == 7)
        #expect(try device.snapshot(outer.id).entries.map(\.node.name) == ["e", "z"])
    }

    @Test func pagesOfSnapshotsThatWereMadeUpAreRefused() throws {
        let epoch = try device.info.epoch
        let root = try device.info.root.text
        for text in [
            "", ".", "1.2", "x.1.y", "\(epoch).0.\(root)", "\(epoch).0.\(root):0", "\(epoch).0.\(root):zz",
            "\(epoch).-1.\(root):-",
        ] {
            #expect(throws: SyncFailure.badRequest("this is no page of a snapshot"), "\(text)") {
                try device.snapshot(page: text)
            }
        }
        #expect(throws: SyncFailure.resetRequired) {
            try device.snapshot(page: "\(epoch &+ 1).0.\(root):-")
        }
        #expect(throws: SyncFailure.resetRequired, "a state that is not there yet") {
            try device.snapshot(page: "\(epoch).1.\(root):-")
        }
    }

    @Test func aDirectoryThatCameBackBringsWhatIsBelowIt() throws {
        let folder = try device.directory("d")
        let file = try device.put("a", "1", in: folder.id)
        var replica = Replica()
        try replica.start(device)
        try device.must(.delete(folder.id, base: folder.revision, newestBelow: file.revision))
        try replica.follow(device)
        #expect(replica.nodes.isEmpty)
        try device.must(.restore(folder.id, parent: device.info.root, name: "back"))
        try replica.follow(device)
        #expect(replica.nodes.keys.sorted() == [folder.id, file.id].sorted())
        #expect(try replica.nodes == device.live())
    }

    /// The entry of the return was left out because the directory changed again, and what was below it
    /// never came back to whoever had seen it go.
    @Test(arguments: [1, 1000])
    func aDirectoryThatCameBackAndChangedAgainBringsWhatIsBelowItToo(limit: Int) throws {
        let folder = try device.directory("d")
        let file = try device.put("a", "1", in: folder.id)
        let gone = try device.must(.delete(folder.id, base: folder.revision, newestBelow: file.revision))
        var replica = Replica()
        try replica.follow(device)
        #expect(replica.nodes.isEmpty && gone.id == folder.id)
        let back = try device.must(.restore(folder.id, parent: device.info.root, name: "d"))
        try device.must(.move(folder.id, parent: device.info.root, name: "e", base: back.revision))
        try device.must(.setAttributes(folder.id, modified: 5, mode: nil))
        try replica.follow(device, limit: limit)
        #expect(try replica.nodes == device.live())
        #expect(replica.nodes[file.id] != nil && replica.nodes[folder.id]?.name == "e")
    }

    /// Random changes as several devices make them.
    private struct Script {
        var random: SeededRandom
        let device: SyncDevice

        mutating func step() throws {
            let live = try device.live()
            let root = try device.info.root
            let folders = live.values.filter { $0.kind == .directory }.sorted { $0.id < $1.id }
            let nodes = live.values.sorted { $0.id < $1.id }
            let parent = random.oneIn(3) ? root : folders.isEmpty ? root : random.pick(folders).id
            let name = "\(random.number(0..<30))"
            let node = nodes.isEmpty ? nil : random.pick(nodes)
            let change: SyncOperation.Change
            switch (random.number(0..<9), node) {
            case (0, _), (1, _), (2, _), (3, nil), (4, nil), (5, nil), (6, nil), (7, nil), (8, nil):
                var file = try device.file(name, in: parent)
                if random.oneIn(5) {
                    (file.kind, file.target) = (.symlink, name)
                    change = .put(file, base: nil, .none)
                } else {
                    change = .put(file, base: nil, .inline(random.bytes(random.number(0...5))))
                }
            case (3, _):
                change = .makeDirectory(
                    SyncNode(id: device.id(), parent: parent, name: name, kind: .directory))
            case (4, let node?) where node.kind == .file:
                change = .put(node, base: node.contentRevision, .inline(random.bytes(3)))
            case (5, let node?):
                change = .move(node.id, parent: parent, name: name, base: node.revision)
            case (6, let node?):
                change = .delete(node.id, base: node.revision, newestBelow: .max)
            case (7, let node?):
                change = .setAttributes(node.id, modified: Int64(random.number(0...5)), mode: nil)
            default:
                // Whatever went: some of it comes back, elsewhere.
                let entries = try device.list(after: nil).entries.filter(\.isDeleted)
                guard !entries.isEmpty else { return }
                let gone = random.pick(entries).node
                change = .restore(gone.id, parent: parent, name: name)
            }
            // Conflicts are fine: what counts is that everybody sees the same.
            _ = try device.commit(change)
        }
    }

    @Test(arguments: SeededRandom.seeds(12))
    func whoeverFollowsTheListsHasWhatTheServerHas(seed: UInt64) throws {
        var script = Script(random: SeededRandom(seed: seed), device: device)
        var fromTheBeginning = Replica()
        var withPages = Replica()
        for round in 0..<12 {
            for _ in 0..<script.random.number(1...12) { try script.step() }
            let live = try device.live()
            if round % 3 == 0 { try fromTheBeginning.follow(device) }
            try withPages.follow(device, limit: script.random.number(1...4))
            #expect(withPages.nodes == live, "round \(round)")
        }
        try fromTheBeginning.follow(device)
        #expect(try fromTheBeginning.nodes == device.live())
    }

    @Test(arguments: SeededRandom.seeds(8))
    func aSnapshotIsOfOneMomentWhateverIsCommittedBetweenItsPages(seed: UInt64) throws {
        var script = Script(random: SeededRandom(seed: seed), device: device)
        for _ in 0..<40 { try script.step() }
        let namespace = try laboratory.node.namespaces.namespace(device.namespace)
        let before = try device.live()
        var walk = SnapshotWalk(
            .init(
                epoch: namespace.epoch, jid: namespace.head,
                stack: [.init(directory: namespace.root, after: nil)]))
        var seen: [NodeID: SyncNode] = [:]
        while true {
            let nodes = try laboratory.node.namespaces.walk(&walk, of: namespace, limit: 3)
            for node in nodes {
                #expect(
                    node.parent == namespace.root || seen[node.parent] != nil, "its directory came before")
                seen[node.id] = SyncNode(
                    id: node.id, parent: node.parent, name: node.name, kind: node.kind, content: node.content,
                    target: node.target, size: node.size, modified: node.modified, mode: node.mode,
                    revision: node.revision, contentRevision: node.contentRevision)
            }
            guard !walk.token.stack.isEmpty else { break }
            // The next page comes from the text that the client sent back.
            walk = SnapshotWalk(try #require(SnapshotWalk.Token(walk.token.text)))
            for _ in 0..<3 { try script.step() }
        }
        #expect(seen == before)
        #expect(walk.token.jid == namespace.head)
    }

    @Test func aSnapshotOfSeveralPagesAndTheListsAfterItAreWhatIsThere() throws {
        let folder = try device.directory("many")
        for part in 0..<11 {
            let operations = try (0..<500).map { number in
                SyncOperation(
                    id: device.id(),
                    .put(
                        try device.file("\(part)-\(number)", in: folder.id), base: nil,
                        .inline([UInt8(part)])))
            }
            _ = try device.commit(operations)
        }
        var replica = Replica()
        var pages = 0
        try replica.start(device) {
            pages += 1
            let files = try device.live().values.filter { $0.kind == .file }
            let node = try #require(files.max { $0.name < $1.name })
            try device.must(.delete(node.id, base: node.revision, newestBelow: 0))
            try device.put("0-new-\(pages)", "new", in: folder.id)
        }
        #expect(pages == 2)
        try replica.follow(device)
        #expect(try replica.nodes == device.live())
    }

    /// Three small blocks that name one leaf two million times: nothing is listed by claim.
    @Test func aFileOfTooManyLeavesIsNotListed() throws {
        let leaf = CutContent.block([1, 2, 3])
        _ = try device.service.store([leaf], for: device.info.id)
        var link = FileLeaf(cid: leaf.cid, contentBytes: 3, dagBytes: 3)
        for count in [1024, 1024, 2] {
            var builder = FileLayoutBuilder(parameters: .unixfsV1_2025)
            var blocks: [Block] = []
            for _ in 0..<count { try builder.add(link) { blocks.append($0) } }
            let root = try builder.finish { blocks.append($0) }
            _ = try device.service.store(blocks, for: device.info.id)
            link = FileLeaf(cid: root.cid, contentBytes: root.contentBytes, dagBytes: root.dagBytes)
        }
        #expect(throws: SyncFailure.unsupportedFile(link.cid.description)) {
            try device.service.leaves(LeavesRequest(root: link.cid, base: nil), of: device.info.id)
        }
    }
}
