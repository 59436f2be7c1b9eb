import CAR
import Digests
import IPLD
import Multiformats
import TestKit
import Testing

@Suite struct CARIndexTests {
    @Test(arguments: [
        ("sample-index.carindex", CARIndexFormat.sorted),
        ("sample-multihash-index-sorted.carindex", .multihashSorted),
    ])
    func indexFileIsReadAndWrittenBackToTheByte(name: String, format: CARIndexFormat) throws {
        let bytes = try Vectors.bytes("car/" + name)
        let index = try CARIndex(bytes: bytes)
        #expect(index.format == format)
        #expect(index.count > 1000)
        #expect(index.encoded(as: format) == bytes)
    }

    @Test func containerOfTheSameBlocksHasTheBytesOfTheOtherImplementation() throws {
        let car = ReadCAR(try Vectors.bytes("car/sample-v1.car"))
        let file = try writtenCAR(
            roots: try #require(car.roots), car.sections.map(\.block),
            format: .version2(index: .multihashSorted, payloadBytes: nil))
        #expect(file == (try Vectors.bytes("car/sample-wrapped-v2.car")))
    }

    @Test(arguments: [CARIndexFormat.sorted, .multihashSorted], SeededRandom.seeds(8))
    func everyBlockIsFoundAgainInEitherFormat(format: CARIndexFormat, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var builder = CARIndexBuilder()
        var expected: [Multihash: [UInt64]] = [:]
        for (number, block) in try random.blocks(200, sizes: Array(0...300)).enumerated() {
            builder.add(block.cid.multihash, at: UInt64(number))
            if !block.cid.isIdentity { expected[block.cid.multihash, default: []].append(UInt64(number)) }
        }
        let index = try CARIndex(bytes: builder.finish().encoded(as: format))
        for (multihash, offsets) in expected { #expect(index.offsets(of: multihash) == offsets) }
        #expect(index.count == expected.values.reduce(0) { $0 + $1.count })
        #expect(index.offsets(of: try Multihash(hashing: Array("no such block".utf8), with: .sha2_256)) == [])
        var visited = 0
        index.forEach { code, _, _ in
            #expect((code == nil) == (format == .sorted))
            visited += 1
        }
        #expect(visited == index.count)
    }

    static let wrong: [([UInt8], CARError)] = [
        ([], .invalidIndex(at: 0, .notAVarint)),
        ([0x43], .invalidIndex(at: 0, .unknownFormat(0x43))),
        ([0x80, 0x08], .invalidIndex(at: 2, .truncated)),
        (
            [0x80, 0x08, 0xFF, 0xFF, 0xFF, 0xFF],
            .invalidIndex(at: 2, .tooManyBuckets(maximum: CARIndex.maximumBuckets))
        ),
        // A list of records without width; one whose length is not a multiple of it; one that is not there.
        (
            [0x80, 0x08, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            .invalidIndex(at: 6, .badWidth(0))
        ),
        (
            [0x80, 0x08, 1, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            .invalidIndex(at: 6, .raggedBucket)
        ),
        (
            [0x80, 0x08, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0],
            .invalidIndex(at: 6, .truncated)
        ),
        (
            [0x80, 0x08, 1, 0, 0, 0, 9, 0, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0] + [2]
                + [UInt8](repeating: 0, count: 8)
                + [1] + [UInt8](repeating: 0, count: 8),
            .invalidIndex(at: 6, .notSorted)
        ),
    ]

    @Test(arguments: wrong)
    func wrongIndexIsRefusedWithItsPlace(bytes: [UInt8], error: CARError) {
        #expect(throws: error) { try CARIndex(bytes: bytes) }
    }

    @Test func indexCutAnywhereIsRefused() throws {
        let bytes = try Vectors.bytes("car/sample-unixfs-v2.car")[335...]
        for count in 0..<bytes.count {
            #expect(throws: CARError.self) { try CARIndex(bytes: Array(bytes.prefix(count))) }
        }
        #expect(try CARIndex(bytes: Array(bytes)).count == 3)
    }
}
