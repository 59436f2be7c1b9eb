import Multiformats
import TestKit
import Testing

@Suite struct MultibaseTests {
    struct Table: Decodable {
        struct Vector: Decodable {
            let encoding: String
            let text: String
            let bytes_hex: String
            let decode_only: Bool
        }
        struct Prefix: Decodable {
            let encoding: String
            let character: String
        }
        let prefixes: [Prefix]
        let vectors: [Vector]
    }

    @Test func everyVectorDecodesAndEncodes() throws {
        let table = try Vectors.json("multiformats/multibase.json", as: Table.self)
        for vector in table.vectors where vector.encoding != "identity" {
            let decoded = try Multibase.decode(vector.text)
            #expect(decoded.base.name == vector.encoding, "\(vector.text)")
            #expect(decoded.bytes == hex(vector.bytes_hex), "\(vector.text)")
            if !vector.decode_only { #expect(Multibase.encode(decoded.bytes, decoded.base) == vector.text) }
        }
        #expect(table.vectors.count > 70)
    }

    @Test func everyPrefixOfTheTableIsKnown() throws {
        let table = try Vectors.json("multiformats/multibase.json", as: Table.self)
        for prefix in table.prefixes where prefix.encoding != "none" && prefix.encoding != "proquint" {
            let base = try #require(MultibaseEncoding(named: prefix.encoding), "\(prefix.encoding)")
            #expect(base.prefixText == prefix.character)
        }
    }

    @Test(arguments: SeededRandom.seeds(8))
    func everyBaseRoundTrips(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for base in MultibaseEncoding.all {
            for count in [0, 1, 2, 3, 7, 33, 36] {
                let bytes = Array(repeating: UInt8(0), count: random.number(0...2)) + random.bytes(count)
                let text = Multibase.encode(bytes, base)
                let decoded = try Multibase.decode(text)
                #expect(decoded.bytes == bytes && decoded.base == base, "\(base.name) \(bytes)")
            }
        }
    }

    @Test func leftOverBitsAndWrongPaddingAreRefused() {
        #expect(throws: MultibaseError.invalidLength) { try Multibase.decode("bmz") }
        #expect(throws: MultibaseError.invalidLength) { try Multibase.decode("ba") }
        #expect(throws: MultibaseError.invalidLength) { try Multibase.decode("MYQ=") }
        #expect(throws: MultibaseError.invalidLength) { try Multibase.decode("MYR==") }
        #expect(throws: MultibaseError.invalidCharacter("=", position: 3)) { try Multibase.decode("mYQ==") }
        #expect(throws: MultibaseError.invalidCharacter("0", position: 1)) { try Multibase.decode("z0") }
        #expect(throws: MultibaseError.empty) { try Multibase.decode("") }
        #expect(throws: MultibaseError.unknownPrefix("!")) { try Multibase.decode("!abc") }
    }

    @Test func aLongNumberIsRefusedBeforeItCosts() {
        let text = "z" + String(repeating: "9", count: 1_000_000)
        #expect(throws: MultibaseError.tooLong(maximum: 4096)) { try Multibase.decode(text) }
    }
}

func hex(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var digits = text.utf8.makeIterator()
    while let high = digits.next(), let low = digits.next() {
        bytes.append(UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16) ?? 0)
    }
    return bytes
}
