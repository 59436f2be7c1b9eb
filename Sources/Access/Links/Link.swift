public import Catalog
public import TreeValues

/// A grant that leads whoever holds its URL to one file or directory of a namespace, or lets them bring
/// files into one.
///
/// It stays with the node wherever that is moved and whatever it is called, and has ended when the node is
/// deleted. Limits, counters, expiry and revocation are those of the grant.
public struct Link: Hashable, Sendable {
    public let grant: Grant
    public let namespace: NamespaceID
    /// The root of the namespace for all of it.
    public let node: NodeID
    public let asksForPassword: Bool

    /// What it leads to, as what is asked about.
    public var resource: Resource { .treeNode(grant.project, namespace: namespace, node: node) }

    init(_ record: LinkRecord, _ grant: Grant) {
        self.grant = grant
        namespace = record.namespace
        node = record.node
        asksForPassword = !record.password.isEmpty
    }
}

/// What the maker says of a new link.
public struct LinkDraft: Sendable {
    public var role: Role
    public var namespace: Namespace
    public var node: NodeID
    public var limits = GrantLimits()
    /// `nil` for none.
    public var password: String?
    /// What people call it.
    public var name: String

    /// What it allows.
    public enum Role: String, CaseIterable, Sendable {
        /// To read.
        case viewer
        /// To bring files in, and to see none.
        case writerOnly = "writer_only"

        var operations: OperationSet {
            switch self {
            case .viewer: OperationSet([.read])
            case .writerOnly: OperationSet([.write])
            }
        }
    }

    public init(_ role: Role, to node: NodeID, of namespace: Namespace, name: String) {
        self.role = role
        self.node = node
        self.namespace = namespace
        self.name = name
    }
}

extension Link {
    /// What it allows.
    public var role: LinkDraft.Role { grant.operations.allows(.read) ? .viewer : .writerOnly }
}

/// A new link with its token, which is shown this once.
public struct IssuedLink: Sendable {
    public let link: Link
    public let token: LinkToken
}

/// A link with what became of it.
public struct LinkReport: Hashable, Sendable {
    public let link: Link
    public let report: GrantReport
}
