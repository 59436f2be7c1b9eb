import BlockStorage
import IPLD
import Multiformats
import TestKit
import Testing

/// Bits that flip on the disk: found, named, never served, and nothing else is lost by them.
@Suite struct RotTests {
    private let directory: TemporaryDirectory
    private let blocks: [Block]

    /// A store in one pack, closed cleanly.
    init() throws {
        directory = try TemporaryDirectory()
        var random = SeededRandom(seed: 40)
        blocks = (0..<12).map { _ in random.block(bytes: 1000) }
        let store = try open(MemoryBlockIndex(), lanes: 1)
        for block in blocks { try store.put(block) }
        try store.close()
    }

    private func open(_ index: any BlockIndex, lanes: Int = 2) throws -> PackBlockStore {
        try StoreLaboratory.open(directory.path("data"), DiskFileSystem(), index, lanes: lanes)
    }

    private let pack = "data/blocks/packs/0000000000000001.car"

    private func flip(_ offset: Int) throws {
        var bytes = try directory.read(pack)
        bytes[offset] ^= 0x10
        try directory.write(bytes, to: pack)
    }

    /// Where the payload of a block stands in the pack.
    private func place(of block: Block) throws -> Int {
        let bytes = try directory.read(pack)
        return try #require(bytes.indices.first { bytes[$0...].starts(with: block.bytes) })
    }

    @Test func badInput40ARebuildKeepsWhatLiesBehindADamagedBlock() throws {
        try flip(place(of: blocks[4]) + 500)
        let before = try directory.read(pack)
        let store = try open(MemoryBlockIndex())
        for (number, block) in blocks.enumerated() where number != 4 {
            #expect(try store.block(block.cid) == block)
        }
        #expect(throws: BlockStoreError.self, "damaged, and not as if it had never been here") {
            try store.block(blocks[4].cid)
        }
        #expect(try directory.read(pack) == before)
        #expect(try store.scrub().findingCount == 1)
        try store.close()
    }

    @Test func badInput40ARebuildFindsSectionsAgainBehindALengthThatIsWrong() throws {
        // The length of a section: nobody can tell where the next one begins.
        let header = 1 + 1 + 1 + 2 + 32
        try flip(place(of: blocks[4]) - header - 1)
        let before = try directory.read(pack)
        let store = try open(MemoryBlockIndex())
        for (number, block) in blocks.enumerated() where number != 4 {
            #expect(try store.block(block.cid) == block)
        }
        #expect(store.openingNotes.count == 1)
        try StoreLaboratory.addFreshBlock(store, seed: 1)
        try store.close()
        #expect(try directory.read(pack) == before, "nothing is cut off")
    }

    @Test func aScrubChecksWhatLiesBehindALengthThatIsWrong() throws {
        let index = MemoryBlockIndex()
        let first = try open(index, lanes: 1)
        try first.close()
        let header = 1 + 1 + 1 + 2 + 32
        try flip(place(of: blocks[4]) - header - 1)
        try flip(place(of: blocks[8]) + 10)
        let store = try open(index)
        let report = try store.scrub()
        #expect(report.blocks == blocks.count)
        #expect(report.findings.contains { if case .brokenPack = $0 { true } else { false } })
        #expect(
            report.findings.contains {
                if case .damagedBlock(let cid, _, _) = $0 {
                    cid.multihash == blocks[8].cid.multihash
                } else {
                    false
                }
            })
        #expect(try store.block(blocks[11].cid) == blocks[11])
        try store.close()
    }

    @Test(arguments: [0, 2500]) func whatAMissingOrShortPackHeldIsStoredAgain(bytesLeft: Int) throws {
        let index = MemoryBlockIndex()
        try open(index, lanes: 1).close()
        let whole = try directory.read(pack)
        if bytesLeft == 0 {
            try DiskFileSystem().remove(directory.path(pack))
        } else {
            try directory.write(Array(whole.prefix(bytesLeft)), to: pack)
        }
        let store = try open(index)
        #expect(store.openingNotes.count == 1)
        #expect(store.statistics().unreadablePacks == 1)
        #expect(throws: BlockStoreError.self) { try store.block(blocks[11].cid) }
        #expect(try store.size(of: blocks[11].cid) == nil)
        for block in blocks { try store.put(block) }
        try store.commit()
        #expect(try store.blocks(blocks.map(\.cid)) == blocks)
        // The pack is of no use any more: compaction takes it away, and nothing is left to complain of.
        _ = try store.compact(maximumUnusedShare: 0)
        #expect(try store.scrub().findings == [])
        #expect(store.statistics().unreadablePacks == 0)
        try store.close()
        let again = try open(index)
        #expect(again.openingNotes == [])
        #expect(try again.blocks(blocks.map(\.cid)) == blocks)
        try again.close()
    }

    @Test func aPackThatIsPutBackServesAgain() throws {
        let index = MemoryBlockIndex()
        try open(index, lanes: 1).close()
        let whole = try directory.read(pack)
        try DiskFileSystem().remove(directory.path(pack))
        let store = try open(index)
        #expect(throws: BlockStoreError.self) { try store.block(blocks[0].cid) }
        try store.close()
        try directory.write(whole, to: pack)
        let again = try open(index)
        #expect(again.openingNotes == [])
        #expect(try again.blocks(blocks.map(\.cid)) == blocks)
        try again.close()
    }

    @Test func badInput40ADamagedHeaderOfAPackIsPutBackInARebuild() throws {
        let before = try directory.read(pack)
        try flip(3)
        let store = try open(MemoryBlockIndex())
        #expect(try store.blocks(blocks.map(\.cid)) == blocks)
        #expect(store.openingNotes == [])
        try store.close()
        #expect(try directory.read(pack) == before)
    }

    @Test func aGoodCopyTakesThePlaceOfADamagedBlockInAllCounts() throws {
        try flip(place(of: blocks[4]) + 500)
        let index = MemoryBlockIndex()
        let store = try open(index)
        #expect(throws: BlockStoreError.self) { try store.block(blocks[4].cid) }
        #expect(try store.put(blocks[4]).newBlocks == 1)
        #expect(try store.put(blocks[4]).newBlocks == 0)
        try store.commit()
        #expect(try store.blocks(blocks.map(\.cid)) == blocks)
        #expect(store.statistics().blocks == Int64(blocks.count))
        #expect(store.statistics().deadBytes > 1000)
        try StoreLaboratory.expectSound(store)
        try store.close()
        let again = try open(index)
        #expect(again.statistics() == store.statistics())
        try again.close()
    }
}
