/// What sort of key names a peer. Numbers as in the protobuf of libp2p.
///
/// Spec: libp2p/specs, "peer-ids", "Keys".
public enum KeyType: UInt64, Hashable, Sendable {
    case rsa = 0
    case ed25519 = 1
    /// Known by number only: records that it signs cannot be checked here.
    case secp256k1 = 2
    case ecdsa = 3
}

extension KeyType: CustomStringConvertible {
    public var description: String {
        switch self {
        case .rsa: "RSA"
        case .ed25519: "Ed25519"
        case .secp256k1: "Secp256k1"
        case .ecdsa: "ECDSA"
        }
    }
}
