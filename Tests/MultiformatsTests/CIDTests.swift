import Multiformats
import TestKit
import Testing

@Suite struct CIDTests {
    struct Table: Decodable {
        struct Valid: Decodable {
            let text: String
            let version: UInt8
            let codec: String
            let bytes_hex: String
            let multihash_code: String
            let digest_hex: String
            let base32: String?
            let base36: String?
            let base58btc: String?
            let v0: String?
        }
        struct Same: Decodable {
            let given: String
            let base32: String
            let base58btc: String
        }
        struct Reject: Decodable {
            let text: String?
            let bytes_hex: String?
            let why: String
        }
        struct Identity: Decodable {
            let text: String
            let accept: Bool
        }
        struct Name: Decodable {
            let peer_id: String
            let base36: String
        }
        let valid: [Valid]
        let same_cid: [Same]
        let reject: [Reject]
        let identity_limit: [Identity]
        let ipns_names: [Name]
    }

    let table: Table
    init() throws { table = try Vectors.json("multiformats/cid.json", as: Table.self) }

    @Test func validCIDsComeApartAndTogether() throws {
        for row in table.valid {
            let cid = try CID(text: row.text)
            #expect(cid.version == row.version, "\(row.text)")
            #expect("0x" + String(cid.codec.rawValue, radix: 16) == row.codec)
            #expect(cid.bytes == hex(row.bytes_hex))
            #expect("0x" + String(cid.multihash.code.rawValue, radix: 16) == row.multihash_code)
            #expect(cid.multihash.digest == hex(row.digest_hex))
            #expect(try CID(bytes: cid.bytes) == cid)
            #expect(try CID(text: cid.description) == cid)
            let version1 = cid.asVersion1
            if let text = row.base32 { #expect(try version1.text(in: .base32) == text) }
            if let text = row.base36 { #expect(try version1.text(in: .base36) == text) }
            if let text = row.base58btc { #expect(try version1.text(in: .base58BTC) == text) }
            if let text = row.v0 { #expect(try CID(version0: cid.multihash).description == text) }
        }
    }

    @Test func oneCIDInSeveralBasesIsTheSame() throws {
        for row in table.same_cid {
            let cid = try CID(text: row.given).asVersion1
            #expect(try cid.text(in: .base32) == row.base32)
            #expect(try cid.text(in: .base58BTC) == row.base58btc)
        }
    }

    @Test func badInput14WhatIsNoCIDIsRefused() throws {
        for row in table.reject {
            if let text = row.text { #expect(throws: CIDError.self, "\(row.why)") { try CID(text: text) } }
            if let bytes = row.bytes_hex {
                #expect(throws: CIDError.self, "\(row.why)") { try CID(bytes: hex(bytes)) }
            }
        }
    }

    @Test func badInput13IdentityCIDsAreCappedAt128Bytes() throws {
        for row in table.identity_limit {
            if row.accept {
                #expect(try CID(text: row.text).isIdentity)
            } else {
                #expect(throws: CIDError.multihash(.identityTooLong(bytes: 129, maximum: 128))) {
                    try CID(text: row.text)
                }
            }
        }
    }

    @Test func ipnsNamesHaveBothForms() throws {
        for row in table.ipns_names {
            let peer = try PeerID(text: row.peer_id)
            #expect(peer.ipnsName == row.base36)
            #expect(try PeerID(text: row.base36) == peer)
            #expect(peer.description == row.peer_id)
        }
    }

    @Test func badInput14TheZooIsRefusedEachByItsReason() throws {
        let digest = [UInt8](repeating: 7, count: 32)
        #expect(throws: CIDError.varint(.notMinimal)) {
            try CID(bytes: [0x81, 0x00, 0x55, 0x12, 0x20] + digest)
        }
        #expect(throws: CIDError.varint(.overflow)) {
            try CID(bytes: [1] + [UInt8](repeating: 0xFF, count: 10) + [1, 0x12, 0x20] + digest)
        }
        #expect(throws: CIDError.multihash(.unknownFunction(code: 0x1E))) {
            try CID(bytes: [1, 0x55, 0x1E, 0x20] + digest)
        }
        #expect(throws: CIDError.multihash(.wrongDigestLength(code: 0x12, expected: 32, actual: 31))) {
            try CID(bytes: [1, 0x55, 0x12, 31] + digest.dropLast())
        }
        #expect(throws: CIDError.multihash(.wrongDigestLength(code: 0x12, expected: 32, actual: 0))) {
            try CID(bytes: [1, 0x55, 0x12, 0])
        }
        #expect(throws: CIDError.multihash(.truncated(expected: 32, actual: 31))) {
            try CID(bytes: [0x12, 0x20] + digest.dropLast())
        }
        #expect(throws: CIDError.unknownVersion(2)) { try CID(bytes: [2, 0x55, 0x12, 0x20] + digest) }
        #expect(throws: CIDError.trailingBytes(count: 1)) {
            try CID(bytes: [1, 0x55, 0x12, 0x20] + digest + [0])
        }
        #expect(throws: CIDError.textTooLong(maximum: CID.maximumTextCharacters)) {
            try CID(text: "b" + String(repeating: "a", count: 10_000))
        }
    }

    @Test func upperCaseBase32IsRead() throws {
        let cid = try CID(text: "BAFKREIHDWDCEFGH4DQKJV67UZCMW7OJEE6XEDZDETOJUZJEVTENXQUVYKU")
        #expect(cid.description == "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")
    }

    @Test(arguments: SeededRandom.seeds(16))
    func randomBytesNeverTrap(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            var bytes = random.bytes(random.number(0...60))
            if random.oneIn(2) { bytes = [1, 0x55] + bytes }
            guard let cid = try? CID(bytes: bytes) else { continue }
            #expect(cid.bytes == bytes)
        }
    }
}
