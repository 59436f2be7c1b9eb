import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

@Suite struct DirectoryEditorTests {
    /// Random edits, each compared with building the same entries from scratch: the CID says all.
    @Test(arguments: SeededRandom.seeds(48))
    func editingEqualsBuildingFromScratch(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let estimate = random.pick(DirectoryParameters.HAMTEstimate.allCases)
        let parameters = DirectorySamples.parameters(
            estimate: estimate, threshold: estimate == .links ? 12 : 700, fanout: 1 << random.number(3...5))
        let source = DictionaryBlockSource()
        var model: [[UInt8]: DirectoryEntry] = [:]
        var root = try DirectorySamples.build([], parameters, into: source)
        var kinds: Set<Bool> = []
        for step in 0..<40 {
            // Ten steps mostly of growth, ten mostly of loss, so that the threshold is crossed both ways.
            let isGrowing = step / 10 % 2 == 0
            var editor = try DirectoryEditor(source: source, root: root.cid, parameters: parameters)
            for _ in 0..<random.number(0...6) {
                let entry = try DirectorySamples.entry(named: "n\(random.number(0..<40))", &random)
                if random.oneIn(4) != isGrowing {
                    try editor.set(entry)
                    model[entry.name] = entry
                } else {
                    editor.remove(entry.name)
                    model[entry.name] = nil
                }
                #expect(try editor.entry(named: entry.name) == model[entry.name])
            }
            root = try editor.finish { source.insert($0) }
            kinds.insert(root.isSharded)
            let expected = try DirectorySamples.build(model.values, parameters)
            #expect(root == expected)
        }
        #expect(kinds.count == 2, "both kinds of directory were met")
    }

    @Test func onlyShardsOnTheWayAreReadAndWritten() throws {
        var random = SeededRandom(seed: 1)
        let entries = try DirectorySamples.entries(20_000, &random)
        let parameters = DirectorySamples.parameters(fanout: 256)
        let source = DictionaryBlockSource()
        let root = try DirectorySamples.build(entries, parameters, into: source)
        var editor = try DirectoryEditor(source: source, root: root.cid, parameters: parameters)
        source.resetCounters()
        try editor.set(try DirectorySamples.entry(named: "one more", &random))
        var written = 0
        _ = try editor.finish { _ in written += 1 }
        #expect(written <= 3)
        #expect(source.readCount <= 6)
    }

    @Test func shardsThatAreLeftWithOneEntryCollapse() throws {
        var random = SeededRandom(seed: 2)
        let entries = try DirectorySamples.entries(400, &random)
        let parameters = DirectorySamples.parameters(estimate: .links, threshold: 4)
        let source = DictionaryBlockSource()
        let root = try DirectorySamples.build(entries, parameters, into: source)
        var editor = try DirectoryEditor(source: source, root: root.cid, parameters: parameters)
        for entry in entries.dropFirst(5) { editor.remove(entry.name) }
        let edited = try editor.finish { _ in }
        #expect(try edited == DirectorySamples.build(entries.prefix(5), parameters))
        #expect(edited.isSharded)
    }

    @Test func metadataAloneCanBeChanged() throws {
        var random = SeededRandom(seed: 3)
        for count in [3, 300] {
            let entries = try DirectorySamples.entries(count, &random)
            let source = DictionaryBlockSource()
            let root = try DirectorySamples.build(entries, DirectorySamples.parameters(), into: source)
            var editor = try DirectoryEditor(
                source: source, root: root.cid, parameters: DirectorySamples.parameters())
            editor.metadata.mode = 0o700
            let metadata = UnixFSMetadata(mode: 0o700)
            #expect(
                try editor.finish { _ in }
                    == DirectorySamples.build(entries, DirectorySamples.parameters(), metadata: metadata))
        }
    }
}
