import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

/// Files that lie, from `bad-inputs` 9 to 11.
@Suite struct BadFileTests {
    private let source = DictionaryBlockSource()

    private func open(_ node: HandmadeFile) throws -> UnixFSFileReader {
        try UnixFSFileReader(source: source, root: try source.file(node))
    }

    private func expectDamaged(
        _ reason: DamagedFileNode, _ node: HandmadeFile, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let cid = try source.file(node)
        #expect(throws: UnixFSFileError.damagedNode(cid, offset: 0, reason), sourceLocation: sourceLocation) {
            try UnixFSFileReader(source: source, root: cid)
        }
    }

    @Test func badInput9ASumThatIsNotTheFileSizeIsRefusedAtOnce() throws {
        let leaf = try source.raw("abc")
        var node = HandmadeFile.node("", [leaf], [3])
        node.fileSize = 4
        try expectDamaged(.wrongSum(claimed: 4, sum: 3), node)
        node.fileSize = 2
        try expectDamaged(.wrongSum(claimed: 2, sum: 3), node)
        var small = HandmadeFile.leaf("abc")
        small.fileSize = .max
        try expectDamaged(.wrongSum(claimed: .max, sum: 3), small)
    }

    @Test func badInput9SizesThatOverflowAreRefused() throws {
        let leaf = try source.raw("abc")
        var node = HandmadeFile.node("", [leaf, leaf], [1 << 63, 1 << 63])
        try expectDamaged(.sizesOverflow, node)
        // -3 as a 64-bit number, and sums that come out right modulo 2^64.
        node = HandmadeFile.node("", [leaf, leaf], [UInt64(bitPattern: -3), 6])
        try expectDamaged(.sizesOverflow, node)
    }

    @Test(arguments: [UInt64(2), 4, 1 << 40, UInt64(bitPattern: -1) - 6])
    func badInput9ALeafOfAnotherSizeEndsTheStreamWithAnError(claimed: UInt64) throws {
        let first = try source.raw("first")
        for leaf in [try source.raw("abc"), try source.file(.leaf("abc"))] {
            let reader = try open(.node("", [first, leaf], [5, claimed]))
            #expect(reader.size == 5 + claimed)
            var delivered: [UInt8] = []
            #expect(throws: UnixFSFileError.wrongSize(leaf, offset: 5, claimed: claimed, actual: 3)) {
                try reader.read { delivered.append(contentsOf: $0) }
            }
            #expect(delivered == Array("first".utf8))
        }
    }

    @Test func badInput9AnInnerNodeOfAnotherSizeIsNoticedBeforeItsLeaves() throws {
        let leaf = try source.raw("abc")
        let inner = try source.file(.node("", [leaf], [3]))
        let reader = try open(.node("", [inner], [30]))
        #expect(throws: UnixFSFileError.wrongSize(inner, offset: 0, claimed: 30, actual: 3)) {
            try reader.bytes(0..<1)
        }
    }

    @Test func badInput9LinksAndSizesMustBeEqualInNumber() throws {
        let leaf = try source.raw("abc")
        var node = HandmadeFile.node("", [leaf, leaf], [3, 3])
        node.links.removeLast()
        try expectDamaged(.linksAndSizesDiffer(links: 1, sizes: 2), node)
        node = HandmadeFile(fileSize: nil, links: [leaf])
        try expectDamaged(.linksAndSizesDiffer(links: 1, sizes: 0), node)
    }

    @Test func badInput10AChainOfNodesIsCutAtTheDepthLimit() throws {
        var child = try source.raw("x")
        for _ in 0..<1024 { child = try source.file(.node("", [child], [1])) }
        #expect(try UnixFSFileReader(source: source, root: child).bytes() == [0x78])
        for _ in 0..<4000 { child = try source.file(.node("", [child], [1])) }
        let error = #expect(throws: UnixFSFileError.self) {
            try UnixFSFileReader(source: source, root: child).bytes()
        }
        guard case .tooDeep(_, offset: 0, maximum: 1024) = error else {
            Issue.record("expected tooDeep, got \(String(describing: error))")
            return
        }
    }

    @Test func badInput10WideNodesOnTheWayDownAreBounded() throws {
        var limits = FileReadLimits()
        limits.links = 100
        let leaf = try source.raw("x")
        var child = leaf
        var size: UInt64 = 1
        for _ in 0..<3 {
            child = try source.file(
                .node(
                    "", [child] + Array(repeating: leaf, count: 40),
                    [size] + Array(repeating: 1, count: 40)))
            size += 40
        }
        let reader = try UnixFSFileReader(source: source, root: child, limits: limits)
        let error = #expect(throws: UnixFSFileError.self) { try reader.bytes() }
        guard case .tooManyLinks(_, offset: 0, maximum: 100) = error else {
            Issue.record("expected tooManyLinks, got \(String(describing: error))")
            return
        }
        // A range that does not go down there is read all the same.
        #expect(try reader.bytes(size - 1..<size) == [0x78])
    }

    @Test func badInput11AFileOfTwoToThe60BytesIsReadAtAnyPlace() throws {
        var child = try source.raw("ab")
        var size: UInt64 = 2
        while size < 1 << 60 {
            child = try source.file(.node("", [child, child], [size, size]))
            size *= 2
        }
        let reader = try UnixFSFileReader(source: source, root: child)
        #expect(reader.size == 1 << 60)
        source.resetCounters()
        #expect(try reader.bytes((1 << 59) + 1..<(1 << 59) + 4) == Array("bab".utf8))
        #expect(source.readCount < 100)
    }

    @Test func childrenWithoutContentAreNotFetched() throws {
        let leaf = try source.raw("abc")
        let gone = try Block.hashing([9], codec: .raw).cid
        let reader = try open(.node("", [gone, leaf, gone], [0, 3, 0]))
        #expect(try reader.bytes() == Array("abc".utf8))
    }

    @Test(arguments: [UnixFSData.Kind.directory, .metadata, .symlink, .hamtShard])
    func otherKindsAreNoFiles(kind: UnixFSData.Kind) throws {
        try expectDamaged(.wrongKind(kind), HandmadeFile(type: UInt64(kind.rawValue)))
    }

    @Test func aDirectoryInsideAFileIsNamedWithItsPlace() throws {
        let leaf = try source.raw("abc")
        let directory = try source.file(HandmadeFile(type: 1))
        let reader = try open(.node("", [leaf, directory], [3, 5]))
        #expect(throws: UnixFSFileError.damagedNode(directory, offset: 3, .wrongKind(.directory))) {
            try reader.bytes()
        }
    }

    @Test func messagesThatAreNoUnixFSAreRefused() throws {
        try expectDamaged(.unixFS(.missingType), HandmadeFile(type: nil))
        try expectDamaged(.unixFS(.unknownType(99)), HandmadeFile(type: 99))
        try expectDamaged(.unixFS(.repeatedField(1, offset: 2)), HandmadeFile(trailing: [0x08, 0x02]))
        try expectDamaged(.unixFS(.truncated(offset: 4)), HandmadeFile(trailing: [0x12, 0x05, 0x00]))
    }

    @Test func blocksOfOtherCodecsAreNoFiles() throws {
        let block = try Block.hashing([0xA0], codec: .dagCBOR)
        #expect(throws: UnixFSFileError.damagedNode(block.cid, offset: 0, .wrongCodec(0x71))) {
            try UnixFSFileReader(source: source, root: block)
        }
    }

    @Test func aNodeWithoutDataIsNoFile() throws {
        let block = try Block.hashing([], codec: .dagPB)
        #expect(throws: UnixFSFileError.damagedNode(block.cid, offset: 0, .noData)) {
            try UnixFSFileReader(source: source, root: block)
        }
    }

    /// Random damage to a real file gives an error or the file, never a trap.
    @Test(arguments: SeededRandom.seeds(scaled(200, full: 20_000)))
    func damagedNodesNeverTrap(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var parameters = ImportParameters.unixfsV0_2015
        parameters.chunker = .fixed(bytes: 50)
        parameters.maximumLinks = 4
        var blocks: [Block] = []
        let root = try importFile(ContentStream(random.bytes(1000)), parameters) { blocks.append($0) }
        let source = DictionaryBlockSource()
        for block in blocks {
            var bytes = block.bytes
            if random.oneIn(8) {
                bytes[random.number(0..<bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.oneIn(50) { bytes.removeLast(random.number(0...bytes.count)) }
            source.insert(Block(cid: block.cid, bytes: bytes))
        }
        do {
            let reader = try UnixFSFileReader(source: source, root: root.cid)
            var count: UInt64 = 0
            try reader.read { count += UInt64($0.count) }
            #expect(count == reader.size)
        } catch let error as UnixFSFileError {
            #expect(!error.description.isEmpty)
        }
    }
}
