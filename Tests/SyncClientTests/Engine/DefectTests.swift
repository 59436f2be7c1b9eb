import IPLD
import Multiformats
import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

/// Defects that sync systems of this design had, each by its number in the list of the protocol's page;
/// those that the client can have.
@Suite struct DefectTests {
    @Test func defect1AnOwnCommitDoesNotSkipTheChangesOfOthers() throws {
        let pair = try TwoDevices()
        try pair.here.write("1", to: "a")
        try pair.settle()
        // The other one commits between this one's list and its own commit.
        let there = pair.there
        try there.write("theirs", to: "theirs")
        try pair.here.write("mine", to: "mine")
        try pair.here.startEngine().scan(.everything)
        try pair.here.startEngine().pull()
        let cursor = try pair.here.state.cursor()
        try there.synchronize()
        try pair.here.startEngine().push([
            .put(
                try #require(
                    pair.here.state.base.child(of: pair.server.root, named: NameKey("mine"), in: .local)
                ).id, base: nil)
        ])
        #expect(try pair.here.state.cursor() == cursor)
        try pair.settle()
        #expect(try pair.files(pair.here) == ["a": "1", "mine": "mine", "theirs": "theirs"])
    }

    @Test func defect2AnEditIsBasedOnWhatItWasMadeFrom() throws {
        let pair = try TwoDevices()
        try pair.here.write("1", to: "a")
        try pair.settle()
        try pair.here.write("mine", to: "a")
        try pair.there.write("theirs", to: "a")
        try pair.here.startEngine().scan(.everything)
        try pair.there.synchronize()
        // It does not know yet of the other's edit when it sends its own.
        let id = try #require(pair.server.tree()["a"]?.id)
        let base = try #require(pair.here.state.base.node(id, in: .synced)).contentRevision
        try pair.here.startEngine().push([.put(id, base: base)])
        #expect(pair.here.engine?.waitingItems().first?.reason == .conflict("stale"))
        try pair.settle()
        #expect(Set(try pair.files(pair.here).values) == ["mine", "theirs"])
    }

    @Test func defect3AnEditThatWasNotScannedIsNotOverwritten() throws {
        // At every call of the pass that brings the other's edit, somebody saves the file.
        for calls in 1... {
            let pair = try TwoDevices(canExchange: calls % 2 == 0)
            try pair.there.write("old", to: "a")
            try pair.settle()
            try pair.there.write("theirs", to: "a")
            try pair.there.synchronize()
            let here = pair.here
            let disk = here.disk
            let start = disk.calls
            disk.interfere(afterCalls: calls) {
                try? disk.asUser { disk throws(FileError) in
                    if try disk.status("a") == nil { try disk.create("a") }
                    try disk.replaceContents(of: "a", with: Array("mine".utf8))
                }
            }
            try here.synchronize()
            let isOver = disk.calls < start + calls
            disk.interfere(afterCalls: .max / 2) {}
            try pair.settle()
            let everywhere = Set(try pair.files(here).values).union(try here.trash())
            #expect(isOver || everywhere.contains("mine"), "saved at call \(calls)")
            #expect(try pair.files(here) == (try pair.files(pair.there)))
            if isOver { break }
        }
    }

    @Test func defect3AnEditAfterTheScanIsAConflictLikeAnyOther() throws {
        let pair = try TwoDevices()
        try pair.there.write("old", to: "a")
        try pair.settle()
        try pair.there.write("theirs", to: "a")
        try pair.there.synchronize()
        try pair.here.startEngine().scan(.everything)
        try pair.here.write("mine", to: "a")
        // Without another scan it would be taken for the file that was synced.
        try pair.here.synchronize(nil)
        try pair.settle()
        #expect(try pair.files(pair.here) == ["a": "theirs", "a (conflict here)": "mine"])
        #expect(try pair.files(pair.there) == ["a": "theirs", "a (conflict here)": "mine"])
    }

    /// A file of the same length was written between the look at it and the rename: it kept the stamp of
    /// the other content, and could never be sent.
    @Test func defect3AnEditWhileACopyIsMadeIsReadAgain() throws {
        for calls in 1... {
            let pair = try TwoDevices()
            try pair.there.write("old", to: "a")
            try pair.settle()
            try pair.there.write("theirs", to: "a")
            try pair.there.synchronize()
            try pair.here.write("mine 1", to: "a")
            let disk = pair.here.disk
            let start = disk.calls
            disk.interfere(afterCalls: calls) {
                try? disk.asUser { disk throws(FileError) in
                    for entry in try disk.list("") {
                        guard let name = entry.name, entry.status?.kind == .file,
                            try disk.contents(of: name) == Array("mine 1".utf8)
                        else { continue }
                        try disk.replaceContents(of: name, with: Array("mine 2".utf8))
                    }
                }
            }
            try pair.here.synchronize()
            let isOver = disk.calls < start + calls
            disk.interfere(afterCalls: .max / 2) {}
            try pair.settle()
            let texts = Set(try pair.files(pair.here).values)
            #expect(texts == ["theirs", isOver ? "mine 1" : "mine 2"], "saved at call \(calls)")
            #expect(try pair.files(pair.here) == (try pair.files(pair.there)))
            if isOver { break }
        }
    }

    @Test func defect3ADeletionIsNotDoneToAFileThatWasNeverScanned() throws {
        let pair = try TwoDevices()
        try pair.there.write("old", to: "a")
        try pair.settle()
        try pair.there.remove("a")
        try pair.there.synchronize()
        let engine = pair.here.startEngine()
        try engine.scan(.everything)
        try engine.pull()
        // After the scan another file takes the place.
        try pair.here.remove("a")
        try pair.here.write("another", to: "a")
        try pair.here.synchronize(nil)
        try pair.settle()
        #expect(try pair.files(pair.here) == ["a": "another"])
        #expect(try pair.files(pair.there) == ["a": "another"])
    }

    @Test func defect7ABlockThatIsNotWhatItsNameSaysIsNotWritten() throws {
        let pair = try TwoDevices()
        try pair.there.write("the content", to: "a")
        try pair.there.write("fine", to: "b")
        try pair.there.synchronize()
        let cid = try #require(pair.server.tree()["a"]?.content)
        pair.server.damage(cid)
        try pair.here.synchronize()
        #expect(try pair.files(pair.here) == ["b": "fine"])
        #expect(pair.here.engine?.waitingItems().first?.reason == .blockMissing(cid.description))
    }

    @Test func defect13AJournalOfManyPagesIsReadInOrderToItsEnd() throws {
        let random = SimulationRandom(seed: 1)
        let clock = SimulatedClock()
        let server = ModelServer(root: NodeID(bits: 1), ignoresCase: true)
        let one = try SimulatedDevice(
            name: "one", server: server, names: .bytes, canExchange: true, clock: clock, random: random,
            batch: 3)
        let two = try SimulatedDevice(
            name: "two", server: server, names: .bytes, canExchange: true, clock: clock, random: random,
            batch: 3)
        try two.synchronize()
        for number in 0..<40 { try one.write("\(number)", to: "f\(number)") }
        try one.synchronize()
        try two.synchronize()
        #expect(try two.tree() == (try one.tree()))
        #expect(try two.state.cursor()?.jid == 40)
    }

    @Test func defect17AListOfVeryManyLeavesIsApplied() throws {
        let leaves = try (0..<80_000).map { number in
            Leaf(cid: try PlannedTrees.content(number % 1000), bytes: 80)
        }
        var changed = leaves
        changed[40_000] = Leaf(cid: try PlannedTrees.content(-1), bytes: 81)
        let root = try PlannedTrees.content(-2)
        let edit = LeafLists.edit(from: leaves, root: root, to: changed)
        #expect(edit.splices.map(\.insert.count) == [1])
        #expect(LeafLists.apply(edit, to: leaves) == changed)
    }

    @Test func anEditOfLeavesThatDoesNotFitIsRefused() throws {
        let leaf = Leaf(cid: try PlannedTrees.content(1), bytes: 1)
        func apply(_ splices: [LeafEdit.Splice]) -> [Leaf]? {
            LeafLists.apply(LeafEdit(splices: splices), to: [leaf, leaf])
        }
        #expect(apply([.init(start: 3, remove: 0, insert: [])]) == nil)
        #expect(apply([.init(start: 1, remove: 2, insert: [])]) == nil)
        #expect(apply([.init(start: 1, remove: .max, insert: [])]) == nil)
        #expect(apply([.init(start: -1, remove: 0, insert: [])]) == nil)
        #expect(
            apply([.init(start: 1, remove: 1, insert: []), .init(start: 0, remove: 0, insert: [])]) == nil)
        #expect(apply([.init(start: 0, remove: 0, insert: [Leaf(cid: leaf.cid, bytes: -1)])]) == nil)
        #expect(apply([.init(start: 1, remove: 1, insert: [leaf, leaf])])?.count == 3)
    }
}
