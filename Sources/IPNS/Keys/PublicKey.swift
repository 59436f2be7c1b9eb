import Crypto
import CryptoExtras
public import Multiformats

/// The public key of a peer: who may write the record of a name.
///
/// Binary form: protobuf of 1 type, 2 bytes of the key (Ed25519 raw, RSA and ECDSA as DER of
/// `SubjectPublicKeyInfo`).
///
/// Spec: libp2p/specs, "peer-ids".
public struct PublicKey: Hashable, Sendable {
    public let type: KeyType
    /// As in the protobuf.
    public let data: [UInt8]

    /// The most bytes of the protobuf: twice what RSA with 8192 bits takes.
    public static let maximumBytes = 2304
    /// A protobuf of at most so many bytes is the digest of its name itself.
    public static let maximumInlineBytes = 42
    /// What libp2p takes.
    public static let rsaBits = 2048...8192

    init(type: KeyType, data: [UInt8]) {
        self.type = type
        self.data = data
    }

    /// Decodes the protobuf.
    ///
    /// - Throws: `KeyError`; whether the bytes are a key of their type shows when something is verified.
    public init(protobuf bytes: [UInt8]) throws(KeyError) {
        (type, data) = try KeyProtobuf.decode(bytes)
    }

    /// The key that a name carries within itself, as Ed25519 names do; `nil` for a hashed one.
    public init?(inlineIn name: PeerID) throws(KeyError) {
        guard name.multihash.code == .identity else { return nil }
        try self.init(protobuf: name.multihash.digest)
    }

    /// The protobuf in its one form.
    public var protobuf: [UInt8] { KeyProtobuf.encode(type, data) }

    /// The name that belongs to the key.
    public var peerID: PeerID {
        get throws(KeyError) {
            let bytes = protobuf
            do {
                return try PeerID(multihash: Self.multihash(of: bytes))
            } catch let error as CIDError {
                throw .name(error)
            } catch let error as MultihashError {
                throw .name(.multihash(error))
            } catch {
                throw .malformed(type)
            }
        }
    }

    private static func multihash(of bytes: [UInt8]) throws(MultihashError) -> Multihash {
        if bytes.count <= maximumInlineBytes {
            return try Multihash(code: .identity, digest: bytes.span.bytes)
        }
        let digest = Array(SHA256.hash(data: bytes))
        return try Multihash(code: .sha2_256, digest: digest.span.bytes)
    }

    /// Whether the key signed the message.
    ///
    /// - Throws: `malformed`, `wrongSize`, `unsupported` if the key itself cannot be used.
    public func isValidSignature(_ signature: [UInt8], of message: [UInt8]) throws(KeyError) -> Bool {
        switch type {
        case .ed25519:
            guard data.count == 32, let key = try? Curve25519.Signing.PublicKey(rawRepresentation: data)
            else {
                throw .malformed(type)
            }
            return signature.count == 64 && key.isValidSignature(signature, for: message)
        case .rsa:
            guard let key = try? _RSA.Signing.PublicKey(unsafeDERRepresentation: data) else {
                throw .malformed(type)
            }
            guard Self.rsaBits.contains(key.keySizeInBits) else { throw .wrongSize(bits: key.keySizeInBits) }
            return key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature), for: SHA256.hash(data: message),
                padding: .insecurePKCS1v1_5)  // the one that libp2p prescribes
        case .ecdsa:
            guard let key = try? P256.Signing.PublicKey(derRepresentation: data) else {
                throw .malformed(type)
            }
            guard let parsed = try? P256.Signing.ECDSASignature(derRepresentation: signature) else {
                return false
            }
            return key.isValidSignature(parsed, for: message)
        case .secp256k1:
            throw .unsupported(type)
        }
    }
}

/// Both messages of libp2p keys have the same two fields.
enum KeyProtobuf {
    static func decode(
        _ bytes: [UInt8], maximum: Int = PublicKey.maximumBytes
    ) throws(KeyError) -> (KeyType, [UInt8]) {
        guard bytes.count <= maximum else { throw .tooLarge(bytes: bytes.count, maximum: maximum) }
        let number: UInt64?
        let data: [UInt8]?
        do {
            let message = try ProtobufMessage(bytes)
            number = try message.number(1)
            data = try message.bytes(2)
        } catch {
            throw .protobuf(error)
        }
        guard let number else { throw .missingField(number: 1) }
        guard let data else { throw .missingField(number: 2) }
        guard let type = KeyType(rawValue: number) else { throw .unknownType(number) }
        return (type, data)
    }

    static func encode(_ type: KeyType, _ data: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        ProtobufMessage.append(1, type.rawValue, to: &bytes)
        ProtobufMessage.append(2, data, to: &bytes)
        return bytes
    }
}
