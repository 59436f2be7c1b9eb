import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

/// Rights that end while a folder is synced: what may still be done is done, and nothing is removed here.
@Suite struct RightsTests {
    private let pair: TwoDevices

    init() throws {
        pair = try TwoDevices()
        try pair.there.write("a", to: "a")
        try pair.there.write("b", to: "b")
        try pair.settle()
    }

    private var activity: FolderActivity? { pair.here.engine?.status.activity }

    @Test func whoMayOnlyReadReceivesAndHoldsItsOwnChanges() throws {
        pair.here.server.set(mayWrite: false)
        try pair.here.write("edited", to: "a")
        try pair.here.remove("b")
        try pair.here.write("mine", to: "mine")
        try pair.there.write("theirs", to: "theirs")
        try pair.settle()
        #expect(
            try pair.files(pair.here) == ["a": "edited", "mine": "mine", "theirs": "theirs"])
        #expect(try pair.files(pair.there) == ["a": "a", "b": "b", "theirs": "theirs"])
        #expect(activity == .waiting && pair.here.engine?.status.readOnly != nil)
        let items = try #require(pair.here.engine?.waitingItems())
        #expect(items.map(\.path).sorted() == ["a", "b", "mine"])
        #expect(items.allSatisfy { $0.reason.code == "read_only" })
        // What it changed can be taken back, as in a folder that only receives.
        try pair.here.startEngine().decide(for: .node)
        #expect(try pair.files(pair.here) == pair.files(pair.there))
        #expect(activity == .settled)
    }

    @Test func whoMayWriteAgainSendsWhatItHeld() throws {
        pair.here.server.set(mayWrite: false)
        try pair.here.write("edited", to: "a")
        try pair.settle()
        #expect(try pair.files(pair.there)["a"] == "a")
        pair.here.server.set(mayWrite: true)
        // Somebody says so, or some time has passed.
        pair.here.engine?.setMayWrite(true)
        try pair.settle()
        #expect(try pair.files(pair.there)["a"] == "edited")
        #expect(activity == .settled && pair.here.engine?.status.readOnly == nil)
    }

    @Test func theNodeIsAskedAgainAfterAWhile() throws {
        pair.here.server.set(mayWrite: false)
        try pair.here.write("edited", to: "a")
        try pair.here.synchronize()
        pair.here.server.set(mayWrite: true)
        try pair.here.synchronize()
        #expect(pair.here.engine?.status.readOnly != nil, "it is not asked with each pass")
        pair.clock.advance(milliseconds: 700_000)
        try pair.here.synchronize()
        try pair.there.synchronize()
        #expect(try pair.files(pair.there)["a"] == "edited")
    }

    @Test func aNamespaceThatIsGoneStopsTheFolderAndRemovesNothing() throws {
        pair.here.server.set(mayWrite: false, mayRead: false)
        // Also where nothing is to be sent.
        try pair.here.synchronize(nil)
        guard case .stopped("unknown_namespace", _)? = activity else {
            Issue.record("\(String(describing: activity))")
            return
        }
        try pair.here.write("edited", to: "a")
        try pair.settle()
        #expect(try pair.files(pair.here) == ["a": "edited", "b": "b"])
        pair.here.server.set(mayWrite: true)
        try pair.settle()
        #expect(activity == .settled)
        #expect(try pair.files(pair.there) == ["a": "edited", "b": "b"])
    }
}
