/// Something that was allowed or refused.
public struct AuditMessage: Codable, Hashable, Sendable {
    public var id: String
    /// Of the first time it happened.
    public var time: String
    /// How often the very same happened in a row.
    public var count: Int64
    /// `allowed` or `refused`.
    public var outcome: String
    /// Why it was refused: a stable code.
    public var code: String?
    public var operation: String
    /// What it was to be done to, as scopes are written; where an administrator changed who may do what:
    /// `user:NAME`, `project:ID`, `member:PROJECT/NAME/ROLE`, `key:ID`.
    public var resource: String
    /// How who asked proved itself: `anonymous`, `grant`, `signed-url`, `session`, `local`.
    public var source: String
    public var project: String?
    public var user: String?
    public var grant: String?
    /// Where the request came from.
    public var address: String?

    public init(
        id: String, time: String, count: Int64, outcome: String, operation: String, resource: String,
        source: String
    ) {
        self.id = id
        self.time = time
        self.count = count
        self.outcome = outcome
        self.operation = operation
        self.resource = resource
        self.source = source
    }
}

/// Which entries of the audit log to give. Every condition that is set must hold.
public struct AuditQuery: Hashable, Sendable {
    /// RFC 3339; entries of this time and later.
    public var since: String?
    /// RFC 3339; entries before this time.
    public var until: String?
    /// The id of a grant or of a user, or a way to prove oneself such as `session`.
    public var principal: String?
    public var operation: String?
    /// `allowed` or `refused`.
    public var outcome: String?

    public init() {}
}
