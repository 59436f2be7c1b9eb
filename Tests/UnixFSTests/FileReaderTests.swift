import IPLD
import Multiformats
import TestKit
import Synchronization
import Testing
import UnixFS

@Suite struct FileReaderTests {
    /// 1000 leaves of 100 bytes, 10 links a node: leaves, 100 nodes, 10 nodes, the root.
    private func deepFile(rawLeaves: Bool = true) throws -> (DictionaryBlockSource, FileRoot, [UInt8]) {
        var random = SeededRandom(seed: 42)
        let content = random.bytes(100_000)
        var parameters = ImportParameters.unixfsV1_2025
        parameters.chunker = .fixed(bytes: 100)
        parameters.maximumLinks = 10
        parameters.rawLeaves = rawLeaves
        let source = DictionaryBlockSource()
        return (source, try importFile(content, parameters, into: source), content)
    }

    @Test(arguments: [true, false])
    func aRangeFetchesOnlyTheBlocksItNeeds(rawLeaves: Bool) throws {
        let (source, root, content) = try deepFile(rawLeaves: rawLeaves)
        let reader = try UnixFSFileReader(source: source, root: root.cid)
        source.resetCounters()
        #expect(try reader.bytes(54_350..<54_360) == Array(content[54_350..<54_360]))
        #expect(source.readCount == 3)
        source.resetCounters()
        // Two leaves, on both sides of a border between nodes of the first level.
        #expect(try reader.bytes(49_999..<50_001) == Array(content[49_999..<50_001]))
        #expect(source.readCount == 6)
    }

    @Test func anEmptyRangeFetchesNothing() throws {
        let (source, root, _) = try deepFile()
        let reader = try UnixFSFileReader(source: source, root: root.cid)
        source.resetCounters()
        #expect(try reader.bytes(500..<500) == [])
        #expect(try reader.bytes(reader.size..<reader.size) == [])
        #expect(source.readCount == 0)
    }

    @Test func theWholeFileFetchesEachBlockOnceInBatches() throws {
        let (source, root, content) = try deepFile()
        let reader = try UnixFSFileReader(source: source, root: root.cid)
        source.resetCounters()
        #expect(try reader.bytes() == content)
        #expect(source.readCount == 1110)
        #expect(source.batchCount == 111)
    }

    @Test func batchesStayWithinTheirBounds() throws {
        let content = [UInt8](repeating: 7, count: 20_000_000)
        let source = DictionaryBlockSource()
        let root = try importFile(content, .unixfsV1_2025, into: source)
        let recording = RecordingSource(source)
        #expect(try UnixFSFileReader(source: recording, root: root.cid).bytes() == content)
        #expect(recording.batches == [16, 4])
    }

    @Test func aRangeBeyondTheEndIsRefused() throws {
        let (source, root, _) = try deepFile()
        let reader = try UnixFSFileReader(source: source, root: root.cid)
        #expect(throws: UnixFSFileError.rangeOutsideFile(99_999..<100_001, size: 100_000)) {
            try reader.bytes(99_999..<100_001)
        }
        #expect(throws: UnixFSFileError.rangeOutsideFile(0..<UInt64.max, size: 100_000)) {
            try reader.bytes(0..<UInt64.max)
        }
    }

    @Test func aMissingBlockIsNamedWithItsPlaceAfterWhatComesBeforeIt() throws {
        let (source, root, content) = try deepFile()
        let reader = try UnixFSFileReader(source: source, root: root.cid)
        var leaves: [CID] = []
        try reader.forEachBlock { if $0.cid.codec == .raw { leaves.append($0.cid) } }
        source.remove(leaves[345])
        var delivered: [UInt8] = []
        #expect(throws: UnixFSFileError.missingBlock(leaves[345], offset: 34_500)) {
            try reader.read { delivered.append(contentsOf: $0) }
        }
        #expect(delivered == Array(content[..<34_500]))
        #expect(try reader.bytes(34_600..<34_700) == Array(content[34_600..<34_700]))
    }

    @Test func aMissingRootIsNamed() throws {
        let cid = try CID(text: "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e")
        #expect(throws: UnixFSFileError.missingBlock(cid, offset: 0)) {
            try UnixFSFileReader(source: DictionaryBlockSource(), root: cid)
        }
    }

    @Test func anIdentityCIDIsAFile() throws {
        let cid = CID(codec: .raw, multihash: try Multihash(identity: Array("tiny".utf8)))
        #expect(
            try UnixFSFileReader(source: DictionaryBlockSource(), root: cid).bytes() == Array("tiny".utf8))
    }

    @Test func contentInInnerNodesComesBeforeTheChildren() throws {
        let source = DictionaryBlockSource()
        let left = try source.file(.leaf("cd"))
        let right = try source.file(.leaf("gh"))
        let inner = try source.file(.node("ab", [left], [2]))
        let other = try source.file(.node("ef", [right], [2]))
        let root = try source.file(.node("", [inner, other], [4, 4]))
        let reader = try UnixFSFileReader(source: source, root: root)
        #expect(try reader.bytes() == Array("abcdefgh".utf8))
        for lower in 0..<8 {
            for upper in lower...8 {
                let expected = Array("abcdefgh".utf8.prefix(upper).dropFirst(lower))
                #expect(try reader.bytes(UInt64(lower)..<UInt64(upper)) == expected)
            }
        }
    }

    @Test func blocksAreVisitedParentsFirstInFileOrder() throws {
        let source = DictionaryBlockSource()
        let a = try source.file(.leaf("a"))
        let b = try source.file(.leaf("b"))
        let inner = try source.file(.node("", [a, b], [1, 1]))
        let root = try source.file(.node("", [inner, a], [2, 1]))
        let reader = try UnixFSFileReader(source: source, root: root)
        var visited: [CID] = []
        try reader.forEachBlock { visited.append($0.cid) }
        #expect(visited == [root, inner, a, b, a])
        visited = []
        try reader.forEachBlock(2..<3) { visited.append($0.cid) }
        #expect(visited == [root, a])
    }
}

/// Writes down how many blocks are asked for at once.
private final class RecordingSource: BlockSource {
    private let base: DictionaryBlockSource
    private let sizes = Mutex<[Int]>([])

    init(_ base: DictionaryBlockSource) { self.base = base }

    var batches: [Int] { sizes.withLock { $0 } }

    func block(_ cid: CID) throws -> Block? { try base.block(cid) }

    func blocks(_ cids: [CID]) throws -> [Block?] {
        sizes.withLock { $0.append(cids.count) }
        return try base.blocks(cids)
    }
}
