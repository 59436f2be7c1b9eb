import Digests
import IPLD
import Multiformats
import TestKit
import Testing

@Suite struct CodecTests {
    static let codecs: [(String, Codec)] = [
        ("dag-cbor", .dagCBOR), ("dag-json", .dagJSON), ("dag-pb", .dagPB),
    ]

    @Test func everyFixtureIsTheSameValueInEveryCodec() throws {
        var checked = 0
        for (name, forms) in try CodecVectors.positive() {
            for (from, codec) in Self.codecs {
                guard let form = forms[from] else { continue }
                let value = try Block(cid: CID(hashing: form.bytes, codec: codec), bytes: form.bytes).value()
                for (to, target) in Self.codecs {
                    guard let wanted = forms[to] else { continue }
                    let encoded = try value.encoded(as: target)
                    #expect(encoded == wanted.bytes, "\(name): \(from) to \(to)")
                    #expect(try CID(hashing: encoded, codec: target) == CID(text: wanted.cid))
                    checked += 1
                }
            }
        }
        #expect(checked > 500)
    }

    @Test func everyNegativeFixtureIsRefused() throws {
        for (name, codec) in Self.codecs {
            for vector in try CodecVectors.refused(by: name) {
                let cid = try CID(hashing: vector.bytes, codec: codec)
                #expect(throws: (any Error).self, "\(name): \(vector.name)") {
                    try Block(cid: cid, bytes: vector.bytes).value()
                }
            }
        }
    }

    @Test func valuesThatAnEncoderMustRefuseAreRefused() throws {
        let root = try Vectors.jsonObject("codecs/negative.json") as? [String: Any]
        let encode = (root?["dag-pb"] as? [String: Any])?["encode"] as? [[String: Any]] ?? []
        #expect(encode.count > 50)
        for vector in encode {
            let json = try CodecVectors.json(vector["dag-json"] as Any)
            let name = vector["name"] as? String ?? ""
            #expect(throws: IPLDCodecError.self, "\(name)") {
                try DAGJSON.decode(json, dialect: .dagJSON).encoded(as: .dagPB)
            }
        }
    }

    @Test(
        arguments: [
            ([0x18, 0x17], IPLDCodecError.notMinimal(offset: 0)),
            ([0x9F, 0xFF], .indefiniteLength(offset: 0)),
            ([0xA2, 0x61, 0x62, 0x01, 0x61, 0x61, 0x02], .keysOutOfOrder(offset: 4)),
            ([0xA2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x02], .duplicateKey("a", offset: 4)),
            ([0xA1, 0x01, 0x02], .keyNotAString(offset: 1)),
            ([0xF9, 0x3C, 0x00], .unexpected(0xF9, offset: 0)),
            ([0xFA, 0x3F, 0x80, 0, 0], .unexpected(0xFA, offset: 0)),
            ([0xFB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0], .badNumber(offset: 0)),
            ([0xC1, 0x01], .unknownTag(1, offset: 0)),
            ([0xD8, 0x2A, 0x41, 0x00], .badLink(offset: 0)), ([0x01, 0x02], .trailingBytes(offset: 1)),
            ([0xF7], .unexpected(0xF7, offset: 0)), ([0x62, 0x61], .truncated(offset: 0)),
            ([0x61, 0xFF], .badString(offset: 0)),
            ([], .truncated(offset: 0)),
        ] as [([UInt8], IPLDCodecError)])
    func badInput7WhatDAGCBORForbidsIsRefused(bytes: [UInt8], error: IPLDCodecError) {
        #expect(throws: error) { try DAGCBOR.decode(bytes) }
    }

    /// An accented letter is one scalar or two: equal as strings, but other bytes, and so another key. Blocks
    /// with both were refused as if the key were there twice.
    @Test func keysOfOneMeaningAndDifferentBytesAreDifferentKeys() throws {
        let cbor: [UInt8] = [0xA2, 0x62, 0xC3, 0xA9, 0x01, 0x63, 0x65, 0xCC, 0x81, 0x02]
        let value = try DAGCBOR.decode(cbor)
        #expect(value[key: "\u{E9}"] == .integer(1))
        #expect(value[key: "e\u{301}"] == .integer(2))
        #expect(try DAGCBOR.encode(value) == cbor)
        #expect(try DAGCBOR.encode(DAGCBOR.decode(cbor, dialect: .plainCBOR)) == cbor)
        let json = Array("{\"e\u{301}\":2,\"\u{E9}\":1}".utf8)
        #expect(try DAGJSON.encode(value) == json)
        #expect(try DAGJSON.encode(DAGJSON.decode(json)) == json)
    }

    @Test func plainMapsWithAKeyTwiceAreRefused() {
        #expect(throws: IPLDCodecError.duplicateKey("a", offset: 4)) {
            try DAGCBOR.decode([0xA2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x02], dialect: .plainCBOR)
        }
        #expect(throws: IPLDCodecError.duplicateKey("a", offset: 7)) {
            try DAGJSON.decode(Array("{\"a\":1,\"a\":2}".utf8), dialect: .plainJSON)
        }
    }

    @Test func badInput6ClaimsAllocateNothing() {
        // Ten arrays within one another, each claiming 2^32 items.
        let bytes = (0..<10).flatMap { _ in [0x9A, 0xFF, 0xFF, 0xFF, 0xFF] as [UInt8] }
        #expect(throws: IPLDCodecError.truncated(offset: 0)) { try DAGCBOR.decode(bytes) }
        #expect(throws: IPLDCodecError.truncated(offset: 0)) {
            try DAGCBOR.decode([0x5B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])
        }
    }

    @Test func badInput7DeepNestingIsRefusedWithoutRecursion() {
        let cbor = [UInt8](repeating: 0x81, count: 1_000_000)
        #expect(throws: IPLDCodecError.tooDeep(maximum: 1024)) { try DAGCBOR.decode(cbor) }
        let json = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: IPLDCodecError.tooDeep(maximum: 1024)) { try DAGJSON.decode(json) }
    }

    @Test(arguments: [
        "{\"b\":1,\"a\":2}", "{\"a\":1,\"a\":2}", "{\"/\":1}", "{\"/\":\"Qm\"}", "{\"/\":{\"bytes\":\"!\"}}",
        "{\"/\":{\"bytes\":\"oQ==\"}}",
        "{\"/\":\"bafkqabiaaebagba\",\"a\":1}", "[1,]", "[01]", "[1 2]", "\"\\ud800\"", "\"\\x\"", "1 2", "",
        "nul", "1e999",
        "99999999999999999999999", "{1:2}", "[", "\"a", "NaN",
    ])
    func badInput7WhatDAGJSONForbidsIsRefused(text: String) {
        #expect(throws: IPLDCodecError.self) { try DAGJSON.decode(Array(text.utf8)) }
    }

    @Test func plainCBORAndJSONAreRead() throws {
        let cbor: [UInt8] = [0xBF, 0x61, 0x62, 0x9F, 0x01, 0xF9, 0x3C, 0x00, 0xFF, 0x01, 0xF7, 0xFF]
        #expect(
            try DAGCBOR.decode(cbor, dialect: .plainCBOR)
                == .map([
                    IPLDEntry(key: "b", value: .list([.integer(1), .float(1)])),
                    IPLDEntry(key: "1", value: .null),
                ]))
        let json = try DAGJSON.decode(
            Array(" {\"b\" : [1, 2.5e1], \"/\": \"x\\u00e9\\ud83d\\ude00\"} ".utf8), dialect: .plainJSON)
        #expect(json[key: "/"] == .string("xé😀"))
    }

    @Test(arguments: SeededRandom.seeds(8))
    func randomValuesRoundTripAndDamagedBlocksNeverTrap(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<80 {
            let value = try randomValue(&random, depth: 4)
            for codec in [Codec.dagCBOR, .dagJSON] {
                let bytes = try value.encoded(as: codec)
                let decoded = try Block(cid: CID(hashing: bytes, codec: codec), bytes: bytes).value()
                #expect(try decoded.encoded(as: codec) == bytes)
                var damaged = bytes
                damaged[random.number(0..<damaged.count)] ^= UInt8(1 << random.number(0...7))
                if let survivor = try? DAGCBOR.decode(damaged) {
                    #expect(try DAGCBOR.encode(survivor) == damaged)
                }
                _ = try? DAGJSON.decode(Array(damaged.prefix(random.number(0...damaged.count))))
            }
        }
    }

    private func randomValue(_ random: inout SeededRandom, depth: Int) throws -> IPLDValue {
        switch random.number(0...(depth > 0 ? 8 : 6)) {
        case 0: return .null
        case 1: return .bool(random.oneIn(2))
        case 2: return .integer(random.oneIn(2) ? Int128(random.next()) : -1 - Int128(random.next() >> 60))
        case 3: return .float(Double(random.number(-1000...1000)) / 7 + 0.125)
        case 4:
            return .string(
                String(repeating: random.pick(["a", "é", "\"", "\n", "水"]), count: random.number(0...5)))
        case 5: return .bytes(random.bytes(random.number(0...40)))
        case 6: return .link(try CID(hashing: random.bytes(4), codec: .dagCBOR))
        case 7:
            var list: [IPLDValue] = []
            for _ in 0..<random.number(0...4) { list.append(try randomValue(&random, depth: depth - 1)) }
            return .list(list)
        default:
            var entries: [IPLDEntry] = []
            for index in 0..<random.number(0...4) {
                entries.append(
                    IPLDEntry(key: "k\(index * 37 % 11)", value: try randomValue(&random, depth: depth - 1)))
            }
            return .map(entries)
        }
    }
}
