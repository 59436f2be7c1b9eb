public import Catalog
public import Multiformats

/// Who asks: every request becomes one, whatever protocol it came by.
///
/// It says what was proved. Whether that suffices, ``Authorizer/authorize(_:_:on:facts:)`` decides.
public struct Principal: Hashable, Sendable {
    /// How the principal proved itself.
    public enum Source: String, Hashable, Sendable {
        case anonymous
        /// A person who can read the data directory itself.
        case localAdministrator = "local"
        case grant
        case signedURL = "signed-url"
        case session
        /// The link of a shared file or folder.
        case link
    }

    public let source: Source
    /// In whose name new things are made; `nil` for nobody's.
    public let project: ProjectID?
    public internal(set) var user: UserID?
    public internal(set) var grant: GrantID?
    public let operations: OperationSet
    /// Where the operations may be done; `nil` for nowhere but in public.
    public let scope: Resource?
    /// Namespaces, of any project, that the user is a member of: what may be done to them besides.
    public internal(set) var shares: [NamespaceID: NamespaceShare] = [:]
    /// What a signed URL demands beyond its grant.
    public internal(set) var signedURL: SignedURLTerms?
    /// Where it asked from, for the audit log; `nil` if that is not known.
    public internal(set) var address: IPAddress?

    init(source: Source, project: ProjectID?, operations: OperationSet, scope: Resource?) {
        self.source = source
        self.project = project
        self.operations = operations
        self.scope = scope
    }

    /// Somebody without credentials: reads what is published.
    public static let anonymous = Principal(source: .anonymous, project: nil, operations: [], scope: nil)

    /// Whoever opens the data directory: may do everything.
    public static let localAdministrator = Principal(
        source: .localAdministrator, project: .default, operations: OperationSet([.admin]), scope: .node)

    /// Whether what it brings in may be for everybody to read at once. A signed URL for an upload passes on
    /// what its grant may.
    public var mayPublishUploads: Bool { operations.allows(.publish) || signedURL?.mayPublish == true }

    /// Whether it is the same one, wherever it asks from.
    public func isSame(as other: Principal) -> Bool {
        var moved = other
        moved.address = address
        return self == moved
    }

    /// Whether operation and scope would suffice. No limit is asked and no use is counted: for lists and
    /// links.
    public func mayPerform(_ operation: Operation, on resource: Resource) -> Bool {
        if operation == .read, resource == .public { return true }
        if let scope, operations.allows(operation), scope.contains(resource) { return true }
        guard let share = share(of: resource) else { return false }
        return share.operations.allows(operation)
    }

    /// Whether all of it might be passed on.
    func covers(_ operations: OperationSet, on resource: Resource) -> Bool {
        if let scope, self.operations.covers(operations), scope.contains(resource) { return true }
        return share(of: resource)?.operations.covers(operations) ?? false
    }

    private func share(of resource: Resource) -> NamespaceShare? {
        guard !shares.isEmpty, let id = resource.namespaceID, let share = shares[id],
            share.project == resource.project
        else { return nil }
        return share
    }

    /// What an operation is asked about where a route looks itself what it is about: whatever there is that
    /// the operation may be done to.
    package func reach(of operation: Operation) -> Resource {
        guard scope == nil || !operations.allows(operation),
            let share = shares.first(where: { $0.value.operations.allows(operation) })
        else { return scope ?? .node }
        return .openNamespace(share.value.project, id: share.key, name: "")
    }
}

/// What a member may do to a namespace.
public struct NamespaceShare: Hashable, Sendable {
    /// Whose namespace it is.
    public let project: ProjectID
    public let role: NamespaceRole

    var operations: OperationSet { role.operations }
}

extension NamespaceRole {
    /// What a member with the role may do to the namespace. `keys` lets members make keys for their own
    /// devices, which allow no more than the role; links are for owners: see ``LinkOffice``.
    public var operations: OperationSet {
        switch self {
        case .owner: OperationSet([.admin])
        case .editor: OperationSet([.read, .write, .delete, .keys])
        case .writerOnly: OperationSet([.write, .keys])
        case .viewer: OperationSet([.read, .keys])
        }
    }
}

/// What a signed URL demands of the request it allows.
public struct SignedURLTerms: Hashable, Sendable {
    public var maximumBytes: Int64?
    public var contentType: ContentTypePattern?
    /// The root that an upload must have.
    public var root: CID?
    /// Whether the grant that it is of may publish.
    public var mayPublish = false
    var limit: SignedURLLimit
}

extension Principal: CustomStringConvertible {
    public var description: String {
        switch source {
        case .anonymous: "anonymous"
        case .localAdministrator: "local administrator"
        case .grant: "grant \(grant?.text ?? "?")"
        case .signedURL: "signed URL of grant \(grant?.text ?? "?")"
        case .session: "user \(user?.text ?? "?")"
        case .link: "link \(grant?.text ?? "?")"
        }
    }
}
