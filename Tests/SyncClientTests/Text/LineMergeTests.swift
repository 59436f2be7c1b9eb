import Testing

@testable import SyncClient

@Suite struct LineMergeTests {
    private func merge(_ base: String, _ ours: String, _ theirs: String) -> String? {
        LineMerge.merge(base: Array(base.utf8), ours: Array(ours.utf8), theirs: Array(theirs.utf8))
            .map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func takesBothChangesWhereTheyAreApart() {
        #expect(merge("a\nb\nc\nd\ne\n", "A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\n") == "A\nb\nc\nd\nE\n")
        #expect(merge("a\nb\nc\n", "a\nc\n", "a\nb\nc\nd\n") == "a\nc\nd\n")
        #expect(merge("a\nb\nc\n", "new\na\nb\nc\n", "a\nb\nc\nend") == "new\na\nb\nc\nend")
        #expect(merge("", "", "x") == "x")
        #expect(merge("a\n", "b\n", "b\n") == "b\n")
        #expect(merge("a\nb\nc\n", "a\nx\nc\n", "a\nx\nc\nd\n") == "a\nx\nc\nd\n")
    }

    @Test func refusesWhatTouches() {
        #expect(merge("a\nb\nc\n", "a\nx\nc\n", "a\ny\nc\n") == nil)
        #expect(merge("a\nb\nc\n", "a\nc\n", "a\ny\nc\n") == nil)
        #expect(merge("a\nb\n", "x\nb\n", "a\ny\n") == nil)
        #expect(merge("a\nb\n", "a\nx\nb\n", "a\ny\nb\n") == nil)
        #expect(merge("a", "b", "a\n") == nil)
        #expect(LineMerge.merge(base: [0], ours: [0, 1], theirs: [2, 0]) == nil)
        #expect(LineMerge.merge(base: [10], ours: [0xFF, 10], theirs: [10, 65]) == nil)
    }

    @Test func textsThatDifferTooMuchAreNotMerged() {
        let base = (0..<1600).map { "\($0)\n" }.joined()
        let other = (0..<1600).map { "x\($0)\n" }.joined()
        #expect(merge(base, other, base + "end\n") == nil)
        #expect(merge(base, base, other) == other)
    }

    /// Two change lines of their own; where a line is between, both changes are there.
    @Test(arguments: Array(0..<200) as [UInt64])
    func mergesWhatWasDoneToDifferentLines(seed: UInt64) {
        var random = LocalRandom(seed: seed)
        let base = (0..<Int.random(in: 0...40, using: &random)).map { _ in
            "\(Int.random(in: 0...9, using: &random))\n"
        }
        // Each third line is nobody's.
        func change(_ third: Int, _ tag: String) -> [[String]] {
            base.enumerated().map { index, line in
                guard index % 6 == third, Bool.random(using: &random) else { return [line] }
                switch Int.random(in: 0..<3, using: &random) {
                case 0: return []
                case 1: return ["\(tag)\(index)\n"]
                default: return [line, "\(tag)+\(index)\n"]
                }
            }
        }
        let (ours, theirs) = (change(1, "o"), change(4, "t"))
        let expected = base.indices.flatMap { index in
            ours[index] == [base[index]] ? theirs[index] : ours[index]
        }
        let (mine, other) = (ours.joined().joined(), theirs.joined().joined())
        let merged = merge(base.joined(), mine, other)
        // Equal lines beside each other let a change be read in two ways, of which one may touch the other
        // change.
        if let merged {
            #expect(merged.count == expected.joined().count)
            #expect(
                merged.split(separator: "\n").sorted() == expected.joined().split(separator: "\n").sorted())
        }
        #expect(merge(base.joined(), other, mine) == merged)
        #expect(merge(base.joined(), mine, base.joined()) == mine)
        if Set(base).count == base.count { #expect(merged == expected.joined()) }
    }

    @Test(arguments: Array(0..<100) as [UInt64])
    func findsTheLongestCommonLines(seed: UInt64) throws {
        var random = LocalRandom(seed: seed)
        func lines() -> [Int32] {
            (0..<Int.random(in: 0...30, using: &random)).map { _ in Int32.random(in: 0...4, using: &random) }
        }
        let (first, second) = (lines(), lines())
        let matches = try #require(LineDifference(first, second)).matches
        var last = -1
        for (index, match) in matches.enumerated() where match >= 0 {
            #expect(match > last && first[index] == second[match])
            last = match
        }
        #expect(matches.count { $0 >= 0 } == Self.longest(first, second))
    }

    /// By the table of all pairs.
    private static func longest(_ first: [Int32], _ second: [Int32]) -> Int {
        var row = [Int](repeating: 0, count: second.count + 1)
        for a in first {
            var diagonal = 0
            for (index, b) in second.enumerated() {
                let above = row[index + 1]
                row[index + 1] = a == b ? diagonal + 1 : max(above, row[index])
                diagonal = above
            }
        }
        return row[second.count]
    }
}
