/// What stands in the URL of a link: 160 random bits, 32 characters. Only its hash is stored.
///
/// It is no token of a key: no other door takes it, so that what a link asks for besides is asked for
/// wherever it is used.
public struct LinkToken: Sendable {
    private let bytes: [UInt8]

    static let byteCount = 20

    /// A new token.
    init() { bytes = SecureRandom.bytes(Self.byteCount) }

    /// Reads a token, in either case.
    ///
    /// - Returns: `nil` for what can be none.
    public init?(text: String) {
        guard text.utf8.count == Base32.length(ofBytes: Self.byteCount),
            let bytes = Base32.decode(text.uppercased().utf8, count: Self.byteCount)
        else { return nil }
        self.bytes = bytes
    }

    /// The token: a secret, written where its maker asked for it and nowhere else. Small letters, as URLs
    /// are typed.
    public var text: String { Base32.encode(bytes).lowercased() }

    var hash: [UInt8] { (Array("nacre link 1".utf8) + bytes).sha256 }
}

extension LinkToken: CustomStringConvertible, CustomReflectable {
    public var description: String { "token of a link" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a request shows beside the token of a link.
public struct LinkCredentials: Sendable {
    /// As it stands in the path.
    public var token: String
    /// As it was typed.
    public var password: String?
    /// What a browser got for the password: see ``LinkOffice/pass(for:)``.
    public var pass: String?

    public init(token: String, password: String? = nil, pass: String? = nil) {
        self.token = token
        self.password = password
        self.pass = pass
    }
}
