import Testing

@testable import SyncClient

/// A machine that stops at each step of a pass in turn, and starts again.
@Suite struct CrashTests {
    /// Of several leaves, as what is received in pieces.
    private static func large(_ text: String) -> String {
        (0..<300).map { "line \($0) of \(text)\n" }.joined()
    }

    private static let old = ["a": large("old a"), "b": "b", "d": "/", "d/c": "c", "moved": "moved"]
    private static let new = [
        "a": large("new a"), "d": "/", "d/c2": "c", "e": "/", "e/new": "new", "e/moved": "moved",
    ]

    /// A pair in which `there` has changes of all kinds on the server, which `here` does not know yet.
    private func makePair(canExchange: Bool) throws -> TwoDevices {
        let pair = try TwoDevices(canExchange: canExchange)
        for (path, text) in Self.old.sorted(by: { $0.key < $1.key }) {
            if text == "/" {
                try pair.there.makeDirectory(path)
            } else {
                try pair.there.write(text, to: path)
            }
        }
        try pair.settle()
        try pair.there.write(Self.large("new a"), to: "a")
        try pair.there.remove("b")
        try pair.there.move("d/c", to: "d/c2")
        try pair.there.makeDirectory("e")
        try pair.there.write("new", to: "e/new")
        try pair.there.move("moved", to: "e/moved")
        try pair.there.synchronize()
        return pair
    }

    /// What may be on the disk at any moment, by path.
    private func expectOldOrNew(_ pair: TwoDevices, _ step: Int, canExchange: Bool) throws {
        for (path, text) in try pair.files(pair.here) {
            let isKnown =
                [Self.old[path], Self.new[path]].contains(text) || path.hasPrefix(".nacre-swap-")
            #expect(isKnown, "step \(step): `\(path)` is `\(text)`, which is neither old nor new")
        }
        guard canExchange else { return }
        #expect(
            try pair.files(pair.here)["a"] != nil, "step \(step): the file was gone while it was replaced")
    }

    @Test(arguments: [true, false])
    func aCrashAtAnyCallLeavesOldOrNewFilesAndIsMadeUpFor(canExchange: Bool) throws {
        for calls in 1... {
            let pair = try makePair(canExchange: canExchange)
            pair.here.disk.crash(afterCalls: calls)
            try pair.here.synchronize()
            let isOver = pair.here.engine != nil
            pair.here.disk.crash(afterCalls: nil)
            try expectOldOrNew(pair, calls, canExchange: canExchange)
            try pair.settle()
            #expect(try pair.files(pair.here) == Self.new, "after a crash at call \(calls)")
            #expect(try pair.files(pair.there) == Self.new, "after a crash at call \(calls)")
            if isOver { break }
        }
    }

    @Test func aCrashAtAnyTransactionIsMadeUpFor() throws {
        for count in 0... {
            let pair = try makePair(canExchange: true)
            pair.here.state.crashIn = count
            try pair.here.synchronize()
            let isOver = pair.here.engine != nil
            pair.here.state.crashIn = nil
            try pair.settle()
            #expect(try pair.files(pair.here) == Self.new, "after a crash in transaction \(count)")
            #expect(try pair.files(pair.there) == Self.new, "after a crash in transaction \(count)")
            if isOver { break }
        }
    }

    @Test func aCrashBetweenCommitAndAnswerMakesNothingTwice() throws {
        for count in 0... {
            let pair = try TwoDevices()
            try pair.here.makeDirectory("d")
            try pair.here.write("x", to: "d/a")
            try pair.here.write("y", to: "b")
            pair.here.state.crashIn = count
            try pair.here.synchronize()
            let isOver = pair.here.engine != nil
            pair.here.state.crashIn = nil
            try pair.settle()
            #expect(try pair.files(pair.there) == ["d": "/", "d/a": "x", "b": "y"])
            #expect(pair.server.journal.count == 3, "after a crash in transaction \(count)")
            if isOver { break }
        }
    }

    @Test func whatAnEarlierRunLeftInTheMakingGoesToTheTrash() throws {
        let pair = try TwoDevices()
        try pair.here.synchronize()
        try pair.here.write("the only copy", to: OwnDirectory.temporary + "/left")
        pair.here.stop()
        try pair.here.synchronize()
        #expect(try pair.here.trash() == ["the only copy"])
    }
}
