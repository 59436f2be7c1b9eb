import CAR
import Digests
import IPLD
import Multiformats
import TestKit
import Testing

@Suite struct CARv1Tests {
    static let cid = try? CID(hashing: Array("a".utf8), codec: .raw)

    @Test func headerWithoutRootsHasTheBytesOfTheSpecification() throws {
        let expected = "11a265726f6f7473806776657273696f6e01"
        #expect(try Multibase.decode("f" + expected).bytes == CARv1.header())
    }

    @Test(arguments: [0, 1, 2, 23, 24, 255, 256, 300])
    func headerRoundTripsWithAnyNumberOfRoots(count: Int) throws {
        let roots = try (0..<count).map { try CID(hashing: Array("root \($0)".utf8), codec: .dagPB) }
        let bytes = CARv1.header(roots: roots)
        var offset = 0
        let header = try CARv1.decodeHeader(bytes.span.bytes, at: &offset)
        #expect(header == CARHeader(roots: roots))
        #expect(offset == bytes.count)
    }

    @Test func headerOfEveryShorterLengthIsTruncated() throws {
        let bytes = CARv1.header(roots: [try #require(Self.cid)])
        for count in bytes.indices {
            let part = Array(bytes.prefix(count))
            let error = #expect(throws: CARError.self) {
                var offset = 0
                _ = try CARv1.decodeHeader(part.span.bytes, at: &offset, base: 7)
            }
            guard case .truncated(.header, at: 7, _, UInt64(count)) = error else {
                Issue.record("\(count) bytes: \(String(describing: error))")
                continue
            }
        }
    }

    @Test func headerMayHaveItsKeysInTheOtherOrder() throws {
        let map: [UInt8] = [0xA2, 0x67] + Array("version".utf8) + [1, 0x65] + Array("roots".utf8) + [0x80]
        let bytes = [UInt8(map.count)] + map
        var offset = 0
        #expect(try CARv1.decodeHeader(bytes.span.bytes, at: &offset) == CARHeader(roots: []))
    }

    /// Maps as hexadecimal bytes and texts, with the error expected when the map begins at byte 101.
    static let wrongMaps: [(String, CARError)] = [
        ("A1 67 version 18 2A", .unknownVersion(42, at: 101)),
        ("A0", .invalidHeader(at: 101, .missingVersion)),
        ("80", .invalidHeader(at: 101, .notAMap)),
        ("", .invalidHeader(at: 101, .empty)),
        ("BF", .invalidHeader(at: 101, .notCBOR)),
        ("A1 61 61 01", .invalidHeader(at: 102, .unknownKey)),
        ("A1 65 roots 01", .invalidHeader(at: 108, .rootsAreNoList)),
        ("A1 65 roots 81 01", .invalidHeader(at: 109, .rootIsNoLink(index: 0))),
        // A list of 2^32 roots, of which none is there.
        ("A1 65 roots 9B 00 00 00 01 00 00 00 00", .invalidHeader(at: 117, .notCBOR)),
        ("A2 67 version 01 67 version 01", .invalidHeader(at: 111, .duplicateKey)),
        ("A1 67 version 01 00", .invalidHeader(at: 111, .trailingBytes(count: 1))),
    ]

    @Test(arguments: wrongMaps)
    func wrongHeadersAreRefusedWithTheirPlace(map: String, expected: CARError) {
        let map = map.split(separator: " ").flatMap { UInt8($0, radix: 16).map { [$0] } ?? Array($0.utf8) }
        let bytes = [UInt8(map.count)] + map
        #expect(throws: expected) {
            var offset = 0
            _ = try CARv1.decodeHeader(bytes.span.bytes, at: &offset, base: 100)
        }
    }

    @Test(arguments: interestingSmallSizes)
    func sectionIsFramedAndFoundAgain(size: Int) throws {
        let block = [UInt8](repeating: 7, count: size)
        let cid = try CID(hashing: block, codec: .raw)
        var bytes: [UInt8] = [0xFF, 0xFF]
        CARv1.appendSectionHead(cid, blockBytes: size, to: &bytes)
        bytes += block
        let head = try CARv1.section(bytes.span.bytes, at: 2)
        #expect(head.cid == cid)
        #expect(Array(bytes[head.block]) == block)
        #expect(head.end == bytes.count)
        #expect(bytes.count - 2 == CARv1.sectionBytes(cid, blockBytes: size))
    }

    @Test func sectionHeadNeedsNoBlock() throws {
        let cid = try #require(Self.cid)
        var bytes: [UInt8] = []
        CARv1.appendSectionHead(cid, blockBytes: 1000, to: &bytes)
        let head = try CARv1.sectionHead(bytes.span.bytes, at: 0)
        #expect(head.block == bytes.count..<(bytes.count + 1000))
        #expect(throws: CARError.truncated(.section, at: 5, needed: 1038, available: 38)) {
            try CARv1.section(bytes.span.bytes, at: 0, base: 5)
        }
    }

    static let wrongSections: [([UInt8], CARError)] = [
        ([0], .zeroLengthSection(at: 9)),
        ([], .truncated(.section, at: 9, needed: 1, available: 0)),
        ([0x80], .truncated(.section, at: 9, needed: 2, available: 1)),
        ([0x81, 0x00], .invalidLength(.section, at: 9, .notMinimal)),
        ([UInt8](repeating: 0xFF, count: 10), .invalidLength(.section, at: 9, .overflow)),
        ([2, 1, 0x55], .invalidCID(at: 9, .multihash(.varint(.truncated)))),
        ([1, 3], .invalidCID(at: 9, .unknownVersion(3))),
    ]

    @Test(arguments: wrongSections)
    func wrongSectionsAreRefusedWithTheirPlace(bytes: [UInt8], expected: CARError) {
        #expect(throws: expected) { try CARv1.sectionHead(bytes.span.bytes, at: 0, base: 9) }
    }
}
