/// The id of an entry of the audit log; entries are ordered by it.
public typealias AuditID = RecordID<AuditEntry>

/// Something that was allowed or refused. Holds no secret, and nothing of what was read or written.
public struct AuditEntry: Hashable, Sendable, Identifiable {
    public let id: AuditID
    public let event: AuditEvent
    /// Unix milliseconds of the first time it happened.
    public let time: Int64
    /// How often the very same happened in a row.
    public let count: Int64
}

/// What an entry says.
public struct AuditEvent: Hashable, Sendable {
    /// Whether it was allowed.
    public var isAllowed: Bool
    /// Why it was refused: a stable code; empty if it was allowed.
    public var code: String
    public var operation: String
    /// What it was to be done to: a scope, or the user, member, project or grant that an administrator
    /// changed.
    public var resource: String
    /// How the principal proved itself: `anonymous`, `grant`, `signed-url`, `session`, `local`.
    public var source: String
    public var project: ProjectID?
    public var user: UserID?
    public var grant: GrantID?
    /// Where the request came from; empty if it is not known.
    public var address: String

    public init(
        isAllowed: Bool, code: String = "", operation: String, resource: String, source: String,
        address: String = ""
    ) {
        self.isAllowed = isAllowed
        self.code = code
        self.operation = operation
        self.resource = resource
        self.source = source
        self.address = address
    }

    /// The most bytes of any of its texts: more is cut when it is stored.
    public static let maximumTextBytes = 512
}

/// Which entries to list. Every condition that is set must hold.
public struct AuditFilter: Hashable, Sendable {
    public var project: ProjectID?
    public var grant: GrantID?
    public var user: UserID?
    /// The id of a grant or of a user.
    public var who: String?
    public var isAllowed: Bool?
    public var operation: String?
    public var source: String?
    /// Unix milliseconds: entries of this time and later.
    public var since: Int64?
    /// Unix milliseconds: entries before this time.
    public var until: Int64?

    /// All entries.
    public init() {}
}
