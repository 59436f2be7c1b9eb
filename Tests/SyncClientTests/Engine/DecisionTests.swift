import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

/// One command makes one side what the other is, where changes go one way.
@Suite struct DecisionTests {
    private static let start = ["d": "/", "d/a": "a", "d/b": "b", "c": "c"]

    private func pair(_ mode: SyncPolicy.Mode) throws -> TwoDevices {
        let pair = try TwoDevices()
        try pair.there.makeDirectory("d")
        for path in ["d/a", "d/b", "c"] { try pair.there.write(String(path.last ?? "?"), to: path) }
        try pair.settle()
        pair.here.stop()
        pair.here.options.mode = mode
        return pair
    }

    private func decide(_ pair: TwoDevices, for side: SyncEngine.Side) throws {
        pair.clock.advance(milliseconds: 4_000_000)
        try pair.here.startEngine().decide(for: side)
    }

    private func isSettled(_ device: SimulatedDevice) -> Bool {
        device.engine?.status.activity == .settled && device.engine?.waitingItems().isEmpty == true
    }

    @Test func whatAFolderThatReceivesWasMadeIsTakenBack() throws {
        let pair = try pair(.pullOnly)
        try pair.here.write("edited", to: "d/a")
        try pair.here.remove("d/b")
        try pair.here.move("c", to: "moved")
        try pair.here.makeDirectory("new")
        try pair.here.write("mine", to: "new/file")
        try pair.settle()
        #expect(!isSettled(pair.here))
        let head = pair.server.head
        try decide(pair, for: .node)
        #expect(try pair.files(pair.here) == Self.start)
        #expect(try pair.here.trash() == ["edited", "mine"])
        #expect(isSettled(pair.here) && pair.server.head == head)
        // Decided once, and not for what comes.
        try pair.here.write("later", to: "d/a")
        try pair.settle()
        #expect(try pair.files(pair.here)["d/a"] == "later")
    }

    @Test func whatOthersMadeOfTheNamespaceOfAFolderThatSendsIsTakenBack() throws {
        let pair = try pair(.pushOnly)
        try pair.there.write("edited", to: "d/a")
        try pair.there.remove("d/b")
        try pair.there.move("c", to: "moved")
        try pair.there.makeDirectory("new")
        try pair.there.write("theirs", to: "new/file")
        try pair.settle()
        #expect(!isSettled(pair.here))
        let journal = pair.server.journal
        try decide(pair, for: .folder)
        #expect(isSettled(pair.here))
        try pair.settle()
        #expect(try pair.files(pair.here) == Self.start)
        #expect(try pair.files(pair.there) == Self.start)
        #expect(pair.server.journal.starts(with: journal), "the journal has what was, and goes on")
        #expect(pair.server.history.contains(try #require(SimulatedUser.root(of: Array("theirs".utf8)))))
    }

    @Test func aFolderThatGoesBothWaysHasNothingToDecide() throws {
        let pair = try pair(.twoWay)
        for side in SyncEngine.Side.allCases {
            let expected = side == .node ? SyncEngineError.changesGoThere : .changesComeHere
            #expect(throws: expected) { try decide(pair, for: side) }
        }
    }

    @Test func moreThanAPersonWouldBeAskedAboutIsTakenBack() throws {
        let pair = try pair(.pullOnly)
        for number in 0..<150 { try pair.here.write("\(number)", to: "n\(number)") }
        try pair.settle()
        try decide(pair, for: .node)
        #expect(try pair.files(pair.here) == Self.start && isSettled(pair.here))
        #expect(try pair.here.trash().count == 150)
    }

    /// What somebody took back by hand was listed until everything else was done as well.
    @Test func whatIsHeldNoMoreIsNotListed() throws {
        let pair = try pair(.pullOnly)
        try pair.here.write("one", to: "one")
        try pair.here.write("two", to: "two")
        try pair.settle()
        #expect(pair.here.engine?.waitingItems().map(\.path).sorted() == ["one", "two"])
        try pair.here.remove("one")
        try pair.settle()
        #expect(pair.here.engine?.waitingItems().map(\.path) == ["two"])
        #expect(pair.here.engine?.nextRetry == nil, "nothing is tried again by itself")
    }

    /// Random changes on both sides; in the end one side is what the other was, and nothing that anybody
    /// wrote is gone.
    @Test(arguments: SyncEngine.Side.allCases, 0..<10)
    func anyTwoSidesBecomeTheOneThatStands(side: SyncEngine.Side, group: Int) throws {
        for seed in group * 20..<(group + 1) * 20 {
            let pair = try TwoDevices(ignoresCase: side == .node) {
                $0.mode = side == .node ? .pullOnly : .pushOnly
            }
            let random = SimulationRandom(seed: UInt64(seed))
            let contents = WrittenContents()
            func act(_ device: SimulatedDevice, _ times: Int) {
                var user = SimulatedUser(
                    disk: device.disk, name: device.name, random: random, contents: contents,
                    server: pair.server, clock: pair.clock)
                // A folder whose names are not all names of the namespace does not stay what it is.
                if side == .folder { user.ownNames.removeAll { $0.unicodeScalars.count == 2 } }
                for _ in 0..<times { user.act() }
            }
            act(side == .node ? pair.there : pair.here, 12)
            try pair.settle()
            act(pair.here, random.number(1...8))
            act(pair.there, random.number(1...8))
            if random.oneIn(2) { try pair.settle() }
            try pair.there.synchronize()
            let (here, there) = (try pair.here.tree(), try pair.there.tree())
            try decide(pair, for: side)
            if pair.here.engine?.status.activity != .settled { try decide(pair, for: side) }
            #expect(isSettled(pair.here), "seed \(seed): \(pair.here.engine?.waitingItems() ?? [])")
            try pair.settle()
            let (hereNow, thereNow) = (try pair.here.tree(), try pair.there.tree())
            #expect(hereNow == thereNow, "seed \(seed): the sides differ")
            #expect(hereNow == (side == .node ? there : here), "seed \(seed): the wrong side stands")
            var kept = try pair.here.contents().union(try pair.there.contents())
            kept.formUnion(
                contents.kept.filter { SimulatedUser.root(of: $0).map(pair.server.history.contains) == true })
            #expect(contents.kept.subtracting(kept).isEmpty, "seed \(seed): content is gone")
        }
    }
}
