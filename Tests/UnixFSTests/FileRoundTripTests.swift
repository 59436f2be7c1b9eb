import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

/// What was imported is read back, whatever the parameters.
@Suite struct FileRoundTripTests {
    @Test(arguments: SeededRandom.seeds(scaled(60, full: 2000)))
    func anyFileComesBackWholeAndInRanges(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let parameters = try random.importParameters()
        let content = random.someText(
            bytes: random.oneIn(3) ? random.number(0...40) : random.number(0...60_000))
        let metadata: UnixFSMetadata? =
            random.oneIn(3)
            ? UnixFSMetadata(mode: 0o644, mtime: UnixFSTime(seconds: -5, nanoseconds: 7)) : nil
        let source = DictionaryBlockSource()
        let root = try importFile(content, parameters, metadata: metadata, into: source)
        #expect(root.contentBytes == UInt64(content.count))

        let reader = try UnixFSFileReader(source: source, root: root.cid)
        #expect(reader.size == UInt64(content.count))
        #expect(reader.metadata == metadata ?? UnixFSMetadata())
        #expect(try reader.bytes() == content)
        for _ in 0..<5 {
            let lower = random.number(0...content.count)
            let upper = random.number(lower...min(content.count, lower + random.pick([0, 1, 100, 100_000])))
            #expect(try reader.bytes(UInt64(lower)..<UInt64(upper)) == Array(content[lower..<upper]))
        }
    }

    /// `Tsize` of the root counts every block once per link.
    @Test(arguments: SeededRandom.seeds(10))
    func theRootKnowsTheSizeOfItsDAG(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let parameters = try random.importParameters()
        let content = random.bytes(random.number(0...20_000))
        let source = DictionaryBlockSource()
        let root = try importFile(content, parameters, into: source)
        let reader = try UnixFSFileReader(source: source, root: root.cid)
        var bytes = 0
        try reader.forEachBlock { bytes += $0.bytes.count }
        #expect(UInt64(bytes) == root.dagBytes)
    }

    @Test func aFileOfOneLeafIsThatLeaf() throws {
        let source = DictionaryBlockSource()
        let content = Array("hello world".utf8)
        let root = try importFile(content, .unixfsV1_2025, into: source)
        #expect(root.cid.codec == .raw)
        #expect(source.count == 1)
    }

    @Test func modeAndTimeOfOneLeafAreInTheLeafItselfOrInANodeAboveARawOne() throws {
        let metadata = UnixFSMetadata(mode: 0o755)
        let content = Array("hello world".utf8)
        for (parameters, blocks) in [(ImportParameters.unixfsV0_2015, 1), (.unixfsV1_2025, 2)] {
            let source = DictionaryBlockSource()
            let root = try importFile(content, parameters, metadata: metadata, into: source)
            #expect(source.count == blocks)
            #expect(root.cid.codec == .dagPB)
            let reader = try UnixFSFileReader(source: source, root: root.cid)
            #expect(reader.metadata == metadata)
            #expect(try reader.bytes() == content)
        }
    }

    @Test func aBuilderWithoutLeavesMakesAnEmptyFile() throws {
        for layout in FileLayout.allCases {
            for rawLeaves in [false, true] {
                var parameters = ImportParameters.unixfsV1_2025
                parameters.layout = layout
                parameters.rawLeaves = rawLeaves
                let source = DictionaryBlockSource()
                var builder = FileLayoutBuilder(parameters: parameters)
                let root = try builder.finish { source.insert($0) }
                #expect(root == (try importFile([], parameters, into: source)))
                #expect(try UnixFSFileReader(source: source, root: root.cid).bytes() == [])
            }
        }
    }

    @Test func sizesThatOverflowAreRefused() throws {
        let leaf = FileLeaf(
            cid: try CID(text: "bafkqaaa"), contentBytes: .max - 1, dagBytes: 0)
        var builder = FileLayoutBuilder(parameters: .unixfsV1_2025)
        try builder.add(leaf) { _ in }
        #expect(throws: UnixFSFileError.fileTooLarge) { try builder.add(leaf) { _ in } }
    }
}

extension UnixFSFileReader {
    /// A range, whole.
    func bytes(_ range: Range<UInt64>? = nil) throws -> [UInt8] {
        var result: [UInt8] = []
        try read(range) { result.append(contentsOf: $0) }
        return result
    }
}

extension SeededRandom {
    /// Parameters that give deep trees of small content.
    mutating func importParameters() throws -> ImportParameters {
        var parameters = oneIn(2) ? ImportParameters.unixfsV1_2025 : .unixfsV0_2015
        parameters.chunker = try ChunkerKind(
            text: pick(["size-37", "size-1000"] + chunkersForProperties.dropFirst()))
        parameters.layout = pick(FileLayout.allCases)
        parameters.rawLeaves = oneIn(2)
        parameters.cidVersion = UInt8(number(0...1))
        parameters.maximumLinks = pick([2, 3, 4, 10, 174])
        parameters.hash = pick([.sha2_256, .sha2_256, .sha2_512, .blake2b_256])
        return parameters
    }
}
