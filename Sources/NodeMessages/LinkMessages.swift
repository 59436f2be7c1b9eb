/// A link to something in a namespace, and what became of it. The URL is there only when the link was just
/// made.
public struct LinkMessage: Codable, Hashable, Sendable {
    /// The id of its grant, by which it is ended.
    public var id: String
    /// Where others reach it: only where the node was told how that is (`gateway.announce`).
    public var url: String?
    /// The URL without the address of the node: `/c/TOKEN/NAME`.
    public var location: String?
    /// The name of the namespace.
    public var namespace: String
    /// What it leads to.
    public var node: String
    /// Where that is; left out if it was deleted.
    public var path: String?
    /// `viewer` or `writer_only`.
    public var role: String
    /// `active`, `not-yet-valid`, `expired`, `revoked`, `exhausted`, or `deleted` where what it led to is.
    public var status: String
    public var password: Bool
    public var maxUses: Int64?
    public var maxFileBytes: Int64?
    public var maxBytes: Int64?
    public var contentTypes: [String]
    public var from: [String]
    public var referrers: [String]
    /// RFC 3339.
    public var expires: String?
    public var created: String
    public var lastUsed: String?
    /// Requests of any kind, counted to within a few seconds; for people to read.
    public var requests: Int64
    /// Answers with content, and files that were brought in.
    public var uses: Int64
    /// Of files that were brought in; counted where there is a limit on them.
    public var bytes: Int64

    public init(
        id: String, namespace: String, node: String, role: String, status: String, password: Bool,
        contentTypes: [String], from: [String], referrers: [String], created: String, requests: Int64,
        uses: Int64, bytes: Int64
    ) {
        self.id = id
        self.namespace = namespace
        self.node = node
        self.role = role
        self.status = status
        self.password = password
        self.contentTypes = contentTypes
        self.from = from
        self.referrers = referrers
        self.created = created
        self.requests = requests
        self.uses = uses
        self.bytes = bytes
    }
}

/// A link to make. What is left out is not limited.
public struct LinkRequest: Codable, Hashable, Sendable {
    /// Of a file or directory; everything where it and `node` are left out.
    public var path: String?
    /// The id of a node, in the place of `path`.
    public var node: String?
    /// `viewer` (the default) or `writer_only`, which brings files in and sees none.
    public var role: String?
    public var password: String?
    public var maxUses: Int64?
    public var maxFileBytes: Int64?
    public var maxBytes: Int64?
    public var contentTypes: [String]?
    public var from: [String]?
    public var referrers: [String]?
    /// Unix milliseconds.
    public var expires: Int64?

    public init(path: String? = nil, role: String? = nil) {
        self.path = path
        self.role = role
    }
}

extension LinkRequest: CustomStringConvertible, CustomReflectable {
    /// Without the password.
    public var description: String { "link to \(path ?? node ?? "everything")" }
    public var customMirror: Mirror { Mirror(self, children: ["path": path ?? ""]) }
}

/// A user who may use a namespace.
public struct NamespaceMemberMessage: Codable, Hashable, Sendable {
    public var user: String
    /// Left out for a user who is gone.
    public var name: String?
    /// `owner`, `editor`, `writer_only` or `viewer`.
    public var role: String
    /// RFC 3339.
    public var since: String

    public init(user: String, name: String?, role: String, since: String) {
        self.user = user
        self.name = name
        self.role = role
        self.since = since
    }
}

/// Who is to be what of a namespace.
public struct NamespaceMemberRequest: Codable, Hashable, Sendable {
    /// A name or an id.
    public var user: String?
    public var role: String

    public init(user: String? = nil, role: String) {
        self.user = user
        self.role = role
    }
}
