import IPLD
import IPNS
import Multiformats
import TestKit
import Testing

/// Records that say what no record may say, signed by whoever holds the key: honest form, hostile content.
@Suite struct BadRecordTests {
    private let key: PrivateKey
    private let name: PeerID

    init() throws {
        key = try PrivateKey(seed: [UInt8](repeating: 9, count: 32))
        name = try key.publicKey.peerID
    }

    private static let validity = Array("2100-01-01T00:00:00Z".utf8)

    private func entries() -> [String: IPLDValue] {
        [
            "Value": .bytes(Array("/ipfs/bafkqaaa".utf8)), "Validity": .bytes(Self.validity),
            "ValidityType": .integer(0), "Sequence": .integer(1), "TTL": .integer(1000),
        ]
    }

    /// A record of version 2 with any data, signed rightly, and any fields before it.
    private func sign(_ data: [UInt8], before: [UInt8] = []) throws -> [UInt8] {
        let signature = try key.signature(of: Array("ipns-signature:".utf8) + data)
        return before + Self.field(8, signature) + Self.field(9, data)
    }

    private func sign(_ entries: [String: IPLDValue]) throws -> [UInt8] {
        try sign(DAGCBOR.encode(.map(entries.map { IPLDEntry(key: $0.key, value: $0.value) })))
    }

    private static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        Varint.append(UInt64(content.count), to: &length)
        return [number << 3 | 2] + length + content
    }

    private func refuse(
        _ bytes: [UInt8], _ error: IPNSRecordError, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(throws: error, sourceLocation: sourceLocation) {
            try IPNSRecord(validating: bytes, for: name, at: IPNSVectors.now)
        }
    }

    @Test func theHandmadeRecordIsRightToBeginWith() throws {
        let record = try IPNSRecord(validating: sign(entries()), for: name, at: IPNSVectors.now)
        #expect(try record.target == ContentPath(text: "/ipfs/bafkqaaa"))
        #expect(record.ttl == .nanoseconds(1000))
        var silent = entries()
        silent["TTL"] = nil
        silent["_note"] = .string("of somebody else")
        let second = try IPNSRecord(validating: sign(silent), for: name, at: IPNSVectors.now)
        #expect(second.statedTTL == nil)
        #expect(second.ttl == .seconds(300))
    }

    static let wrongFields: [(String, IPLDValue?, IPNSRecordError)] = [
        ("TTL", .integer(-1), .negative("TTL")),
        ("TTL", .integer(1 << 63), .outOfRange("TTL")),
        ("TTL", .string("5"), .badField("TTL")),
        ("Sequence", .integer(-7), .negative("Sequence")),
        ("Sequence", .integer(1 << 63), .outOfRange("Sequence")),
        ("Sequence", nil, .missingField("Sequence")),
        ("Validity", nil, .missingField("Validity")),
        ("Validity", .string("2100-01-01T00:00:00Z"), .badField("Validity")),
        ("Validity", .bytes([]), .badValidity),
        ("Validity", .bytes(Array("tomorrow".utf8)), .badValidity),
        ("Validity", .bytes(Array("2100-02-30T00:00:00Z".utf8)), .badValidity),
        ("Validity", .bytes([UInt8](repeating: 0x30, count: 5000)), .badValidity),
        ("ValidityType", nil, .missingField("ValidityType")),
        ("ValidityType", .integer(1), .unknownValidityType(1)),
        ("Value", nil, .missingField("Value")),
        ("Value", .string("/ipfs/bafkqaaa"), .badField("Value")),
    ]

    @Test(arguments: wrongFields)
    func badInputFieldsOfSignedData(field: String, value: IPLDValue?, error: IPNSRecordError) throws {
        var entries = entries()
        entries[field] = value
        refuse(try sign(entries), error)
    }

    @Test(arguments: ["2020-01-01T00:00:00Z", "2027-01-15T07:59:59.999999999Z", "0000-01-01T00:00:00Z"])
    func badInputEndOfLifePast(validity: String) throws {
        var entries = entries()
        entries["Validity"] = .bytes(Array(validity.utf8))
        let end = try #require(IPNSTime(text: Array(validity.utf8)))
        refuse(try sign(entries), .expired(at: end))
        // It is a record all the same: whoever shows it can say until when it held.
        #expect(try IPNSRecord(decoding: sign(entries)).validUntil == end)
    }

    @Test func anEndFarAwayIsValidAndCachedForItsTTLOnly() throws {
        var entries = entries()
        entries["Validity"] = .bytes(Array("9999-12-31T23:59:59.999999999Z".utf8))
        entries["TTL"] = .integer(Int128(Int64.max))
        let record = try IPNSRecord(validating: sign(entries), for: name, at: IPNSVectors.now)
        #expect(record.remainingTTL(at: IPNSVectors.now) == .nanoseconds(Int64.max))
        entries["Validity"] = .bytes(Self.validity)
        let nearer = try IPNSRecord(validating: sign(entries), for: name, at: IPNSVectors.now)
        let last = nearer.validUntil.adding(.seconds(-10))
        #expect(nearer.remainingTTL(at: last) == .seconds(10))
        #expect(nearer.remainingTTL(at: nearer.validUntil.adding(.seconds(10))) == .zero)
    }

    @Test func badInputRecordOfTenMegabytes() throws {
        let bytes = [UInt8](repeating: 0x42, count: 10 * 1024 * 1024)
        refuse(bytes, .tooLarge(bytes: bytes.count, maximum: 10 * 1024))
        var entries = entries()
        entries["Value"] = .bytes([UInt8](repeating: 0x61, count: 10 * 1024))
        let record = try sign(entries)
        refuse(record, .tooLarge(bytes: record.count, maximum: 10 * 1024))
        refuse([], .noSignature)
    }

    @Test func dataThatIsNotStrictIsRefused() throws {
        let data = try DAGCBOR.encode(.map(entries().map { IPLDEntry(key: $0.key, value: $0.value) }))
        refuse(try sign(data + [0]), .data(.trailingBytes(offset: data.count)))
        refuse(try sign([0xA0]), .missingField("Value"))
        refuse(try sign([0x01]), .missingField("Value"))
        // A map that is longer than its bytes, and one that nests without end.
        refuse(
            try sign([0xBB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]), .data(.truncated(offset: 0)))
        refuse(try sign([UInt8](repeating: 0x81, count: 9000)), .data(.tooDeep(maximum: 8)))
    }

    @Test func whatRepeatsTheDataMustRepeatIt() throws {
        let data = try DAGCBOR.encode(.map(entries().map { IPLDEntry(key: $0.key, value: $0.value) }))
        let value = Self.field(1, Array("/ipfs/bafkqaaa".utf8))
        let signature = Self.field(2, [1, 2, 3])
        let rest = [0x18, 0] + Self.field(4, Self.validity) + [0x28, 1, 0x30, 0xE8, 0x07]
        let right = try IPNSRecord(
            validating: sign(data, before: value + signature + rest), for: name, at: IPNSVectors.now)
        #expect(right.hasV1Fields)
        refuse(try sign(data, before: signature + rest), .fieldsDiffer("value"))
        refuse(try sign(data, before: value), .fieldsDiffer("validity"))
        let otherSequence = value + [0x18, 0] + Self.field(4, Self.validity) + [0x28, 2, 0x30, 0xE8, 0x07]
        refuse(try sign(data, before: otherSequence), .fieldsDiffer("sequence"))
        let otherTTL = value + [0x18, 0] + Self.field(4, Self.validity) + [0x28, 1, 0x30, 1]
        refuse(try sign(data, before: otherTTL), .fieldsDiffer("ttl"))
        let otherType = value + [0x18, 1] + Self.field(4, Self.validity) + [0x28, 1, 0x30, 0xE8, 0x07]
        refuse(try sign(data, before: otherType), .fieldsDiffer("validityType"))
        // Fields that nobody knows yet are passed over.
        let future = Self.field(13, [5])
        _ = try IPNSRecord(validating: sign(data, before: []) + future, for: name, at: IPNSVectors.now)
    }

    @Test func malformedProtobufIsRefused() throws {
        let right = try sign(entries())
        refuse(right + right, .protobuf(.repeatedField(8)))
        refuse(right + [0x80], .protobuf(.truncated(offset: right.count)))
        refuse(right + [0x68, 0x80, 0x00], .protobuf(.badVarint(offset: right.count + 1)))
        refuse(right + [0x00, 0x00], .protobuf(.badFieldNumber(offset: right.count)))
        refuse(right + [0x6B], .protobuf(.badWireType(3, offset: right.count)))
        let numbers: [UInt8] = (0..<65).flatMap { _ -> [UInt8] in [0x68, 1] }
        refuse(numbers, .protobuf(.tooManyFields(maximum: 64)))
        refuse([0x40, 1], .protobuf(.wrongWireType(field: 8)))
        let claim = [UInt8(0x4A)] + [UInt8](repeating: 0xFF, count: 9) + [1]
        refuse(claim, .protobuf(.truncated(offset: 0)))
    }

    @Test func aDraftThatCannotBeARecordIsRefused() throws {
        var random = SeededRandom(seed: 2)
        var draft = random.draft()
        draft.ttl = .seconds(-1)
        #expect(throws: IPNSRecordError.negative("TTL")) { try IPNSRecord(signing: draft, with: key) }
        draft.ttl = .seconds(Int64.max)
        #expect(throws: IPNSRecordError.outOfRange("TTL")) { try IPNSRecord(signing: draft, with: key) }
        draft.ttl = .zero
        draft.sequence = 1 << 63
        #expect(throws: IPNSRecordError.outOfRange("Sequence")) { try IPNSRecord(signing: draft, with: key) }
    }

    @Test(arguments: SeededRandom.seeds(8))
    func randomBytesAreRefused(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<200 {
            let bytes = random.bytes(random.number(0...300))
            #expect(throws: IPNSRecordError.self) {
                try IPNSRecord(validating: bytes, for: name, at: IPNSVectors.now)
            }
        }
    }
}
