/// A grant and what became of it. The token is there only when the grant was just made.
public struct GrantMessage: Codable, Hashable, Sendable {
    public var id: String
    public var token: String?
    public var name: String
    /// `active`, `not-yet-valid`, `expired`, `revoked` or `exhausted`.
    public var status: String
    public var operations: [String]
    public var scope: String
    public var project: String
    public var parent: String?
    /// The id of the user whose authority it passes on; left out where it stands for itself.
    public var user: String?
    public var maxUses: Int64?
    public var maxFileBytes: Int64?
    public var maxBytes: Int64?
    public var contentTypes: [String]
    public var from: [String]
    public var referrers: [String]
    public var notBefore: String?
    public var expires: String?
    public var created: String
    public var revoked: String?
    public var lastUsed: String?
    public var uses: Int64
    public var bytes: Int64
    /// Where it was just made: the ids of other grants of its project that count and have the same name.
    public var namesakes: [String]?

    public init(
        id: String, name: String, status: String, operations: [String], scope: String, project: String,
        contentTypes: [String], from: [String], referrers: [String], created: String, uses: Int64,
        bytes: Int64
    ) {
        self.id = id
        self.name = name
        self.status = status
        self.operations = operations
        self.scope = scope
        self.project = project
        self.contentTypes = contentTypes
        self.from = from
        self.referrers = referrers
        self.created = created
        self.uses = uses
        self.bytes = bytes
    }
}

/// A new grant. What is left out is not limited, or is taken over from the grant that is narrowed.
public struct GrantRequest: Codable, Hashable, Sendable {
    public var name: String
    public var operations: [String]
    /// `node`, `project:PROJECT`, `namespace:PROJECT/NAME/…`; the whole project where it is left out.
    public var scope: String?
    public var project: String?
    /// The id or name of the grant to narrow.
    public var parent: String?
    /// The name or id of the user whose authority it is to pass on; only administrators of the node name
    /// others than themselves.
    public var user: String?
    public var maxUses: Int64?
    public var maxFileBytes: Int64?
    public var maxBytes: Int64?
    public var contentTypes: [String]?
    public var from: [String]?
    public var referrers: [String]?
    /// Unix milliseconds.
    public var notBefore: Int64?
    public var expires: Int64?

    public init(name: String, operations: [String]) {
        self.name = name
        self.operations = operations
    }
}

/// What a signed URL is to allow.
public struct SignedURLRequest: Codable, Hashable, Sendable {
    /// `GET`, `PUT` or `POST`.
    public var method: String
    /// Percent-encoded, without the query.
    public var path: String
    public var query: String?
    /// Unix milliseconds.
    public var expires: Int64
    /// One for an upload and any number for reading, where it is left out.
    public var maxUses: Int64?
    public var maxBytes: Int64?
    public var contentType: String?
    /// The root that an upload must have.
    public var root: String?
    /// On whose behalf, by id or name; by default that of the grant that asks.
    public var grant: String?

    public init(method: String, path: String, expires: Int64) {
        self.method = method
        self.path = path
        self.expires = expires
    }
}

/// A signed URL: path and query.
public struct SignedURLMessage: Codable, Hashable, Sendable {
    public var url: String

    public init(url: String) { self.url = url }
}
