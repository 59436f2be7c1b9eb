/// The id of a grant: public, part of its token.
public typealias GrantID = RecordID<GrantRecord>

/// A grant as it is kept: who may do what to which resource, how often, how much, until when.
///
/// Operations, scope and lists are texts here; `Access` gives them meaning.
public struct GrantRecord: Hashable, Sendable, Identifiable {
    public let id: GrantID
    /// The grants that this one was narrowed from: the first first, its parent last.
    public var ancestors: [GrantID] = []
    /// Whose it is.
    public var project: ProjectID
    /// Whose authority it passes on; `nil` if it stands for itself.
    public var user: UserID?
    /// What people call it.
    public var name: String
    /// SHA-256 over id and secret: 32 bytes.
    public var secretHash: [UInt8]
    /// Names separated by spaces.
    public var operations: String
    public var scope: String
    public var maximumUses: Int64?
    public var maximumFileBytes: Int64?
    /// Bytes in all.
    public var maximumBytes: Int64?
    /// Lists separated by spaces; empty for anything.
    public var contentTypes = ""
    public var sources = ""
    public var referrers = ""
    /// Unix milliseconds.
    public var notBefore: Int64?
    public var expires: Int64?
    public var created: Int64
    public var revoked: Int64?

    /// The most grants that may stand above one.
    public static let maximumAncestors = 8
    /// The most bytes of a name.
    public static let maximumNameBytes = 256
    /// The most bytes of one list.
    public static let maximumListBytes = 16 * 1024

    public init(
        id: GrantID, project: ProjectID, name: String, secretHash: [UInt8], operations: String, scope: String,
        created: Int64
    ) {
        self.id = id
        self.project = project
        self.name = name
        self.secretHash = secretHash
        self.operations = operations
        self.scope = scope
        self.created = created
    }
}

extension GrantRecord: CustomStringConvertible, CustomReflectable {
    /// Without the hash of the secret.
    public var description: String { "grant \(id)" }
    public var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

/// How much of a grant is used up. What is reserved counts as used.
public struct GrantUsage: Hashable, Sendable {
    public var uses: Int64
    public var bytes: Int64

    public init(uses: Int64 = 0, bytes: Int64 = 0) {
        self.uses = uses
        self.bytes = bytes
    }
}

/// When a grant was last used. For people to read; nothing is decided by it.
public struct GrantActivity: Hashable, Sendable {
    /// Unix milliseconds.
    public var lastUsed: Int64
    public var requests: Int64

    public init(lastUsed: Int64, requests: Int64) {
        self.lastUsed = lastUsed
        self.requests = requests
    }
}

/// Which grants to list. Every condition that is set must hold.
public struct GrantFilter: Hashable, Sendable {
    public var project: ProjectID?
    public var user: UserID?
    /// Only grants narrowed from this one directly.
    public var parent: GrantID?
    public var name: String?

    /// All grants.
    public init() {}
}
