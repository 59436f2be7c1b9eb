import IPNS
import Multiformats
import TestKit
import Testing

/// Records that other programs made and records of our own.
@Suite struct RecordTests {
    @Test func recordsOfKuboAreReadAsTheySay() throws {
        var valid = 0
        for (file, known) in try IPNSVectors.records() {
            guard let said = known.record else { continue }
            let name = try PeerID(text: known.name)
            let record = try IPNSRecord(
                validating: IPNSVectors.bytes(file), for: name, at: IPNSVectors.now)
            #expect(record.value == Array(said.value.utf8), "\(file)")
            #expect(try record.target.description == said.value)
            #expect(record.sequence == said.sequence)
            #expect(record.validUntil == IPNSTime(text: Array(said.validity.utf8)))
            #expect(record.statedTTL == said.ttl.map { .nanoseconds(Int64($0)) })
            #expect(record.hasV1Fields == (said.v1 != nil))
            valid += 1
        }
        #expect(valid == 11)
    }

    @Test(arguments: [
        (
            "k51qzi5uqu5dm4tm0wt8srkg9h9suud4wuiwjimndrkydqm81cqtlb5ak6p7ku_v1.ipns-record",
            IPNSRecordError.noSignature
        ),
        (
            "k51qzi5uqu5diamp7qnnvs1p1gzmku3eijkeijs3418j23j077zrkok63xdm8c_v1-v2-broken-signature-v2.ipns-record",
            .wrongSignature
        ),
        (
            "k51qzi5uqu5dlmit2tuwdvnx4sbnyqgmvbxftl0eo3f33wwtb9gr7yozae9kpw_v1-v2-broken-v1-value.ipns-record",
            .fieldsDiffer("value")
        ),
    ])
    func brokenRecordsAreRefusedForTheirReason(file: String, error: IPNSRecordError) throws {
        let known = try #require(try IPNSVectors.records()[file])
        #expect(known.error != nil)
        #expect(throws: error) {
            try IPNSRecord(
                validating: IPNSVectors.bytes(file), for: PeerID(text: known.name), at: IPNSVectors.now)
        }
    }

    @Test(arguments: SeededRandom.seeds(32))
    func whatIsWrittenIsReadBack(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let draft = random.draft()
        let key = try PrivateKey(seed: random.bytes(32))
        let name = try key.publicKey.peerID
        let record = try IPNSRecord(signing: draft, with: key)
        let read = try IPNSRecord(validating: record.bytes, for: name, at: IPNSTime(seconds: 0))
        #expect(read == record)
        #expect(try read.target == draft.target)
        #expect(read.sequence == draft.sequence)
        #expect(read.validUntil == draft.validUntil)
        #expect(read.ttl == draft.ttl)
        #expect(read.hasV1Fields == (draft.fields == .bothVersions))
        #expect(read.publicKey == nil)
        #expect(read.bytes.count <= IPNSRecord.maximumBytes)
    }

    @Test func recordsOfHashedNamesCarryTheirKey() throws {
        for known in try IPNSVectors.keys() {
            let key = try PrivateKey(protobuf: IPNSVectors.hex(known.private))
            var random = SeededRandom(seed: 3)
            let record = try IPNSRecord(signing: random.draft(), with: key)
            #expect((record.publicKey == key.publicKey) == (key.type != .ed25519))
            try record.validate(for: PeerID(text: known.name), at: IPNSTime(seconds: 0))
        }
    }

    @Test func noByteCanBeChanged() throws {
        var random = SeededRandom(seed: 11)
        let key = try PrivateKey(seed: random.bytes(32))
        let name = try key.publicKey.peerID
        for fields in [IPNSRecordDraft.Fields.bothVersions, .onlyV2] {
            var draft = random.draft()
            draft.fields = fields
            let bytes = try IPNSRecord(signing: draft, with: key).bytes
            let target = try IPNSRecord(decoding: bytes).value
            for index in bytes.indices {
                for bit in [UInt8(1), 0x80] {
                    var tampered = bytes
                    tampered[index] ^= bit
                    // The signature of version 1 means nothing: what it covers is covered by the other one too.
                    guard let read = try? IPNSRecord(validating: tampered, for: name, at: .init(seconds: 0))
                    else { continue }
                    #expect(fields == .bothVersions, "byte \(index) is not covered")
                    #expect(read.value == target)
                    #expect(read.sequence == draft.sequence)
                    #expect(read.validUntil == draft.validUntil)
                    #expect(read.ttl == draft.ttl)
                }
                #expect(throws: IPNSRecordError.self) {
                    try IPNSRecord(validating: Array(bytes[..<index]), for: name, at: .init(seconds: 0))
                }
            }
        }
    }

    @Test func aRecordOfOneNameIsNoneOfAnother() throws {
        var random = SeededRandom(seed: 5)
        let (key, other) = (try PrivateKey(seed: random.bytes(32)), try PrivateKey(seed: random.bytes(32)))
        let record = try IPNSRecord(signing: random.draft(), with: key)
        let name = try other.publicKey.peerID
        #expect(throws: IPNSRecordError.wrongSignature) {
            try record.validate(for: name, at: .init(seconds: 0))
        }
        let rsa = try PeerID(text: "QmVujd5Vb7moysJj8itnGufN7MEtPRCNHkKpNuA4onsRa3")
        #expect(throws: IPNSRecordError.noKey) { try record.validate(for: rsa, at: .init(seconds: 0)) }
        let carried = try IPNSRecord(
            decoding: IPNSVectors.bytes("QmVujd5Vb7moysJj8itnGufN7MEtPRCNHkKpNuA4onsRa3.ipns-record"))
        #expect(throws: IPNSRecordError.keyOfAnotherName) {
            try carried.validate(for: name, at: IPNSVectors.now)
        }
    }

    @Test func newerIsHigherSequenceThenLongerValidity() throws {
        let key = try PrivateKey(seed: [UInt8](repeating: 1, count: 32))
        func record(_ sequence: UInt64, _ seconds: Int64) throws -> IPNSRecord {
            var random = SeededRandom(seed: 1)
            var draft = random.draft()
            draft.sequence = sequence
            draft.validUntil = IPNSTime(seconds: seconds)
            return try IPNSRecord(signing: draft, with: key)
        }
        let ordered = [try record(1, 9000), try record(2, 100), try record(2, 101), try record(3, 1)]
        for (a, first) in ordered.enumerated() {
            for (b, second) in ordered.enumerated() { #expect(first.isNewer(than: second) == (a > b)) }
        }
    }
}

extension SeededRandom {
    /// Something that a record can say.
    mutating func draft() -> IPNSRecordDraft {
        let digest = bytes(32)
        // 32 bytes are a digest of sha2-256, and one segment is short enough.
        let cid = (try? Multihash(code: .sha2_256, digest: digest.span.bytes)).map {
            CID(codec: pick([.raw, .dagPB, .dagCBOR]), multihash: $0)
        }
        let segments = (0..<number(0...3)).map { _ in Array("part \(number(0...99))".utf8) }
        let root = cid.map { ContentPath.Root.ipfs($0) } ?? .domain(.init("a.example").unsafelyUnwrapped)
        let target = (try? ContentPath(root: root, segments: segments)).unsafelyUnwrapped
        var draft = IPNSRecordDraft(
            target: target, sequence: next() >> UInt64(number(1...63)),
            validUntil: IPNSTime(
                seconds: Int64(number(1...200_000_000_000)), nanoseconds: Int32(number(0...999_999_999))))
        draft.ttl = .nanoseconds(Int64(number(0...Int.max)))
        if oneIn(2) { draft.fields = .onlyV2 }
        return draft
    }
}
