import Digests
import IPLD
import Multiformats
import TestKit
import Testing

@Suite struct WalkingTests {
    func node(_ links: [CID]) throws -> Block {
        let bytes = DAGPBNode(links: links.map { DAGPBLink(cid: $0, name: [], tsize: 1) }).encoded()
        return Block(cid: try CID(hashing: bytes, codec: .dagPB), bytes: bytes)
    }

    func walk(_ root: CID, _ source: DictionaryBlockSource, _ budget: DAGWalker.Budget = DAGWalker.Budget())
        throws -> [CID]
    {
        var seen: Set<Multihash> = []
        var walker = DAGWalker(root: root, budget: budget) {
            seen.insert($0.multihash).inserted ? .enter : .skip
        }
        var order: [CID] = []
        while let step = try walker.next(load: source.block) { order.append(step.cid) }
        return order
    }

    @Test func theOrderIsDepthFirstAndEachBlockOnce() throws {
        let leaves = try (0..<3).map {
            Block(cid: try CID(hashing: [UInt8($0)], codec: .raw), bytes: [UInt8($0)])
        }
        let left = try node([leaves[0].cid, leaves[1].cid])
        let right = try node([leaves[1].cid, leaves[2].cid])
        let root = try node([left.cid, right.cid])
        let source = DictionaryBlockSource(leaves + [left, right, root])
        #expect(
            try walk(root.cid, source) == [
                root.cid, left.cid, leaves[0].cid, leaves[1].cid, right.cid, leaves[2].cid,
            ])
        #expect(source.readCount == 3, "leaves are not read")
    }

    @Test func badInput10ADeepChainEndsAtTheBudget() throws {
        var block = try node([])
        var blocks = [block]
        for _ in 0..<20_000 {
            block = try node([block.cid])
            blocks.append(block)
        }
        let source = DictionaryBlockSource(blocks)
        #expect(try walk(block.cid, source).count == 20_001)
        var budget = DAGWalker.Budget()
        budget.depth = 1024
        #expect(throws: DAGWalkError.self) { try walk(block.cid, source, budget) }
    }

    @Test func badInput11ADAGBombIsVisitedOncePerBlock() throws {
        var block = try node([])
        var blocks = [block]
        for _ in 0..<64 {
            block = try node([block.cid, block.cid])
            blocks.append(block)
        }
        let source = DictionaryBlockSource(blocks)
        #expect(try walk(block.cid, source).count == 65)
        var budget = DAGWalker.Budget()
        budget.blocks = 10
        #expect(throws: DAGWalkError.self) { try walk(block.cid, source, budget) }
        budget = DAGWalker.Budget()
        budget.bytes = 100
        #expect(throws: DAGWalkError.self) { try walk(block.cid, source, budget) }
    }

    @Test func linksAreFoundInCBORThatIsNotInItsOneForm() throws {
        // {"\xff": link, "a": NaN, 1: [link]}: no UTF-8, keys out of order, a float that is none.
        let leaf = try CID(hashing: [1], codec: .raw)
        let link: [UInt8] = [0xD8, 0x2A, 0x58, UInt8(leaf.byteCount + 1), 0] + leaf.bytes
        let bytes: [UInt8] =
            [0xA3, 0x61, 0xFF] + link + [0x61, 0x61, 0xFB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0, 0x01, 0x81] + link
        let block = Block(cid: try CID(hashing: bytes, codec: .dagCBOR), bytes: bytes)
        #expect(try block.links() == [leaf, leaf])
        #expect(throws: IPLDCodecError.self) { try block.value() }
    }

    @Test func aBlockThatIsNotWhatItsCodecSaysEndsTheWalkByName() throws {
        let bad = Block(cid: try CID(hashing: [0xFF, 0xFF], codec: .dagPB), bytes: [0xFF, 0xFF])
        let root = try node([bad.cid])
        let source = DictionaryBlockSource([root, bad])
        do {
            _ = try walk(root.cid, source)
            Issue.record("the walk went on")
        } catch let error as DAGWalkError {
            guard case .unreadable(bad.cid, _) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test func pathsCrossCodecs() throws {
        let leaf = Block(cid: try CID(hashing: [9], codec: .raw), bytes: [9])
        let directory = DAGPBNode(links: [DAGPBLink(cid: leaf.cid, name: Array("file".utf8), tsize: 1)])
            .encoded()
        let pb = Block(cid: try CID(hashing: directory, codec: .dagPB), bytes: directory)
        let map = try IPLDValue.map([IPLDEntry(key: "list", value: .list([.null, .link(pb.cid)]))]).encoded(
            as: .dagCBOR)
        let cbor = Block(cid: try CID(hashing: map, codec: .dagCBOR), bytes: map)
        let source = DictionaryBlockSource([leaf, pb, cbor])
        #expect(try IPLDPath.resolve(["list", "1", "file"], from: cbor.cid, in: source).value == .bytes([9]))
        #expect(
            try IPLDPath.resolve(["list", "1", "Links", "0", "Tsize"], from: cbor.cid, in: source).value
                == .integer(1))
        #expect(throws: IPLDPathError.notFound(segment: Array("2".utf8), position: 1, in: cbor.cid)) {
            try IPLDPath.resolve(["list", "2"], from: cbor.cid, in: source)
        }
        #expect(try cbor.links() == [pb.cid])
    }
}
