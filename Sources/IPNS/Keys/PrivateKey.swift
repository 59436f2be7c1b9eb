import Crypto
import CryptoExtras

/// The private key of a name. Its description tells the type and nothing of the key.
///
/// Binary form, which is also what `ipfs key export` writes: protobuf of 1 type, 2 bytes of the key (Ed25519:
/// seed and public key, RSA: PKCS #1, ECDSA: SEC 1).
///
/// Spec: libp2p/specs, "peer-ids", "How Keys are Encoded and Messages Signed".
public struct PrivateKey: Sendable {
    public let publicKey: PublicKey
    /// As in the protobuf.
    let data: [UInt8]

    /// The most bytes of the protobuf: RSA with 8192 bits takes some 4700.
    public static let maximumBytes = 8 * 1024

    public var type: KeyType { publicKey.type }

    private init(publicKey: PublicKey, data: [UInt8]) {
        self.publicKey = publicKey
        self.data = data
    }

    /// A new Ed25519 key.
    public static func generate() -> PrivateKey {
        ed25519(Curve25519.Signing.PrivateKey())
    }

    private static func ed25519(_ key: Curve25519.Signing.PrivateKey) -> PrivateKey {
        let half = Array(key.publicKey.rawRepresentation)
        return PrivateKey(
            publicKey: PublicKey(type: .ed25519, data: half), data: Array(key.rawRepresentation) + half)
    }

    /// The Ed25519 key of a seed of 32 bytes.
    public init(seed: [UInt8]) throws(KeyError) {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else {
            throw .malformed(.ed25519)
        }
        self = Self.ed25519(key)
    }

    /// Decodes the protobuf, and checks that the key can be used.
    public init(protobuf bytes: [UInt8]) throws(KeyError) {
        let (type, data) = try KeyProtobuf.decode(bytes, maximum: Self.maximumBytes)
        switch type {
        case .ed25519:
            // Files of old hold the public key twice.
            guard data.count == 64 || data.count == 96 && data[32..<64] == data[64..<96] else {
                throw .malformed(.ed25519)
            }
            let key = try PrivateKey(seed: Array(data[..<32]))
            guard key.data[32...] == data[32..<64] else { throw .halvesDiffer }
            self = key
        case .rsa:
            let key = try Self.rsa(data)
            self.init(
                publicKey: PublicKey(type: .rsa, data: Array(key.publicKey.derRepresentation)), data: data)
        case .ecdsa:
            guard let key = try? P256.Signing.PrivateKey(derRepresentation: data) else {
                throw .malformed(.ecdsa)
            }
            self.init(
                publicKey: PublicKey(type: .ecdsa, data: Array(key.publicKey.derRepresentation)), data: data)
        case .secp256k1:
            throw .unsupported(type)
        }
    }

    private static func rsa(_ der: [UInt8]) throws(KeyError) -> _RSA.Signing.PrivateKey {
        guard let key = try? _RSA.Signing.PrivateKey(unsafeDERRepresentation: der) else {
            throw .malformed(.rsa)
        }
        guard PublicKey.rsaBits.contains(key.keySizeInBits) else { throw .wrongSize(bits: key.keySizeInBits) }
        return key
    }

    /// The protobuf. Secret.
    public var protobuf: [UInt8] { KeyProtobuf.encode(type, data) }

    /// Signs as libp2p does: Ed25519; RSA PKCS #1 v1.5 and ECDSA in DER, both over SHA-256.
    public func signature(of message: [UInt8]) throws(KeyError) -> [UInt8] {
        switch type {
        case .ed25519:
            guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: data[..<32]),
                let signature = try? key.signature(for: message)
            else { throw .signingFailed(type) }
            return Array(signature)
        case .rsa:
            guard
                let signature = try? Self.rsa(data).signature(
                    for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
            else { throw .signingFailed(type) }
            return Array(signature.rawRepresentation)
        case .ecdsa:
            guard let key = try? P256.Signing.PrivateKey(derRepresentation: data),
                let signature = try? key.signature(for: message)
            else { throw .signingFailed(type) }
            return Array(signature.derRepresentation)
        case .secp256k1:
            throw .unsupported(type)
        }
    }
}

extension PrivateKey: CustomStringConvertible, CustomReflectable {
    /// The type, and nothing of the key.
    public var description: String { "private key (\(type))" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
