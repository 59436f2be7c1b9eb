import Multiformats
import TestKit
import Testing

@Suite struct MultihashTests {
    struct Table: Decodable {
        struct Row: Decodable {
            let algorithm: String
            let bits: Int
            let multihash_hex: String
        }
        let valid: [Row]
        let invalid_multihash_hex: [String]
    }

    let table: Table
    init() throws { table = try Vectors.json("multiformats/multihash.json", as: Table.self) }

    @Test func wholeDigestsAreReadAndTruncatedOnesRefused() throws {
        var whole = 0
        for row in table.valid {
            let bytes = hex(row.multihash_hex)
            var offset = 0
            let code = try #require(
                MulticodecTable.code(named: row.algorithm).map(MultihashCode.init(rawValue:)))
            if row.bits / 8 == code.digestBytes {
                let multihash = try Multihash.decode(bytes.span.bytes, at: &offset)
                #expect(multihash.code == code && multihash.bytes == bytes && offset == bytes.count)
                whole += 1
            } else {
                #expect(throws: MultihashError.self) { try Multihash.decode(bytes.span.bytes, at: &offset) }
                #expect(offset == 0)
            }
        }
        #expect(whole > 20)
    }

    @Test func badMultihashesAreRefused() {
        for text in table.invalid_multihash_hex {
            #expect(throws: CIDError.self) { try CID(bytes: [1, 0x55] + hex(text)) }
        }
    }
}

@Suite struct VarintTests {
    @Test(
        arguments: [
            (0, [0x00]), (1, [0x01]), (127, [0x7F]), (128, [0x80, 0x01]), (255, [0xFF, 0x01]),
            (300, [0xAC, 0x02]),
            (16384, [0x80, 0x80, 0x01]),
            (UInt64.max >> 1, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),
        ] as [(UInt64, [UInt8])])
    func numbersHaveOneEncoding(value: UInt64, bytes: [UInt8]) throws {
        var encoded: [UInt8] = []
        Varint.append(value, to: &encoded)
        #expect(encoded == bytes && Varint.size(of: value) == bytes.count)
        var offset = 0
        let decoded = try Varint.decode(bytes.span.bytes, at: &offset)
        #expect(decoded == value && offset == bytes.count)
    }

    @Test(
        arguments: [
            ([], VarintError.truncated), ([0x80], .truncated), ([0x80, 0x00], .notMinimal),
            ([0x81, 0x80, 0x00], .notMinimal),
            ([UInt8](repeating: 0xFF, count: 9), .overflow), ([UInt8](repeating: 0x80, count: 10), .overflow),
        ] as [([UInt8], VarintError)])
    func badVarintsAreRefused(bytes: [UInt8], error: VarintError) {
        var offset = 0
        #expect(throws: error) { try Varint.decode(bytes.span.bytes, at: &offset) }
        #expect(offset == 0)
    }
}
