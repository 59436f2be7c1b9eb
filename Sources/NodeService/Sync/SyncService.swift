public import Access
public import Catalog
import Digests
import IPLD
import Multiformats
import Namespaces
public import NodeCore
import NodeMessages
public import SyncProtocol
import TreeValues
import UnixFS

/// The sync protocol as one principal may use it, without HTTP. Format: docs/formats/sync.md.
///
/// Synchronous and thread-safe. Every call asks first whether the principal may do it to the namespace; a
/// namespace that it may not read does not exist for it.
public struct SyncService: Sendable {
    let node: StorageNode
    let principal: Principal
    /// What all callers share.
    public let hub: SyncHub
    /// As the device calls itself that speaks; empty for none.
    public let device: String

    private let authority: Authority?
    /// What is counted of the call; `nil` where nothing is.
    public let admission: Admission?

    /// What a device may ask, as it is told.
    public let rates: DeviceRates.Limits

    /// - Parameters:
    ///   - device: as it calls itself.
    ///   - hub: the node's; a new one forgets what others count.
    ///   - authority: what knows of links and members; `nil` where these are out of the question.
    ///   - admission: what is reserved for the call, and what it is limited to; `nil` for no limits.
    public init(
        _ node: StorageNode, as principal: Principal, device: String = "", hub: SyncHub = SyncHub(),
        rates: DeviceRates.Limits = DeviceRates.Limits(), authority: Authority? = nil,
        admission: Admission? = nil
    ) {
        self.node = node
        self.principal = principal
        self.device = device
        self.hub = hub
        self.rates = rates
        self.authority = authority
        self.admission = admission
    }

    /// Links and members, as the principal may see and change them.
    public func sharing() throws -> LocalNode { try LocalNode(node, authority: authority, as: principal) }

    var namespaces: NamespaceStore { node.namespaces }

    /// Whose changes are in the journal.
    var author: ChangeAuthor { ChangeAuthor(user: principal.user?.text, device: device) }

    /// What time it is for the node: Unix milliseconds.
    public var time: Int64 { node.catalog.namespaces.currentTime }

    /// The namespace of a name or an id, for who may do the operation.
    ///
    /// - Throws: `unknown_namespace`, also where it must not be seen; `forbidden`.
    public func namespace(_ text: String, for operation: Operation) throws -> Namespace {
        let found: Namespace
        do { found = try namespaces.namespace(text) } catch is NamespaceError {
            throw SyncFailure.unknownNamespace(text)
        }
        let resource = found.resource
        guard principal.mayPerform(.read, on: resource) || principal.mayPerform(.write, on: resource) else {
            throw SyncFailure.unknownNamespace(text)
        }
        guard principal.mayPerform(operation, on: resource) else {
            throw SyncFailure.forbidden("\(operation.rawValue) in namespace \(found.name)")
        }
        return found
    }

    /// The namespace of a name or an id, for who may see it or a part of it.
    ///
    /// - Returns: the user whose entries are to be seen where others are not: who may only bring files in
    ///   sees those that the same user brought in.
    func visiblePart(of text: String) throws -> (namespace: Namespace, own: String?) {
        let found = try namespace(text, for: .write, or: .read)
        if principal.mayPerform(.read, on: found.resource) { return (found, nil) }
        guard let user = principal.user else {
            throw SyncFailure.forbidden("read in namespace \(found.name)")
        }
        return (found, user.text)
    }

    private func namespace(
        _ text: String, for operation: Operation, or other: Operation
    ) throws -> Namespace {
        do { return try namespace(text, for: operation) } catch SyncFailure.forbidden {
            return try namespace(text, for: other)
        }
    }

    /// The blocks of a namespace that the principal may read: all of the project for who may read that,
    /// else what the namespace reaches, or what the principal brought into it.
    ///
    /// These are also those that a commit may name without sending them: to name one is to read it, and,
    /// in a public namespace, to publish it.
    func blocks(of namespace: Namespace) throws -> NamespaceBlocks {
        if principal.mayPerform(.read, on: .project(namespace.project)) {
            return try NamespaceBlocks(node, of: namespace)
        }
        let part: NamespaceReach.Part =
            principal.mayPerform(.read, on: namespace.resource)
            ? .everything
            : principal.user.map { .user($0.text) } ?? .key(principal.grant?.text ?? "")
        return try NamespaceBlocks(node, of: namespace, within: part)
    }

    /// The namespaces that the principal may read or write.
    public func list() throws -> [NamespaceInfo] { try visible().map { info($0, role: $1) } }

    /// The namespaces that the principal may read, and what it is in them.
    func readable() throws -> [(namespace: Namespace, role: String)] {
        try visible().filter { $0.role != "writer_only" }
    }

    private func visible() throws -> [(namespace: Namespace, role: String)] {
        var infos: [(Namespace, String)] = []
        var after: NamespaceID?
        while true {
            let page = try node.catalog.namespaces.list(
                project: principal.scope == .node ? nil : principal.project ?? .default,
                shared: Array(principal.shares.keys), after: after, limit: NamespaceRepository.maximumPage)
            infos += page.compactMap { namespace in role(in: namespace).map { (namespace, $0) } }
            guard page.count == NamespaceRepository.maximumPage else { return infos }
            after = page.last?.id
        }
    }

    /// Makes an empty namespace in the project of the principal.
    ///
    /// - Throws: `forbidden`, `name_taken`, `bad_request`.
    public func create(_ request: NamespaceRequest) throws -> NamespaceInfo {
        let project = principal.project ?? .default
        guard principal.mayPerform(.write, on: .project(project)) else {
            throw SyncFailure.forbidden("make namespaces")
        }
        guard let visibility = NamespaceVisibility(rawValue: request.visibility ?? "private") else {
            throw SyncFailure.badRequest("visibility is public or private")
        }
        guard visibility == .private || principal.mayPerform(.publish, on: .project(project)) else {
            throw SyncFailure.forbidden("publish")
        }
        let policy = try request.policy.map { try NamespacePolicy(checking: $0) } ?? NamespacePolicy()
        try Self.checkName(request.name)
        let made: Namespace
        do {
            made = try namespaces.create(
                request.name, project: project, visibility: visibility, policy: policy)
        } catch CatalogError.duplicateNamespace {
            throw SyncFailure.nameTaken(request.name)
        }
        return info(made, role: role(in: made) ?? "editor")
    }

    static func checkName(_ name: String) throws(SyncFailure) {
        guard isName(name) else {
            throw .badRequest(
                "a namespace is called by letters, digits, `-`, `_` and `.`, up to 63, such as recipes")
        }
    }

    /// Names stand in URLs, before `@` and `/`, and in scopes of grants.
    public static func isName(_ name: String) -> Bool {
        (1...63).contains(name.utf8.count) && name.utf8.first != UInt8(ascii: ".")
            && name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E
            }
    }

    /// A namespace by its name or id, for who may read it.
    public func info(_ text: String) throws -> NamespaceInfo {
        let found = try visiblePart(of: text).namespace
        return info(found, role: role(in: found) ?? "viewer")
    }

    /// What the principal is in a namespace; `nil` if it does not exist for it.
    func role(in namespace: Namespace) -> String? {
        let resource = namespace.resource
        func may(_ operation: Operation) -> Bool { principal.mayPerform(operation, on: resource) }
        if may(.admin) { return "owner" }
        if may(.read) {
            // Without `delete` a key brings in and changes nothing that is there.
            return may(.write) ? may(.delete) ? "editor" : "contributor" : "viewer"
        }
        return may(.write) ? "writer_only" : nil
    }

    func info(_ namespace: Namespace, role: String) -> NamespaceInfo {
        NamespaceInfo(
            id: namespace.id.text, name: namespace.name, role: role, root: namespace.root,
            epoch: namespace.epoch, head: namespace.head, nodes: namespace.nodes, bytes: namespace.bytes,
            visibility: namespace.visibility.rawValue, policy: namespace.policy)
    }
}
