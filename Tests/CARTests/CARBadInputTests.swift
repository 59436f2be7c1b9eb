import CAR
import Digests
import IPLD
import Multiformats
import TestKit
import Testing

/// Numbers 1 to 5 of the list of bad inputs.
@Suite struct CARBadInputTests {
    private let block: Block

    init() throws { block = Block(cid: try CID(hashing: [1, 2, 3], codec: .raw), bytes: [1, 2, 3]) }

    @Test func badInput1HeaderOfManyBytesIsRefusedAfterItsLength() {
        var reader = CARReader()
        var length: [UInt8] = []
        Varint.append(1 << 62, to: &length)
        reader.feed(length)
        #expect(throws: CARError.headerTooLarge(at: 0, bytes: 1 << 62, maximum: 1_048_576)) {
            try reader.next()
        }
        #expect(reader.bufferedBytes <= 10)
    }

    @Test func badInput2SectionOfManyBytesIsRefusedAfterItsLength() {
        var reader = CARReader(options: CARReadingOptions(limits: .widest))
        var file = CARv1.header()
        let at = UInt64(file.count)
        Varint.append(3 << 30, to: &file)
        reader.feed(file)
        #expect(throws: CARError.sectionTooLarge(at: at, bytes: 3 << 30, maximum: 8_388_757)) {
            try reader.next()
        }
    }

    @Test func badInput2BlockOverTheLimitIsRefusedAndOneAtTheLimitIsNot() throws {
        let limits = CARLimits(maximumBlockBytes: 100)
        for size in [100, 101] {
            let bytes = [UInt8](repeating: 1, count: size)
            let cid = try CID(hashing: bytes, codec: .raw)
            let car = ReadCAR(
                try writtenCAR([Block(cid: cid, bytes: bytes)]), options: CARReadingOptions(limits: limits))
            #expect(car.sections.count == (size == 100 ? 1 : 0))
            #expect(
                car.errors == (size == 100 ? [] : [.blockTooLarge(cid, at: 18, bytes: 101, maximum: 100)]))
        }
        #expect(CARLimits(maximumBlockBytes: 1 << 40).maximumBlockBytes == Block.hardMaximumBytes)
    }

    @Test func badInput3BlockThatIsNotWhatItsCIDNamesIsRefused() throws {
        let file = try writtenCAR([Block(cid: block.cid, bytes: [9]), block])
        let car = ReadCAR(file)
        #expect(car.errors == [.digestMismatch(block.cid, at: 18)])
        #expect(car.sections.map(\.block) == [block])
    }

    @Test func badInput3IdentityCIDWithOtherBytesIsRefused() throws {
        let cid = CID(codec: .raw, multihash: try Multihash(identity: [1, 2]))
        let car = ReadCAR(try writtenCAR([Block(cid: cid, bytes: [1, 3])]))
        #expect(car.errors == [.digestMismatch(cid, at: 18)])
    }

    /// A container whose header says something else.
    private func container(_ header: CARv2Header) throws -> [UInt8] {
        let file = try writtenCAR([block], format: .version2(index: .sorted, payloadBytes: nil))
        return CARv2Header.pragma + header.bytes + file.dropFirst(Int(CARv2Header.minimumDataOffset))
    }

    @Test func badInput4PayloadThatCannotBeWhereItIsSaidToBeIsRefused() throws {
        let wrong: [(CARv2Header, CARError)] = [
            (
                CARv2Header(dataBytes: 0, indexOffset: nil),
                .invalidVersion2Header(at: 35, .noData)
            ),
            (
                CARv2Header(dataOffset: 11, dataBytes: 50, indexOffset: nil),
                .invalidVersion2Header(at: 27, .dataWithinHeader(offset: 11))
            ),
            (
                CARv2Header(dataOffset: .max, dataBytes: 2, indexOffset: nil),
                .invalidVersion2Header(at: 27, .dataOutOfBounds(offset: .max, size: 2))
            ),
        ]
        for (header, error) in wrong {
            let file = try container(header)
            #expect(ReadCAR(file).errors == [error])
            #expect(throws: error) {
                try CARRandomAccess(size: UInt64(file.count), read: positionalRead(file))
            }
        }
    }

    @Test func badInput4PayloadBeyondTheEndOfTheFileIsRefused() throws {
        let far = try container(CARv2Header(dataOffset: 1 << 40, dataBytes: 60, indexOffset: nil))
        guard case .truncated(.payload, at: _, needed: _, available: _) = ReadCAR(far).errors.first else {
            Issue.record("\(ReadCAR(far).errors)")
            return
        }
        #expect(throws: CARError.invalidVersion2Header(at: 27, .dataOutOfBounds(offset: 1 << 40, size: 60))) {
            try CARRandomAccess(size: UInt64(far.count), read: positionalRead(far))
        }
    }

    @Test func badInput4PayloadThatIsAContainerAgainIsRefused() throws {
        let inner = CARv2Header.pragma
        let file = CARv2Header.pragma + CARv2Header(dataBytes: 11, indexOffset: nil).bytes + inner
        #expect(ReadCAR(file).errors == [.invalidVersion2Header(at: 51, .payloadVersion(2))])
    }

    @Test func badInput4IndexThatLiesIsRebuilt() throws {
        var random = SeededRandom(seed: 4)
        let blocks = try random.blocks(30)
        var right = CARIndexBuilder()
        var wrong = CARIndexBuilder()
        let payload = try writtenCAR(blocks)
        for section in ReadCAR(payload).sections {
            right.add(section.cid.multihash, at: section.offset)
            // Into the middle of a section, beyond the end, and some not at all.
            let lie = random.pick([section.offset + 1, 1 << 40, .max, 0])
            if !random.oneIn(3) { wrong.add(section.cid.multihash, at: lie) }
        }
        let container = CARv2Header(
            dataBytes: UInt64(payload.count),
            indexOffset: CARv2Header.minimumDataOffset + UInt64(payload.count))
        let lying = wrong.finish().encoded(as: .multihashSorted)
        let file = CARv2Header.pragma + container.bytes + payload + lying
        let access = try CARRandomAccess(size: UInt64(file.count), read: positionalRead(file))
        for block in blocks { #expect(try access.block(block.cid) == block) }
        #expect(
            try access.rebuildIndex().encoded(as: .multihashSorted)
                == right.finish().encoded(as: .multihashSorted))
    }

    @Test func badInput4IndexWithinThePayloadOrBeyondTheFileIsIgnored() throws {
        for offset in [51, 60, 90, 1 << 50, .max] as [UInt64] {
            let file = try container(CARv2Header(dataBytes: 58, indexOffset: offset))
            let access = try CARRandomAccess(size: UInt64(file.count), read: positionalRead(file))
            #expect(try access.block(block.cid) == block)
            #expect(ReadCAR(file).sections.map(\.block) == [block])
        }
    }

    @Test func badInput5HeaderOfTenMillionRootsIsRefused() throws {
        var reader = CARReader()
        var length: [UInt8] = []
        Varint.append(10_000_000 * 41, to: &length)
        reader.feed(length)
        #expect(throws: CARError.headerTooLarge(at: 0, bytes: 410_000_000, maximum: 1_048_576)) {
            try reader.next()
        }
    }

    @Test func badInput5RootsThatAreNotInTheFileAreTheHeadersToTell() throws {
        let absent = try CID(hashing: [7], codec: .raw)
        let car = ReadCAR(try writtenCAR(roots: [absent], [block]))
        #expect(car.roots == [absent])
        #expect(car.isAtEnd && car.sections.count == 1)
        #expect(ReadCAR(try writtenCAR(roots: [], [])).roots == [])
    }
}
