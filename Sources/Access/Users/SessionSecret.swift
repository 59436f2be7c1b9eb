/// What a browser holds to stay logged in: 256 random bits. Only its hash is stored.
public struct SessionSecret: Sendable {
    private let bytes: [UInt8]

    /// A new secret.
    init() { bytes = SecureRandom.bytes(32) }

    /// Reads the value of the cookie.
    ///
    /// - Returns: `nil` if it is none.
    public init?(text: String) {
        guard let bytes = Base32.decode(text.utf8, count: 32) else { return nil }
        self.bytes = bytes
    }

    /// The value of the cookie: a secret.
    public var text: String { Base32.encode(bytes) }

    var hash: [UInt8] { (Array("nacre session 1".utf8) + bytes).sha256 }
}

extension SessionSecret: CustomStringConvertible, CustomReflectable {
    public var description: String { "session secret" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
