import CAR
import Digests
import IPLD
import Multiformats
import TestKit
import Testing

@Suite struct CARReaderTests {
    static let formats: [CARWritingFormat] = [
        .version1, .version2(index: nil, payloadBytes: nil), .version2(index: .sorted, payloadBytes: nil),
        .version2(index: .multihashSorted, payloadBytes: nil),
    ]

    @Test(arguments: SeededRandom.seeds(24))
    func fileRoundTripsInPiecesOfAnyLength(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let pieceBytes = random.pick([1, 100, 10_000, 1_000_000])
        let sizes = interestingSmallSizes.filter { $0 <= 100 * pieceBytes }
        let blocks = try random.blocks(random.number(0...40), sizes: sizes)
        let roots = blocks.prefix(random.number(0...3)).map(\.cid)
        let file = try writtenCAR(roots: roots, blocks, format: random.pick(Self.formats))
        let pieces = random.pieces(of: file, upTo: pieceBytes)
        let options = CARReadingOptions(batchBytes: random.pick([1, 1000, 4_000_000]))
        let car = ReadCAR(pieces, options: options)
        #expect(car.errors.isEmpty && car.isAtEnd)
        #expect(car.roots == roots)
        #expect(car.sections.map(\.block) == blocks)
    }

    @Test(arguments: interestingSizes)
    func blockOfAnySizeRoundTrips(size: Int) throws {
        var random = SeededRandom(seed: UInt64(size))
        let bytes = random.bytes(size)
        let block = Block(cid: try CID(hashing: bytes, codec: .raw), bytes: bytes)
        let file = try writtenCAR([block, block], format: .version1)
        #expect(ReadCAR(file).sections.map(\.block) == [block, block])
    }

    @Test func sectionsSayWhereTheyStand() throws {
        var random = SeededRandom(seed: 5)
        let blocks = try random.blocks(20)
        let file = try writtenCAR(blocks, format: .version2(index: nil, payloadBytes: nil))
        for section in ReadCAR(file).sections {
            let head = try CARv1.section(file.span.bytes, at: Int(section.offset))
            #expect(head.cid == section.cid)
        }
    }

    /// A small file with every kind of part.
    private func smallFile(_ format: CARWritingFormat) throws -> (bytes: [UInt8], borders: Set<Int>) {
        var random = SeededRandom(seed: 1)
        let blocks = try random.blocks(6, sizes: [0, 1, 3, 30, 100])
        let file = try writtenCAR(roots: blocks.prefix(1).map(\.cid), blocks, format: format)
        let sections = ReadCAR(file).sections
        return (file, Set(sections.map { Int($0.offset) } + [file.count]))
    }

    @Test func fileCutAnywhereIsAnErrorExceptBetweenSections() throws {
        let (file, borders) = try smallFile(.version1)
        for count in 0..<file.count {
            let car = ReadCAR(Array(file.prefix(count)))
            if borders.contains(count) {
                #expect(car.isAtEnd && car.errors.isEmpty, "cut to \(count) bytes")
            } else if case .truncated(_, let at, _, let available) = car.errors.first {
                #expect(Int(at + available) == count, "cut to \(count) bytes")
                #expect(!car.isAtEnd)
            } else {
                Issue.record("cut to \(count) bytes: \(car.errors)")
            }
        }
    }

    @Test func containerCutAnywhereBeforeTheEndOfItsPayloadIsAnError() throws {
        let (file, _) = try smallFile(.version2(index: .sorted, payloadBytes: nil))
        let end = Int(try #require(ReadCAR(file).version2Header).dataEnd)
        for count in file.indices {
            let car = ReadCAR(Array(file.prefix(count)))
            #expect(car.isAtEnd == (count >= end), "cut to \(count) bytes")
            if count < end {
                guard case .truncated = car.errors.first else {
                    Issue.record("cut to \(count) bytes: \(car.errors)")
                    continue
                }
            }
        }
    }

    @Test(arguments: formats)
    func fileWithAnyByteChangedNeverStopsAReader(format: CARWritingFormat) throws {
        let (file, _) = try smallFile(format)
        let whole = ReadCAR(file).sections.map(\.block)
        for index in file.indices {
            for bit in [0x01, 0x80, 0xFF] as [UInt8] {
                var changed = file
                changed[index] ^= bit
                let car = ReadCAR(changed)
                // What is given is right: each block is what its CID names.
                for section in car.sections {
                    #expect(
                        (try? section.cid.verify(section.bytes)) != nil, "byte \(index) changed by \(bit)")
                }
                #expect(car.isAtEnd || !car.errors.isEmpty)
                let access = try? CARRandomAccess(size: UInt64(changed.count), read: positionalRead(changed))
                for block in whole {
                    guard let found = try? access?.block(block.cid) else { continue }
                    #expect(found == block, "byte \(index) changed by \(bit)")
                }
            }
        }
    }

    @Test(arguments: SeededRandom.seeds(200))
    func randomBytesNeverStopAReader(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var bytes = random.bytes(random.number(0...600))
        // Many begin as a CAR does, so that more than the header is reached.
        if random.oneIn(2) { bytes = CARv1.header() + bytes }
        if random.oneIn(4) { bytes = CARv2Header.pragma + bytes }
        let car = ReadCAR(bytes)
        #expect(car.isAtEnd || !car.errors.isEmpty)
        _ = try? CARIndex(bytes: bytes)
        _ = try? CARRandomAccess(size: UInt64(bytes.count), read: positionalRead(bytes)).rebuildIndex()
    }

    @Test func damagedBlockIsReportedAndTheNextOnesAreStillRead() throws {
        var random = SeededRandom(seed: 3)
        let blocks = try (0..<20).map { _ in
            let bytes = random.bytes(50)
            return Block(cid: try CID(hashing: bytes, codec: .raw), bytes: bytes)
        }
        var file = try writtenCAR(blocks)
        let damaged = ReadCAR(file).sections[7]
        file[Int(damaged.offset) + 60] ^= 1
        let car = ReadCAR(file)
        #expect(car.errors == [.digestMismatch(damaged.cid, at: damaged.offset)])
        #expect(car.sections.map(\.cid) == blocks.map(\.cid).filter { $0 != damaged.cid })
    }

    @Test func sectionUnderACIDThatCannotBeVerifiedIsReportedAndPassed() throws {
        let good = try CID(hashing: Array("a".utf8), codec: .raw)
        var file = try writtenCAR([Block(cid: good, bytes: Array("a".utf8))])
        let at = file.count
        // murmur3-x64-64 is no hash that a block can be verified by.
        file += [13, 1, 0x55, 0x22, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x61]
        CARv1.appendSectionHead(good, blockBytes: 1, to: &file)
        file += Array("a".utf8)
        let car = ReadCAR(file)
        #expect(car.sections.count == 2 && car.isAtEnd)
        #expect(car.errors == [.invalidCID(at: UInt64(at), .multihash(.unknownFunction(code: 0x22)))])
    }

    @Test func streamPullsHeaderAndSections() throws {
        var random = SeededRandom(seed: 9)
        let blocks = try random.blocks(100)
        let file = try writtenCAR(roots: [blocks[0].cid], blocks)
        var rest = file[...]
        var stream = CARStream(pieceBytes: 1000) { buffer in
            let part = rest.prefix(buffer.count)
            rest = rest.dropFirst(buffer.count)
            buffer.copyBytes(from: part)
            return part.count
        }
        #expect(try stream.header().roots == [blocks[0].cid])
        var read: [Block] = []
        while let section = try stream.next() { read.append(section.block) }
        #expect(read == blocks)
    }
}
