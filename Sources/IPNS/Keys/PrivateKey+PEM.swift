import Crypto
import CryptoExtras
import Multiformats

extension PrivateKey {
    /// The most characters of a PEM text.
    public static let maximumPEMCharacters = 16 * 1024

    /// Reads one unencrypted key in PEM: PKCS #8, as OpenSSL and `ipfs key export -f pem-pkcs8-cleartext` write it.
    ///
    /// - Throws: `notPEM`, and what the key itself is refused for.
    public init(pem text: String) throws(KeyError) {
        guard text.utf8.count <= Self.maximumPEMCharacters else {
            throw .tooLarge(bytes: text.utf8.count, maximum: Self.maximumPEMCharacters)
        }
        let lines = text.split(whereSeparator: \.isNewline).map { $0.filter { !$0.isWhitespace } }
            .filter { !$0.isEmpty }
        guard lines.count >= 3, lines.first == "-----BEGINPRIVATEKEY-----",
            lines.last == "-----ENDPRIVATEKEY-----",
            let der = try? Multibase.decode("M" + lines.dropFirst().dropLast().joined()).bytes
        else { throw .notPEM }
        if der.starts(with: Self.ed25519Prefix) {
            try self.init(seed: Array(der.dropFirst(Self.ed25519Prefix.count)))
        } else if let key = try? P256.Signing.PrivateKey(derRepresentation: der) {
            try self.init(
                protobuf: KeyProtobuf.encode(.ecdsa, Self.sec1(key)))
        } else if let key = try? _RSA.Signing.PrivateKey(unsafeDERRepresentation: der) {
            try self.init(protobuf: KeyProtobuf.encode(.rsa, Array(key.derRepresentation)))
        } else {
            throw .notPEM
        }
    }

    /// The key in PEM (PKCS #8). Secret.
    public var pem: String {
        get throws(KeyError) {
            switch type {
            case .ed25519:
                return Self.pemText(Self.ed25519Prefix + data[..<32])
            case .ecdsa:
                guard let key = try? P256.Signing.PrivateKey(derRepresentation: data) else {
                    throw .malformed(type)
                }
                return key.pemRepresentation + "\n"
            case .rsa:
                guard let key = try? _RSA.Signing.PrivateKey(unsafeDERRepresentation: data) else {
                    throw .malformed(type)
                }
                return key.pkcs8PEMRepresentation + "\n"
            case .secp256k1:
                throw .unsupported(type)
            }
        }
    }

    /// DER of PKCS #8 for Ed25519 (RFC 8410) up to the 32 bytes of the seed.
    private static let ed25519Prefix: [UInt8] = [
        0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]

    private static func pemText(_ der: [UInt8]) -> String {
        let body = Multibase.encode(der, .base64Pad).dropFirst()
        return "-----BEGIN PRIVATE KEY-----\n\(body)\n-----END PRIVATE KEY-----\n"
    }

    /// `ECPrivateKey` of RFC 5915 on P-256, which is the form of libp2p.
    private static func sec1(_ key: P256.Signing.PrivateKey) -> [UInt8] {
        let curve: [UInt8] = [0xA0, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        let half = Array(key.publicKey.x963Representation)
        return [0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20] + Array(key.rawRepresentation) + curve
            + [0xA1, 0x44, 0x03, 0x42, 0x00] + half
    }
}
