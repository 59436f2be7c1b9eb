import BlockStorage
import CAR
import Catalog
import Foundation
import IPLD
import Multiformats
import NodeCore
import TestKit
import Testing
import UnixFS

/// DAGs out of one node and into another, whole or not.
@Suite struct CARTransferTests {
    private let laboratory: NodeLaboratory
    private let node: StorageNode

    init() throws {
        laboratory = try NodeLaboratory()
        node = try laboratory.open()
    }

    private func export(
        _ root: CID, from source: StorageNode? = nil, _ change: (inout CARExportOptions) -> Void = { _ in }
    ) throws -> [UInt8] {
        var options = CARExportOptions()
        change(&options)
        var bytes: [UInt8] = []
        let result = try (source ?? node).exportCAR(root: root, options: options) { bytes += $0 }
        // What a sink that cannot seek gets is whole but for the place of the index.
        if let patch = result.patch {
            bytes.replaceSubrange(
                Int(patch.offset)..<(Int(patch.offset) + patch.bytes.count), with: patch.bytes)
        }
        return bytes
    }

    private func take(
        _ bytes: [UInt8], _ options: CARReadingOptions = CARReadingOptions()
    ) throws -> CARImportReport {
        var rest = bytes[...]
        return try node.importCAR(options: options) { buffer in
            let count = min(rest.count, buffer.count, 1009)
            buffer.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
    }

    private static func car(roots: [CID], _ blocks: [Block]) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var writer = try CARWriter(roots: roots) { bytes += $0 }
        for block in blocks { try writer.append(block) }
        _ = try writer.finish()
        return bytes
    }

    private static func blocks(in car: [UInt8]) throws -> [Block] {
        var rest = car[...]
        var stream = CARStream(options: CARReadingOptions()) { buffer in
            let count = min(rest.count, buffer.count)
            buffer.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
        var blocks: [Block] = []
        while let section = try stream.next() { blocks.append(section.block) }
        return blocks
    }

    private static func node(_ links: [Block], _ data: [UInt8]? = nil) -> Block {
        let links = links.map { DAGPBLink(cid: $0.cid, name: [], tsize: 1) }
        return Block(content: DAGPBNode(links: links, data: data).encoded(), codec: .dagPB)
    }

    // MARK: Import

    @Test func whatWasThereAndWhatIsTwiceInTheFileIsCounted() throws {
        let leaves = (0..<4).map { Block(content: [$0]) }
        let root = Self.node(leaves)
        let identity = Block(content: [1, 2], with: .identity)
        try node.store.put(leaves[0])
        let report = try take(
            Self.car(
                roots: [root.cid], [root, leaves[0], leaves[1], identity, leaves[1], leaves[2], leaves[3]]))
        #expect(report.roots == [root.cid])
        #expect(report.blocks == 7)
        #expect(report.duplicateBlocks == 2)
        #expect(report.identityBlocks == 1)
        #expect(report.isComplete)
        #expect(node.store.statistics().blocks == 5)
        #expect(try node.catalog.pins.counters().pins == 0)
    }

    @Test func everyRootIsToldWithWhatIsMissingBelowIt() throws {
        let leaves = (0..<6).map { Block(content: [$0]) }
        let whole = Self.node(Array(leaves[0..<2]))
        let lacking = Self.node(Array(leaves[1..<5]))
        let absent = Self.node([leaves[5]])
        let report = try take(
            Self.car(
                roots: [whole.cid, lacking.cid, absent.cid],
                [whole, leaves[0], leaves[1], lacking, leaves[3]]))
        #expect(!report.isComplete)
        #expect(Set(report.missing.keys) == [lacking.cid, absent.cid])
        #expect(report.missing[lacking.cid]?.count == 2)
        #expect(report.missing[lacking.cid]?.first == leaves[2].cid)
        #expect(report.missing[absent.cid]?.first == absent.cid)
        // What is missing may come in another file.
        let rest = try take(Self.car(roots: [lacking.cid], [leaves[2], leaves[4]]))
        #expect(rest.isComplete)
    }

    @Test func badInput3ABlockThatIsNotWhatItsCIDNamesEndsTheImportWithItsPlace() throws {
        let blocks = (0..<3).map { Block(content: [UInt8](repeating: $0, count: 100)) }
        var bytes = try Self.car(roots: [blocks[0].cid], blocks)
        bytes[bytes.count - 150] ^= 1
        do {
            _ = try take(bytes)
            Issue.record("a damaged block was taken")
        } catch let error as CARError {
            guard case .digestMismatch(let cid, let place) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(cid == blocks[1].cid)
            #expect(place > 0 && place < UInt64(bytes.count))
        }
        #expect(try node.store.block(blocks[1].cid) == nil)
        #expect(try node.catalog.pins.counters().pins == 0)
        try NodeLaboratory.expectSound(node)
    }

    @Test func blocksLargerThanTheBudgetNeedTheWiderOne() throws {
        let large = Block(content: [UInt8](repeating: 1, count: 3 * 1024 * 1024))
        let bytes = try Self.car(roots: [large.cid], [large])
        #expect(throws: CARError.self) { try take(bytes) }
        #expect(try node.store.block(large.cid) == nil)
        #expect(try take(bytes, CARReadingOptions(limits: .widest)).isComplete)
        #expect(try node.store.block(large.cid) == large)
    }

    @Test func everyBeginningOfAFileIsRefusedOrIncomplete() throws {
        let leaves = (0..<3).map { Block(content: [$0]) }
        let root = Self.node(leaves)
        let bytes = try Self.car(roots: [root.cid], leaves + [root])
        for count in 0..<bytes.count {
            do {
                let report = try take(Array(bytes.prefix(count)))
                #expect(!report.isComplete, "\(count) bytes")
            } catch is CARError {}
        }
        #expect(try take(bytes).isComplete)
    }

    @Test func anImportThatIsCancelledLeavesASoundStore() throws {
        let blocks = (0..<600).map { Block(content: Array("\($0)".utf8)) }
        let bytes = try Self.car(roots: [blocks[0].cid], blocks)
        let cancellation = Cancellation()
        var rest = bytes[...]
        #expect(throws: CancelledError.self) {
            try node.importCAR(cancellation: cancellation, progress: { _ in cancellation.cancel() }) {
                buffer in
                let count = min(rest.count, buffer.count)
                buffer.copyBytes(from: rest.prefix(count))
                rest = rest.dropFirst(count)
                return count
            }
        }
        try NodeLaboratory.expectSound(node)
        #expect(try take(bytes).isComplete)
    }

    // MARK: Export

    @Test(arguments: SeededRandom.seeds(scaled(4, full: 40)))
    func whatIsExportedComesBackInAnotherNodeAndIsTheSameEveryTime(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let tree = Tree(&random)
        let root = try tree.add(to: node, name: "tree")
        let loose = try Tree(["x": random.bytes(9000)]).store(in: node.store)
        let first = try export(root)
        // Another order of putting, another place in the packs: the same file.
        laboratory.clock.advance(milliseconds: 1)
        try NodeLaboratory.collect(node)
        #expect(try node.store.block(loose) == nil)
        #expect(try export(root) == first)

        let elsewhere = try NodeLaboratory()
        let other = try elsewhere.open()
        let blocks = try Self.blocks(in: first)
        for block in random.shuffled(blocks) { try other.store.put(block) }
        #expect(try export(root, from: other) == first)
        #expect(try Tree(root, from: other.store) == tree)
        try other.close()

        // Depth first, each block once, parents before children.
        #expect(blocks.first?.cid == root)
        #expect(Set(blocks.map(\.cid)).count == blocks.count)
        #expect(blocks.count == (try node.walk(root).blocks))
        var seen: Set<CID> = []
        for block in blocks.reversed() {
            #expect(try block.links().allSatisfy { seen.contains($0) || $0.isIdentity || $0 == block.cid })
            seen.insert(block.cid)
        }

        let version2 = try export(root) { $0.format = .version2 }
        #expect(try Self.blocks(in: version2) == blocks)
        #expect(version2.firstRange(of: first) != nil, "the payload of a CARv2 is the CARv1")
        #expect(try take(version2).duplicateBlocks == blocks.count)
    }

    @Test func theScopeSaysHowMuchOfTheDAGGoes() throws {
        var random = SeededRandom(seed: 1)
        let root = try Tree(["a": random.bytes(9000), "d/b": [1]]).add(to: node, name: "tree")
        let file = try #require(try DirectoryReader(source: node.store, root: root).entry(named: [0x61])?.cid)
        #expect(try Self.blocks(in: export(root) { $0.scope = .block }).map(\.cid) == [root])
        #expect(try Self.blocks(in: export(root) { $0.scope = .entity }).map(\.cid) == [root])
        let whole = try Self.blocks(in: export(file) { $0.scope = .entity })
        #expect(Set(whole.map(\.cid)) == Set(try Self.blocks(in: export(file)).map(\.cid)))
        let part = try Self.blocks(
            in: export(file) {
                $0.scope = .entity
                $0.entityBytes = 4500..<4501
            })
        #expect(part.count < whole.count)
        #expect(part.first?.cid == file)
        let content = try Self.content(of: file, in: node.store)
        let source = DictionaryBlockSource()
        for block in part { source.insert(block) }
        var read: [UInt8] = []
        try UnixFSFileReader(source: source, root: file).read(4500..<4501) { read += $0 }
        #expect(read == [content[4500]])
    }

    private static func content(of file: CID, in source: any BlockSource) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try UnixFSFileReader(source: source, root: file).read { bytes += $0 }
        return bytes
    }

    @Test func aDAGThatLacksABlockIsNotExported() throws {
        let absent = Block(content: [9])
        let root = Self.node([Block(content: [1]), absent])
        try node.store.put(root)
        try node.store.put(Block(content: [1]))
        #expect(throws: NodeError.self) { try export(root.cid) }
        #expect(throws: NodeError.self) { try export(root.cid) { $0.format = .version2 } }
        #expect(throws: NodeError.self) { try export(absent.cid) }
    }

    /// 64 levels with two links each to the next: 2 to the power of 64 paths, 65 blocks.
    @Test func badInput11ADAGBombIsExportedBlockByBlock() throws {
        var block = Block(content: [1])
        try node.store.put(block)
        for _ in 0..<64 {
            block = Self.node([block, block])
            try node.store.put(block)
        }
        let bytes = try export(block.cid)
        #expect(try Self.blocks(in: bytes).count == 65)
        #expect(try take(bytes).isComplete)
        let pinned = try node.pinExisting(block.cid, name: "bomb", visibility: .public)
        #expect(pinned.pin.figures.blockCount == 65)
        #expect(try NodeLaboratory.collect(node).keptBlocks == 65)
    }

    @Test func badInput10AChainOfManyNodesIsWalkedWithoutRecursion() throws {
        var block = Block(content: [1])
        var chain = [block]
        for _ in 0..<scaled(5000, full: 50_000) {
            block = Self.node([block])
            chain.append(block)
        }
        #expect(try take(Self.car(roots: [block.cid], chain)).isComplete)
        #expect(try Self.blocks(in: export(block.cid)).count == chain.count)
        try node.pinExisting(block.cid, name: "chain", visibility: .public)
        laboratory.clock.advance(milliseconds: 1)
        #expect(try NodeLaboratory.collect(node).keptBlocks == chain.count)
    }
}
