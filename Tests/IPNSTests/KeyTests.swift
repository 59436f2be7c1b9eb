import IPNS
import Multiformats
import TestKit
import Testing

/// Keys of libp2p: in protobuf and PEM, with the names that belong to them.
@Suite struct KeyTests {
    @Test func knownKeysHaveTheirNames() throws {
        for known in try IPNSVectors.keys() {
            let key = try PrivateKey(protobuf: IPNSVectors.hex(known.private))
            #expect(key.publicKey.protobuf == IPNSVectors.hex(known.public), "\(known.what)")
            #expect(try key.publicKey.peerID.description == known.peerID)
            #expect(try key.publicKey.peerID.ipnsName == known.name)
            #expect(key.protobuf == IPNSVectors.hex(known.private))
            let name = try PeerID(text: known.peerID)
            let isInline = key.type == .ed25519
            #expect(try (PublicKey(inlineIn: name) != nil) == isInline)
        }
    }

    @Test func pemIsReadAndWritten() throws {
        for known in try IPNSVectors.keys() {
            let key = try PrivateKey(pem: known.pem)
            #expect(key.protobuf == IPNSVectors.hex(known.private), "\(known.what)")
            let again = try PrivateKey(pem: key.pem)
            #expect(again.protobuf == key.protobuf)
            if key.type == .ed25519 { #expect(try key.pem == known.pem) }
        }
    }

    @Test func whatAKeySignsItsPublicHalfConfirms() throws {
        for known in try IPNSVectors.keys() {
            let key = try PrivateKey(protobuf: IPNSVectors.hex(known.private))
            let message = Array("a message".utf8)
            var signature = try key.signature(of: message)
            #expect(try key.publicKey.isValidSignature(signature, of: message))
            #expect(try !key.publicKey.isValidSignature(signature, of: message + [0]))
            #expect(try !key.publicKey.isValidSignature([], of: message))
            signature[signature.count / 2] ^= 1
            #expect(try !key.publicKey.isValidSignature(signature, of: message))
        }
    }

    @Test(arguments: SeededRandom.seeds(16))
    func aSeedMakesTheSameKeyEveryTime(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let key = try PrivateKey(seed: random.bytes(32))
        let again = try PrivateKey(protobuf: key.protobuf)
        #expect(again.publicKey == key.publicKey)
        let name = try key.publicKey.peerID
        #expect(try PublicKey(inlineIn: name) == key.publicKey)
        for text in [
            name.description, name.ipnsName, name.cid.description, try name.cid.text(in: .base58BTC),
        ] {
            #expect(try PeerID(text: text) == name)
        }
        #expect(name.ipnsName.hasPrefix("k51"))
        #expect(name.ipnsName.utf8.count <= 63)
    }

    @Test func theOldFormWithThePublicKeyTwiceIsRead() throws {
        let key = try PrivateKey(seed: [UInt8](repeating: 7, count: 32))
        let half = key.protobuf.suffix(32)
        let old = [8, 1, 0x12, 96] + key.protobuf.dropFirst(4) + half
        #expect(try PrivateKey(protobuf: Array(old)).protobuf == key.protobuf)
        var torn = Array(old)
        torn[torn.count - 1] ^= 1
        #expect(throws: KeyError.malformed(.ed25519)) { try PrivateKey(protobuf: torn) }
    }

    @Test func keysThatAreNoneAreRefusedByName() throws {
        let key = try PrivateKey(seed: [UInt8](repeating: 7, count: 32))
        var halves = key.protobuf
        halves[50] ^= 1
        #expect(throws: KeyError.halvesDiffer) { try PrivateKey(protobuf: halves) }
        #expect(throws: KeyError.unsupported(.secp256k1)) {
            try PrivateKey(protobuf: [8, 2, 0x12, 1, 5])
        }
        #expect(throws: KeyError.unknownType(9)) { try PublicKey(protobuf: [8, 9, 0x12, 0]) }
        #expect(throws: KeyError.missingField(number: 1)) { try PublicKey(protobuf: [0x12, 0]) }
        #expect(throws: KeyError.missingField(number: 2)) { try PublicKey(protobuf: [8, 1]) }
        #expect(throws: KeyError.protobuf(.repeatedField(1))) {
            try PublicKey(protobuf: [8, 1, 8, 1, 0x12, 0])
        }
        #expect(throws: KeyError.protobuf(.wrongWireType(field: 2))) {
            try PublicKey(protobuf: [8, 1, 0x10, 0])
        }
        let long = [UInt8](repeating: 0, count: 3000)
        #expect(throws: KeyError.tooLarge(bytes: 3000, maximum: PublicKey.maximumBytes)) {
            try PublicKey(protobuf: long)
        }
        for type in [KeyType.rsa, .ed25519, .ecdsa] {
            let nonsense = try PublicKey(protobuf: [8, UInt8(type.rawValue), 0x12, 2, 1, 2])
            #expect(throws: KeyError.malformed(type)) { try nonsense.isValidSignature([1], of: [2]) }
            #expect(throws: KeyError.malformed(type)) {
                try PrivateKey(protobuf: [8, UInt8(type.rawValue), 0x12, 2, 1, 2])
            }
        }
    }

    @Test(arguments: [
        "", "nothing", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n????\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    ])
    func textsThatAreNoKeyAreRefused(text: String) {
        #expect(throws: KeyError.notPEM) { try PrivateKey(pem: text) }
    }

    @Test func aKeyDoesNotPrintItself() throws {
        let key = try PrivateKey(seed: [UInt8](repeating: 0xAB, count: 32))
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] {
            #expect(!text.contains("171"), "bytes of the key are in \(text)")
        }
    }
}
