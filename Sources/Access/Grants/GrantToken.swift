public import Catalog

/// What the holder of a grant shows: `nacre_`, the public id, the secret, a checksum. `docs/formats/token.md`.
///
/// ```
/// nacre_ | id: 26 characters | secret: 52 characters, 256 bits | checksum: 7 characters, CRC-32
/// ```
///
/// The checksum lets anybody tell a mistyped token from one that is not accepted. There is one spelling.
public struct GrantToken: Sendable {
    public let id: GrantID
    let secret: [UInt8]

    /// What every token begins with, so that scanners find one in the wrong place.
    public static let prefix = "nacre_"
    /// How many characters a token has.
    public static let textLength = prefix.utf8.count + idLength + secretLength + checksumLength

    static let secretBytes = 32
    private static let idLength = 26
    private static let secretLength = Base32.length(ofBytes: secretBytes)
    private static let checksumLength = Base32.length(ofBytes: 4)

    /// A token with a new secret.
    init(id: GrantID) {
        self.id = id
        secret = SecureRandom.bytes(Self.secretBytes)
    }

    /// Reads a token.
    ///
    /// - Throws: `invalidToken`. Only what can be known without the catalog is checked.
    public init(text: String) throws(AccessError) {
        let bytes = Array(text.utf8)
        guard text.hasPrefix(Self.prefix) else { throw .invalidToken(.prefixMissing) }
        guard bytes.count == Self.textLength else { throw .invalidToken(.wrongLength(bytes.count)) }
        let checksumStart = bytes.count - Self.checksumLength
        let secretStart = checksumStart - Self.secretLength
        let idText = String(decoding: bytes[Self.prefix.utf8.count..<secretStart], as: UTF8.self)
        guard let secret = Base32.decode(bytes[secretStart..<checksumStart], count: Self.secretBytes),
            let checksum = Base32.decode(bytes[checksumStart...], count: 4),
            let id = try? GrantID(text: idText), id.text == idText
        else { throw .invalidToken(.wrongCharacter) }
        guard checksum == CRC32.bytes(of: bytes[..<checksumStart]) else {
            throw .invalidToken(.wrongChecksum)
        }
        self.id = id
        self.secret = secret
    }

    /// The token itself: a secret. It is written where its holder asked for it, and nowhere else.
    public var text: String {
        let front = Self.prefix + id.text + Base32.encode(secret)
        return front + Base32.encode(CRC32.bytes(of: front.utf8))
    }

    /// What is stored: SHA-256 over id and secret. A secret of 256 random bits cannot be guessed, so a slow hash
    /// would protect nothing more; the id keeps the hash of one grant from serving for another.
    var hash: [UInt8] { (Array(id.text.utf8) + secret).sha256 }
}

extension GrantToken: CustomStringConvertible, CustomReflectable {
    /// Without the secret.
    public var description: String { "token of grant \(id)" }
    public var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}
