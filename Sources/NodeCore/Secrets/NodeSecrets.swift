import BlockStorage
import Crypto
public import IPNS
import Synchronization

/// What only this node knows: `<data>/secrets/`, a directory that nobody else can read.
///
/// - `master-key`: 32 random bytes. Keys that seal stored secrets are derived from it, one for each purpose; the
///   file itself encrypts nothing. Without it, sealed secrets are lost.
/// - `node-key`: the Ed25519 key of this node, as the protobuf of libp2p.
///
/// Each file is made when it is first needed, durable before it is used, and never written again.
/// Thread-safe; several processes may ask at once.
public final class NodeSecrets: Sendable {
    /// The directory of the secrets.
    public let directory: String
    private let masterKey = Mutex<SymmetricKey?>(nil)

    /// - Parameter dataDirectory: must exist when the first secret is asked for.
    public init(dataDirectory: String) {
        directory = dataDirectory + "/secrets"
    }

    /// The key of one purpose, such as `nacre name keys 1`: HKDF-SHA256 of the master key.
    ///
    /// - Throws: `SecretsError`.
    public func derivedKey(for purpose: String, byteCount: Int = 32) throws -> [UInt8] {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: try master(), info: Array(purpose.utf8), outputByteCount: byteCount)
        return key.withUnsafeBytes { Array($0) }
    }

    /// Encrypts a secret for keeping: ChaCha20-Poly1305 (nonce, ciphertext, tag).
    ///
    /// - Parameters:
    ///   - purpose: secrets of different purposes have different keys.
    ///   - context: what the secret belongs to; it opens for the same context only.
    public func seal(_ secret: [UInt8], for purpose: String, context: [UInt8]) throws -> [UInt8] {
        let box = try ChaChaPoly.seal(
            secret, using: SymmetricKey(data: try derivedKey(for: purpose)), authenticating: context)
        return Array(box.combined)
    }

    /// Decrypts what ``seal(_:for:context:)`` encrypted.
    ///
    /// - Throws: `SecretsError.cannotOpen` if master key, purpose or context are others, or a byte was changed.
    public func open(_ sealed: [UInt8], for purpose: String, context: [UInt8]) throws -> [UInt8] {
        let key = SymmetricKey(data: try derivedKey(for: purpose))
        guard let box = try? ChaChaPoly.SealedBox(combined: sealed),
            let secret = try? ChaChaPoly.open(box, using: key, authenticating: context)
        else { throw SecretsError.cannotOpen(purpose: purpose) }
        return Array(secret)
    }

    /// The key that names this node among its peers.
    public func nodeKey() throws -> PrivateKey {
        let file = try SecretFile(directory: directory, name: "node-key")
        let bytes = try file.contents { PrivateKey.generate().protobuf }
        do {
            return try PrivateKey(protobuf: bytes)
        } catch {
            throw SecretsError.damaged(path: file.path, reason: error.description)
        }
    }

    private func master() throws -> SymmetricKey {
        try masterKey.withLock { known in
            if let known { return known }
            let file = try SecretFile(directory: directory, name: "master-key")
            let bytes = try file.contents { SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) } }
            guard bytes.count == 32 else {
                throw SecretsError.damaged(
                    path: file.path, reason: "it has \(bytes.count) bytes instead of 32")
            }
            let key = SymmetricKey(data: bytes)
            known = key
            return key
        }
    }
}

/// Why a secret cannot be had. No case holds a byte of one.
public enum SecretsError: Error, Equatable, Sendable {
    case damaged(path: String, reason: String)
    /// Others can read the file.
    case readableByOthers(path: String)
    case cannotOpen(purpose: String)
}

extension SecretsError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .damaged(let path, let reason): "\(path) is damaged: \(reason); put it back from a backup"
        case .readableByOthers(let path):
            "others than its owner can read \(path); take their rights away (`chmod 600 \(path)`), and think of its "
                + "contents as known to them"
        case .cannotOpen(let purpose):
            "a stored secret (\(purpose)) cannot be decrypted: secrets/master-key is not the one it was sealed with, or "
                + "the catalog is damaged; put both back from one backup"
        }
    }
}
