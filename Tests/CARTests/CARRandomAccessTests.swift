import CAR
import Digests
import IPLD
import Multiformats
import TestKit
import Testing

@Suite struct CARRandomAccessTests {
    @Test(arguments: [
        "sample-v1.car", "sample-v2-indexless.car", "sample-wrapped-v2.car", "sample-rw-bs-v2.car",
        "simple-unixfs.car", "wikipedia-cryptographic-hash-function.car",
    ])
    func everyBlockOfAFileIsFound(name: String) throws {
        let file = try Vectors.bytes("car/" + name)
        let access = try CARRandomAccess(size: UInt64(file.count), read: positionalRead(file))
        for section in ReadCAR(file).sections { #expect(try access.block(section.cid) == section.block) }
        #expect(try access.block(try CID(hashing: Array("absent".utf8), codec: .raw)) == nil)
    }

    @Test func rebuiltIndexIsTheOneOfTheFile() throws {
        let file = try Vectors.bytes("car/sample-wrapped-v2.car")
        let access = try CARRandomAccess(
            size: UInt64(file.count), usesIndex: false, read: positionalRead(file))
        let index = try access.rebuildIndex()
        #expect(
            index.encoded(as: .multihashSorted)
                == (try Vectors.bytes("car/sample-multihash-index-sorted.carindex")))
    }

    @Test(arguments: SeededRandom.seeds(12))
    func blocksAreFoundWhateverTheFormat(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let blocks = try random.blocks(random.number(1...60))
        let file = try writtenCAR(blocks, format: random.pick(CARReaderTests.formats))
        let access = try CARRandomAccess(size: UInt64(file.count), read: positionalRead(file))
        for block in random.shuffled(blocks) { #expect(try access.block(block.cid) == block) }
        let absent = try CID(hashing: Array("absent".utf8), codec: .raw)
        #expect(try access.blocks(blocks.map(\.cid) + [absent]) == blocks + [nil])
    }

    /// The content of one block looks like the section of another, and the index points into it: the block was
    /// reported as damaged, though it is in the file.
    @Test func anIndexThatPointsIntoABlockHidesNothing() throws {
        let wanted = Block(cid: try CID(hashing: [1, 2, 3], codec: .raw), bytes: [1, 2, 3])
        var fake: [UInt8] = []
        CARv1.appendSectionHead(wanted.cid, blockBytes: 3, to: &fake)
        fake += [3, 2, 1]
        let cover = Block(cid: try CID(hashing: fake, codec: .raw), bytes: fake)
        let payload = try writtenCAR([cover, wanted])
        var index = CARIndexBuilder()
        let sectionEnd = payload.count - CARv1.sectionBytes(wanted.cid, blockBytes: 3)
        index.add(wanted.cid.multihash, at: UInt64(sectionEnd - fake.count))
        let header = CARv2Header(
            dataBytes: UInt64(payload.count),
            indexOffset: CARv2Header.minimumDataOffset + UInt64(payload.count))
        let file =
            CARv2Header.pragma + header.bytes + payload + index.finish().encoded(as: .multihashSorted)
        for usesIndex in [true, false] {
            let access = try CARRandomAccess(
                size: UInt64(file.count), usesIndex: usesIndex, read: positionalRead(file))
            #expect(try access.block(wanted.cid) == wanted)
            #expect(try access.blocks([cover.cid, wanted.cid]) == [cover, wanted])
        }
    }

    @Test func aDamagedCopyDoesNotHideAWholeOne() throws {
        let block = Block(cid: try CID(hashing: [1, 2, 3], codec: .raw), bytes: [1, 2, 3])
        let file = try writtenCAR([Block(cid: block.cid, bytes: [3, 2, 1]), block])
        let access = try CARRandomAccess(size: UInt64(file.count), read: positionalRead(file))
        #expect(try access.block(block.cid) == block)
        #expect(try access.blocks([block.cid]) == [block])
    }

    @Test func identityCIDIsAnsweredWithoutTheFile() throws {
        let file = try writtenCAR([])
        let access = try CARRandomAccess(size: UInt64(file.count), read: positionalRead(file))
        let cid = CID(codec: .raw, multihash: try Multihash(identity: [1, 2, 3]))
        #expect(try access.block(cid)?.bytes == [1, 2, 3])
    }

    @Test func damagedBlockIsAnErrorAndNotServed() throws {
        let cid = try CID(hashing: [1, 2, 3], codec: .raw)
        var file = try writtenCAR([Block(cid: cid, bytes: [1, 2, 3])])
        file[file.count - 1] ^= 1
        let access = try CARRandomAccess(size: UInt64(file.count), read: positionalRead(file))
        #expect(throws: CARError.digestMismatch(cid, at: 18)) { try access.block(cid) }
        #expect(throws: CARError.digestMismatch(cid, at: 18)) { try access.blocks([cid]) }
    }
}
