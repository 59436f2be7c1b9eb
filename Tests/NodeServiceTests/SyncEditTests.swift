import Access
import IPLD
import Multiformats
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// What comes along so that nobody has to ask: small changes of larger files, and cursors with own commits.
@Suite struct SyncEditTests {
    let laboratory: SyncLaboratory
    let device: SyncDevice

    init() throws {
        laboratory = try SyncLaboratory()
        device = try .create(laboratory.owner)
    }

    private func content(_ change: (Int, UInt8)...) throws -> CutContent {
        var bytes = [UInt8](repeating: 7, count: 20_000)
        for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index / 1000) }
        for (place, value) in change { bytes[place] = value }
        return try CutContent(bytes, leafBytes: 1000)
    }

    private func replace(_ node: SyncNode, _ content: CutContent) throws -> SyncNode {
        let change = SyncOperation.Change.put(
            content.node(node), base: node.contentRevision, .leaves(content.edit))
        if case .need(let cids) = try device.commit(change) {
            _ = try device.service.store(content.blocks(cids), for: device.namespace)
        }
        return try device.must(change)
    }

    private func edits(after cursor: String?, _ reader: SyncDevice? = nil) throws -> [FileEdit?] {
        let reader = reader ?? device
        return try reader.service.changes(
            ListRequest(cursor: cursor, limit: 1000), of: device.namespace
        ).entries.map(\.edit)
    }

    @Test func whatChangedInALargerFileComesWithItsEntry() throws {
        let before = try content()
        let node = try device.put("list", before)
        let cursor = try device.list(after: nil).cursor.text
        // Two changes between two looks: the edit is of what the file was at the cursor.
        let between = try replace(node, try content((5500, 1)))
        let after = try content((5500, 1), (17_500, 2))
        _ = try replace(between, after)
        let edit = try #require(try edits(after: cursor).first ?? nil)
        #expect(edit.edit.base == before.root)
        #expect(try edit.edit.apply(to: before.leaves) == after.leaves)
        #expect(edit.blocks == [5, 17].map { place in after.blocks([after.leaves[place].cid])[0].bytes })
        #expect(try edits(after: nil) == [nil], "who has nothing has no base")
        let asked = try device.list(after: cursor)
        #expect(asked.entries.allSatisfy { $0.edit == nil }, "only if it is wanted")
    }

    @Test func whatIsNotSmallIsAskedFor() throws {
        let files = try (0..<33).map { try device.put("\($0)", try content()) }
        let cursor = try device.list(after: nil).cursor.text
        let large = try CutContent(SeededRandom.bytes(seed: 1, count: 40_000), leafBytes: 8000)
        _ = try replace(files[0], large)
        #expect(try edits(after: cursor) == [nil], "40 KB are others")
        let changed = try content((500, 1))
        for file in files[1...] { _ = try replace(file, changed) }
        #expect(try edits(after: cursor).allSatisfy { $0 == nil }, "33 files")
    }

    @Test func newFilesAndFilesThatOnlyMovedHaveNoEdit() throws {
        let moved = try device.put("moved", try content())
        let cursor = try device.list(after: nil).cursor.text
        _ = try device.must(
            .move(moved.id, parent: device.info.root, name: "elsewhere", base: moved.revision))
        _ = try device.put("new", try content((1, 1)))
        #expect(try edits(after: cursor) == [nil, nil])
    }

    /// A client whose cursor went on with its own commit read what it had sent once more.
    @Test func aCommitTakesTheCursorAlongIfNobodyElseChangedAnything() throws {
        func commit(_ name: String, cursor: String?) throws -> CommitAnswer {
            let file = try device.file(name)
            return try device.speaking.commit(
                CommitRequest(
                    epoch: try device.info.epoch, cursor: cursor,
                    operations: [SyncOperation(id: device.id(), .put(file, base: nil, .inline([1])))]),
                to: device.namespace)
        }
        let start = try device.list(after: nil).cursor
        let first = try commit("a", cursor: start.text)
        #expect(first.cursor?.jid == 1 && first.cursor?.epoch == start.epoch)
        #expect(try device.list(after: first.cursor?.text).entries.isEmpty)
        try device.put("theirs", "1")
        #expect(try commit("b", cursor: first.cursor?.text).cursor == nil)
        #expect(try commit("c", cursor: nil).cursor == nil)
        #expect(try commit("d", cursor: "1.\(start.epoch &+ 1).4").cursor == nil)
        #expect(try commit("e", cursor: "nonsense").cursor == nil)
        #expect(try device.list(after: first.cursor?.text).entries.count == 5)
        // Nothing done, nothing passed over.
        let now = try device.list(after: nil).cursor
        let taken = try commit("a", cursor: now.text)
        #expect(taken.head == now.jid && taken.cursor == now)
    }

    @Test func whoSeesAPartGetsNoCursorAndNoEdits() throws {
        let node = try device.put("list", try content())
        let cursor = try device.list(after: nil).cursor.text
        let writer = SyncDevice(try laboratory.service([.write]), device.namespace)
        let answer = try writer.service.commit(
            CommitRequest(
                epoch: device.info.epoch, cursor: cursor,
                operations: [
                    SyncOperation(id: device.id(), .put(try device.file("x"), base: nil, .inline([1])))
                ]), to: device.namespace)
        #expect(answer.cursor == nil && answer.head == 2)
        _ = try replace(node, try content((500, 1)))
        #expect(try edits(after: cursor).compactMap { $0 }.count == 1)
    }

    @Test func aListSaysWhatTheFolderHasToKnow() throws {
        #expect(try !device.list(after: nil).mergesText)
        let other = try SyncDevice.create(laboratory.owner, "notes", policy: #"{"merge":"lines"}"#)
        #expect(try other.list(after: nil).mergesText)
    }
}
