import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

/// A namespace that has no room: what needs none goes, and what needs some goes as soon as there is.
@Suite struct RoomTests {
    private let pair: TwoDevices

    init() throws {
        pair = try TwoDevices()
        for name in ["a", "b", "c"] { try pair.there.write(String(repeating: name, count: 100), to: name) }
        try pair.settle()
        pair.server.set(quota: 300)
    }

    private var pause: FolderStatus.Pause? { pair.here.engine?.status.uploadsPaused }

    /// Has a change of one device looked at by both, at this moment.
    private func exchange() throws {
        try pair.here.synchronize()
        try pair.there.synchronize()
    }

    @Test(arguments: [1, 100]) func removalsAndMovesDoNotWaitForRoom(batch: Int) throws {
        let pair = try TwoDevices { $0.commitBatch = batch }
        for name in ["a", "b", "c"] { try pair.there.write(String(repeating: name, count: 100), to: name) }
        try pair.settle()
        pair.server.set(quota: 300)
        try pair.here.write(String(repeating: "d", count: 250), to: "d")
        try pair.here.synchronize()
        let pause = try #require(pair.here.engine?.status.uploadsPaused)
        #expect(pause.isForRoom)
        try pair.here.remove("a")
        try pair.here.makeDirectory("old")
        try pair.here.move("b", to: "old/b")
        try pair.here.write("0", to: "0")
        try pair.here.write(String(repeating: "e", count: 250), to: "e")
        try pair.here.synchronize()
        try pair.there.synchronize()
        // There is room for the smallest by then.
        #expect(try pair.files(pair.there).keys.sorted() == ["0", "c", "old", "old/b"])
        #expect(pair.here.engine?.status.uploadsPaused?.isForRoom == true)
    }

    @Test func whatIsRemovedMakesRoomAtOnce() throws {
        try pair.here.write(String(repeating: "d", count: 150), to: "d")
        try exchange()
        #expect(pause?.isForRoom == true)
        #expect(try pair.files(pair.there)["d"] == nil)
        for name in ["a", "b"] { try pair.here.remove(name) }
        try exchange()
        #expect(try pair.files(pair.there).keys.sorted() == ["c", "d"])
        #expect(pause == nil && pair.here.engine?.status.activity == .settled)
    }

    @Test func itGoesOnWhenSomebodySaysThatThereIsRoomOrAfterAMinute() throws {
        for hasWord in [false, true] {
            let name = "d\(hasWord)"
            try pair.here.write(String(repeating: "d", count: 150), to: name)
            try exchange()
            pair.server.set(quota: 1000)
            try exchange()
            #expect(try pair.files(pair.there)[name] == nil, "the node is not asked with each pass")
            if hasWord { pair.here.engine?.askForRoom() } else { pair.clock.advance(milliseconds: 61_000) }
            try exchange()
            #expect(try pair.files(pair.there)[name] != nil)
            #expect(pause == nil)
            pair.server.set(quota: 500)
        }
    }

    /// A node that is asked in vain is asked with one file, and not again before the next time.
    @Test func aFileThatIsGoneAgainIsWaitedForNoMore() throws {
        try pair.here.write(String(repeating: "d", count: 150), to: "d")
        try pair.here.synchronize()
        #expect(pause?.isForRoom == true && pair.here.engine?.nextRetry == nil)
        pair.clock.advance(milliseconds: 61_000)
        let failures = pair.here.engine?.status.counters.failures ?? 0
        for name in ["e", "f", "g"] { try pair.here.write(String(repeating: name, count: 200), to: name) }
        try pair.here.synchronize()
        #expect(pair.here.engine?.status.counters.failures == failures + 1)
        for name in ["d", "e", "f", "g"] { try pair.here.remove(name) }
        try pair.here.synchronize()
        #expect(pause == nil && pair.here.engine?.status.activity == .settled)
    }
}
