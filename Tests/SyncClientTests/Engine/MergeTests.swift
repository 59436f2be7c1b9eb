import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

/// Texts that both sides changed, in a namespace that has them merged.
@Suite struct MergeTests {
    private static let base = (0..<40).map { "line \($0)\n" }.joined()

    /// Both start with a text, change it while they do not know of each other, and settle.
    private func settled(
        _ base: String, here: String, there: String, canExchange: Bool = true,
        meanwhile: (TwoDevices) throws -> Void = { _ in }
    ) throws -> TwoDevices {
        let pair = try TwoDevices(canExchange: canExchange, mergesText: true)
        try pair.there.write(base, to: "a.txt")
        try pair.settle()
        try pair.here.write(here, to: "a.txt")
        try pair.there.write(there, to: "a.txt")
        try pair.there.synchronize()
        try meanwhile(pair)
        try pair.settle()
        #expect(pair.here.engine?.status.activity == .settled)
        #expect(try pair.files(pair.here) == pair.files(pair.there))
        return pair
    }

    @Test(arguments: [true, false]) func bothChangesAreInOneText(canExchange: Bool) throws {
        let here = Self.base.replacing("line 3\n", with: "line three\n")
        let there = Self.base.replacing("line 30\n", with: "")
        let pair = try settled(Self.base, here: here, there: there, canExchange: canExchange)
        let both = here.replacing("line 30\n", with: "")
        #expect(try pair.files(pair.here) == ["a.txt": both])
        #expect(pair.here.engine?.status.counters.merged == 1)
        #expect(pair.here.engine?.status.counters.conflictCopies == 0)
        // What was here before is not lost.
        #expect(try pair.here.trash().contains(here))
    }

    @Test func linesThatTouchAreAConflictAsEver() throws {
        let here = Self.base.replacing("line 3\n", with: "mine\n")
        let there = Self.base.replacing("line 3\n", with: "theirs\n")
        let pair = try settled(Self.base, here: here, there: there)
        #expect(try pair.files(pair.here) == ["a.txt": there, "a (conflict here).txt": here])
        #expect(pair.here.engine?.status.counters.merged == 0)
    }

    @Test func whatIsNoTextIsAConflictAsEver() throws {
        let pair = try settled("a\0b\nc\nd\n", here: "a\0b\nc\nD\n", there: "A\0b\nc\nd\n")
        #expect(
            try pair.files(pair.here) == [
                "a.txt": "A\0b\nc\nd\n", "a (conflict here).txt": "a\0b\nc\nD\n",
            ])
    }

    /// Without the policy nothing is merged.
    @Test func nothingIsMergedUnasked() throws {
        let pair = try TwoDevices()
        try pair.there.write(Self.base, to: "a.txt")
        try pair.settle()
        try pair.here.write(Self.base + "mine\n", to: "a.txt")
        try pair.there.write("theirs\n" + Self.base, to: "a.txt")
        try pair.there.synchronize()
        try pair.settle()
        #expect(try pair.files(pair.here).count == 2)
    }

    /// Lines are changed at random on both sides: the merge has every change, or there are two files, and
    /// no line that somebody wrote is nowhere.
    @Test(arguments: Array(0..<40) as [UInt64]) func noLineIsLost(seed: UInt64) throws {
        var random = LocalRandom(seed: seed)
        func changed(_ who: String) -> String {
            var lines = Self.base.split(separator: "\n").map(String.init)
            for number in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<lines.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: lines[place] = "\(who) \(number)"
                case 1: lines.insert("\(who) \(number)", at: place)
                default: lines.remove(at: place)
                }
            }
            return lines.joined(separator: "\n") + "\n"
        }
        let (here, there) = (changed("here"), changed("there"))
        let pair = try settled(Self.base, here: here, there: there)
        let files = try pair.files(pair.here)
        let found = Set(files.values.joined().split(separator: "\n"))
        for text in [here, there] {
            for line in text.split(separator: "\n") where !line.hasPrefix("line") {
                #expect(found.contains(line), "\(line) of \(text)")
            }
        }
        if files.count == 1 { #expect(pair.here.engine?.status.counters.merged ?? 0 <= 1) }
    }
}
