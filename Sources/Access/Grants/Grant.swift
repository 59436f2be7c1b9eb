public import Catalog

/// Who may do what to which resource, how often, how much, until when.
///
/// What a grant allows never changes; it is made, used up, and revoked. It ends with any grant that it was
/// narrowed from.
public struct Grant: Hashable, Sendable, Identifiable {
    public let id: GrantID
    public let name: String
    /// The grants that it was narrowed from: the first first, its parent last.
    public let ancestors: [GrantID]
    /// In whose name it acts.
    public let project: ProjectID
    /// Whose authority it passes on: it can do no more than this user, whatever it says.
    public let user: UserID?
    public let operations: OperationSet
    /// Where the operations are allowed.
    public let scope: Resource
    public let limits: GrantLimits
    /// Unix milliseconds.
    public let created: Int64
    public let revoked: Int64?

    public var parent: GrantID? { ancestors.last }

    /// Why the grant, taken alone and with counters left aside, does not allow a request; `nil` if it does.
    public func refusal(
        of operation: Operation, on resource: Resource, _ facts: RequestFacts, at time: Int64
    ) -> AccessError? {
        // Nobody is refused what everybody may read.
        if operation == .read, resource == .public { return nil }
        if revoked != nil { return .revoked }
        if !operations.allows(operation) { return .operationNotAllowed(operation) }
        if !scope.contains(resource) { return .outOfScope(resource) }
        return limits.refusal(of: facts, at: time, isUpload: operation == .write)
    }
}

extension Grant {
    /// - Throws: what the parsers throw, if the row was written by another program.
    init(_ record: GrantRecord) throws(AccessError) {
        id = record.id
        name = record.name
        ancestors = record.ancestors
        project = record.project
        user = record.user
        operations = try OperationSet(text: record.operations)
        scope = try Resource(text: record.scope)
        created = record.created
        revoked = record.revoked
        var limits = GrantLimits()
        limits.maximumUses = record.maximumUses
        limits.maximumFileBytes = record.maximumFileBytes
        limits.maximumBytes = record.maximumBytes
        limits.notBefore = record.notBefore
        limits.expires = record.expires
        limits.contentTypes = try Self.list(record.contentTypes) { text throws(AccessError) in
            try ContentTypePattern(text: text)
        }
        limits.sources = try Self.list(record.sources) { text throws(AccessError) in
            try AddressRange(text: text)
        }
        limits.referrers = try Self.list(record.referrers) { text throws(AccessError) in
            try ReferrerPattern(text: text)
        }
        self.limits = limits
    }

    /// The grant as a row.
    func record(secretHash: [UInt8]) -> GrantRecord {
        var record = GrantRecord(
            id: id, project: project, name: name, secretHash: secretHash, operations: operations.description,
            scope: scope.description, created: created)
        record.ancestors = ancestors
        record.user = user
        record.maximumUses = limits.maximumUses
        record.maximumFileBytes = limits.maximumFileBytes
        record.maximumBytes = limits.maximumBytes
        record.contentTypes = limits.contentTypes.map(\.description).joined(separator: " ")
        record.sources = limits.sources.map(\.description).joined(separator: " ")
        record.referrers = limits.referrers.map(\.description).joined(separator: " ")
        record.notBefore = limits.notBefore
        record.expires = limits.expires
        record.revoked = revoked
        return record
    }

    private static func list<Member>(_ text: String, _ parse: (String) throws(AccessError) -> Member)
        throws(AccessError) -> [Member]
    {
        var members: [Member] = []
        for part in text.split(separator: " ") { members.append(try parse(String(part))) }
        return members
    }
}

/// What the maker says of a new grant.
public struct GrantDraft: Hashable, Sendable {
    public var name: String
    public var operations: OperationSet
    public var project: ProjectID
    /// `nil` for the whole project.
    public var scope: Resource?
    public var limits = GrantLimits()
    /// Whose authority it passes on, where an administrator of the node makes it for somebody.
    public var user: UserID?
    /// The grant to narrow. Whoever acts by a grant narrows that one, unless a descendant is named.
    public var parent: GrantID?

    public init(
        name: String, operations: OperationSet, project: ProjectID = .default, scope: Resource? = nil
    ) {
        self.name = name
        self.operations = operations
        self.project = project
        self.scope = scope
    }
}

/// A new grant with its token, which is shown this once.
public struct IssuedGrant: Sendable {
    public let grant: Grant
    public let token: GrantToken
}

/// Whether a grant counts.
public enum GrantStatus: String, CaseIterable, Hashable, Sendable {
    case active
    case notYetValid = "not-yet-valid"
    case expired
    case revoked
    /// Used up.
    case exhausted
}

/// A grant with what became of it.
public struct GrantReport: Hashable, Sendable {
    public let grant: Grant
    public let usage: GrantUsage
    public let status: GrantStatus
    /// When it was last used, to within a few seconds.
    public let activity: GrantActivity?
}
