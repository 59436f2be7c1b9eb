public import Multiformats

/// Why bytes are not a key that can be used. No case holds bytes of a key.
public enum KeyError: Error, Equatable, Sendable {
    case protobuf(ProtobufError)
    /// A key takes at most ``PublicKey/maximumBytes``.
    case tooLarge(bytes: Int, maximum: Int)
    case missingField(number: UInt64)
    case unknownType(UInt64)
    /// A type that exists and that this program cannot sign or verify with.
    case unsupported(KeyType)
    /// The bytes are no key of their type.
    case malformed(KeyType)
    /// The public half that is kept beside the private one does not belong to it.
    case halvesDiffer
    /// An RSA key of too few or too many bits.
    case wrongSize(bits: Int)
    /// The text is not PEM, or holds something else than one private key.
    case notPEM
    /// The name of the key cannot be a name.
    case name(CIDError)
    case signingFailed(KeyType)
}

extension KeyError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .protobuf(let error): "not a libp2p key: \(error)"
        case .tooLarge(let bytes, let maximum): "a key of \(bytes) bytes is refused; \(maximum) are allowed"
        case .missingField(let number): "not a libp2p key: field \(number) is missing"
        case .unknownType(let number):
            "key type \(number) does not exist; known are RSA, Ed25519, Secp256k1, ECDSA"
        case .unsupported(let type):
            "keys of type \(type) are not supported; use Ed25519, RSA or ECDSA (P-256)"
        case .malformed(let type): "the bytes are not a key of type \(type)"
        case .halvesDiffer: "the public key in the file does not belong to the private key"
        case .wrongSize(let bits): "an RSA key of \(bits) bits is refused; 2048 to 8192 are allowed"
        case .notPEM: "the text is not one private key in PEM (PKCS #8)"
        case .name(let error): "the key has no name: \(error)"
        case .signingFailed(let type): "signing with the \(type) key failed"
        }
    }
}
