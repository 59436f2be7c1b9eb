import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

@Suite struct DirectoryReaderTests {
    @Test(arguments: SeededRandom.seeds(24))
    func entriesAreListedFoundAndPaged(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let parameters = DirectorySamples.parameters(fanout: 1 << random.number(3...10))
        let entries = try DirectorySamples.entries(random.pick([0, 1, 2, 5, 20, 300]), &random)
        let source = DictionaryBlockSource()
        let root = try DirectorySamples.build(random.shuffled(entries), parameters, into: source)
        let reader = try DirectoryReader(source: source, root: root.cid)
        #expect(reader.isSharded == root.isSharded)

        var listed: [DirectoryEntry] = []
        try reader.forEach { listed.append($0) }
        #expect(listed.count == entries.count)
        #expect(Set(listed) == Set(entries))
        for entry in entries { #expect(try reader.entry(named: entry.name) == entry) }
        #expect(try reader.entry(named: Array("absent".utf8)) == nil)

        var paged: [DirectoryEntry] = []
        var cursor: DirectoryCursor?
        repeat {
            let limit = random.number(1...50)
            let page = try reader.page(after: cursor, limit: limit)
            #expect(page.next == nil || page.entries.count == limit)
            paged += page.entries
            cursor = try page.next.map { try DirectoryCursor(text: $0.description) }
        } while cursor != nil
        #expect(paged == listed)
    }

    @Test func basicDirectoriesAreSortedByTheBytesOfTheNames() throws {
        var random = SeededRandom(seed: 1)
        let names = ["b", "a", "abcdefgh", "abcdefghi", "abcdefg", "ab", "é", "Z", "a b", "\u{1}"]
        let source = DictionaryBlockSource()
        let entries = try names.map { try DirectorySamples.entry(named: $0, &random) }
        let root = try DirectorySamples.build(
            entries, DirectorySamples.parameters(threshold: nil), into: source)
        var listed: [[UInt8]] = []
        try DirectoryReader(source: source, root: root.cid).forEach { listed.append($0.name) }
        #expect(listed == names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
    }

    @Test func oneEntryIsFoundByReadingOnlyTheShardsOnTheWay() throws {
        var random = SeededRandom(seed: 2)
        let entries = try DirectorySamples.entries(20_000, &random)
        let source = DictionaryBlockSource()
        let root = try DirectorySamples.build(
            entries, DirectorySamples.parameters(fanout: 256), into: source)
        let reader = try DirectoryReader(source: source, root: root.cid)
        source.resetCounters()
        #expect(try reader.entry(named: entries[4711].name) == entries[4711])
        #expect((1...2).contains(source.readCount))
    }

    @Test func aPageReadsNoShardThatLiesBeforeIt() throws {
        var random = SeededRandom(seed: 3)
        let entries = try DirectorySamples.entries(20_000, &random)
        let source = DictionaryBlockSource()
        let root = try DirectorySamples.build(
            entries, DirectorySamples.parameters(fanout: 256), into: source)
        let reader = try DirectoryReader(source: source, root: root.cid)
        let first = try reader.page(limit: 10_000)
        source.resetCounters()
        let second = try reader.page(after: first.next, limit: 10)
        #expect(second.entries.count == 10)
        #expect(source.readCount < 30)
    }

    @Test func everyBlockOfADirectoryIsVisited() throws {
        var random = SeededRandom(seed: 4)
        let source = DictionaryBlockSource()
        let entries = try DirectorySamples.entries(500, &random)
        let root = try DirectorySamples.build(entries, DirectorySamples.parameters(), into: source)
        var visited: [CID] = []
        try DirectoryReader(source: source, root: root.cid).forEachBlock { visited.append($0.cid) }
        #expect(visited.first == root.cid)
        #expect(visited.count == source.count)
        #expect(Set(visited).count == source.count)
    }

    @Test func aMissingShardIsNamed() throws {
        var random = SeededRandom(seed: 5)
        let source = DictionaryBlockSource()
        let entries = try DirectorySamples.entries(100, &random)
        let root = try DirectorySamples.build(entries, DirectorySamples.parameters(), into: source)
        let reader = try DirectoryReader(source: source, root: root.cid)
        var shards: [CID] = []
        try reader.forEachBlock { shards.append($0.cid) }
        let last = try #require(shards.last)
        source.remove(last)
        #expect(throws: UnixFSDirectoryError.missingBlock(last)) { try reader.forEach { _ in } }
    }

    @Test(arguments: ["", "@", "1", "f1", "@x", "@-1", "@+1", "@11112222333344445"])
    func aCursorThatNobodyGaveIsRefused(text: String) {
        #expect(throws: UnixFSDirectoryError.badCursor(text)) { try DirectoryCursor(text: text) }
    }

    @Test func cursorsBeyondTheEndGiveAnEmptyPage() throws {
        let source = DictionaryBlockSource()
        let root = try DirectorySamples.build([], DirectorySamples.parameters(), into: source)
        let reader = try DirectoryReader(source: source, root: root.cid)
        let end = try DirectoryCursor(text: "@ffffffffffffffff")
        #expect(try reader.page(after: end, limit: .max) == DirectoryPage(entries: []))
    }
}

@Suite struct DirectoryBuilderTests {
    @Test(arguments: [nil, 0])
    func aNameThatIsThereTwiceIsRefused(threshold: Int?) throws {
        var random = SeededRandom(seed: 6)
        let entries = try DirectorySamples.entries(10, &random)
        let parameters = DirectorySamples.parameters(threshold: threshold)
        #expect(throws: UnixFSDirectoryError.duplicateName(entries[3].name)) {
            try DirectorySamples.build(entries + [entries[3]], parameters)
        }
    }

    @Test(arguments: ["", ".", "..", "a/b", "/", "a\u{0}"])
    func aNameThatNoEntryCanHaveIsRefused(name: String) throws {
        var random = SeededRandom(seed: 7)
        let entry = try DirectorySamples.entry(named: name, &random)
        #expect(throws: UnixFSDirectoryError.badName(entry.name)) {
            try DirectorySamples.build([entry], .unixfsV1_2025)
        }
    }

    @Test func namesOfAnyOtherBytesSurvive() throws {
        var random = SeededRandom(seed: 8)
        var entry = try DirectorySamples.entry(named: "x", &random)
        entry.name = Array(1...255).filter { $0 != 0x2F }
        let source = DictionaryBlockSource()
        let root = try DirectorySamples.build([entry], .unixfsV1_2025, into: source)
        #expect(try DirectoryReader(source: source, root: root.cid).entry(named: entry.name) == entry)
    }

    @Test func sizesThatOverflowAreRefused() throws {
        var random = SeededRandom(seed: 9)
        var entries = try DirectorySamples.entries(2, &random)
        for index in entries.indices { entries[index].dagBytes = .max }
        for threshold in [nil, 0] {
            #expect(throws: UnixFSDirectoryError.sizesOverflow) {
                try DirectorySamples.build(entries, DirectorySamples.parameters(threshold: threshold))
            }
        }
    }

    @Test func modeAndTimeStandInTheRootOfAHAMTOnly() throws {
        var random = SeededRandom(seed: 10)
        let entries = try DirectorySamples.entries(100, &random)
        let metadata = UnixFSMetadata(mode: 0o755, mtime: UnixFSTime(seconds: -1, nanoseconds: 5))
        let (plain, timed) = (DictionaryBlockSource(), DictionaryBlockSource())
        try DirectorySamples.build(entries, DirectorySamples.parameters(), into: plain)
        let root = try DirectorySamples.build(
            entries, DirectorySamples.parameters(), metadata: metadata, into: timed)
        #expect(try DirectoryReader(source: timed, root: root.cid).metadata == metadata)
        try DirectorySamples.build(entries, DirectorySamples.parameters(), into: timed)
        #expect(timed.count == plain.count + 1)
    }

    @Test func aDirectoryThatIsNeverShardedKeepsWithinABlock() throws {
        var random = SeededRandom(seed: 11)
        var entry = try DirectorySamples.entry(named: "x", &random)
        var builder = DirectoryBuilder(parameters: DirectorySamples.parameters(threshold: nil))
        for number in 0..<2200 {
            entry.name = Array(String(number).utf8) + [UInt8](repeating: 0x78, count: 4000)
            try builder.add(name: entry.name, cid: entry.cid, dagBytes: 0)
        }
        #expect(throws: UnixFSDirectoryError.self) { try builder.finish { _ in } }
    }
}
