public import Catalog

/// Makes, lists and ends links, for who may pass on what is in a namespace.
public final class LinkOffice: Sendable {
    private let catalog: CatalogDatabase
    private let live: LiveGrants
    private let grants: GrantOffice
    private let verifier: LinkVerifier
    private let hasher: PasswordHasher
    private let audit: AuditLog

    /// The fewest bytes of a link's password: what can be tried is slowed down.
    public static let minimumPasswordBytes = 6

    init(
        catalog: CatalogDatabase, live: LiveGrants, grants: GrantOffice, verifier: LinkVerifier,
        hasher: PasswordHasher, audit: AuditLog
    ) {
        self.catalog = catalog
        self.live = live
        self.grants = grants
        self.verifier = verifier
        self.hasher = hasher
        self.audit = audit
    }

    /// Makes a link. It never allows more than its maker may, and ends with what the maker's right comes
    /// from.
    ///
    /// - Throws: `operationNotAllowed`, `outOfScope`, `notNarrower`, `invalidLimit`, `invalidPassword`,
    ///   `tooManyLogins`.
    public func create(_ draft: LinkDraft, by principal: Principal) throws -> IssuedLink {
        let namespace = draft.namespace
        try requireSharing(of: namespace, by: principal)
        var hash = ""
        if let password = draft.password {
            let range = Self.minimumPasswordBytes...Accounts.maximumPasswordBytes
            guard range.contains(password.utf8.count) else {
                throw AccessError.invalidPassword(
                    minimumBytes: range.lowerBound, maximumBytes: range.upperBound)
            }
            hash = try hasher.hash(password)
        }
        var grantDraft = GrantDraft(
            name: draft.name, operations: draft.role.operations, project: namespace.project,
            scope: .treeNode(namespace.project, namespace: namespace.id, node: draft.node))
        grantDraft.limits = draft.limits
        let id = catalog.grants.newID()
        let grant = try grants.grant(grantDraft, id: id, by: principal)
        let token = LinkToken()
        let record = LinkRecord(
            grant: id, tokenHash: token.hash, namespace: namespace.id, node: draft.node, password: hash)
        try catalog.links.add(record, grant.record(secretHash: token.hash))
        live.forget()
        audit.record(.linkCreate, to: "key:" + id.text, in: grant.project, by: principal)
        return IssuedLink(link: Link(record, grant), token: token)
    }

    /// A page of the links of a namespace, oldest first.
    ///
    /// - Parameter after: ``LinkPage/next`` of the page before.
    public func list(
        of namespace: Namespace, after: GrantID? = nil, limit: Int = 100, by principal: Principal
    ) throws -> LinkPage {
        try requireSharing(of: namespace, by: principal)
        let limit = min(max(limit, 1), LinkRepository.maximumPage)
        let records = try catalog.links.list(of: namespace.id, after: after, limit: limit)
        return LinkPage(
            links: try records.compactMap { try report($0) },
            next: records.count < limit ? nil : records.last?.grant)
    }

    /// A link by its id.
    ///
    /// - Throws: `linkAbsent`, also where the principal must not see it.
    public func link(_ id: GrantID, by principal: Principal) throws -> LinkReport {
        guard let record = try catalog.links.link(id),
            let namespace = try catalog.namespaces.namespace(record.namespace),
            (try? requireSharing(of: namespace, by: principal)) != nil, let report = try report(record)
        else { throw AccessError.linkAbsent }
        return report
    }

    /// Ends a link at once.
    ///
    /// - Throws: `linkAbsent`, also where the principal must not see it.
    public func revoke(_ id: GrantID, by principal: Principal) throws -> LinkReport {
        let found = try link(id, by: principal)
        // Forgotten before it is looked at again.
        do {
            defer { live.forget() }
            try catalog.grants.revoke(id)
        }
        audit.record(.keyRevoke, to: "key:" + id.text, in: found.link.grant.project, by: principal)
        return try link(id, by: principal)
    }

    /// The link that a principal came by; `nil` if it came otherwise.
    public func link(of principal: Principal) throws -> Link? {
        guard principal.source == .link, let id = principal.grant, let record = try catalog.links.link(id),
            let grant = try live.grant(id)
        else { return nil }
        return Link(record, grant.grant)
    }

    /// Unix milliseconds, by the clock of the authority.
    public var now: Int64 { verifier.now() }

    /// What a browser may show instead of the password of a link for some hours.
    ///
    /// - Returns: `nil` for a link that asks for none.
    public func pass(for link: Link) throws -> LinkPass? {
        guard link.asksForPassword, let record = try catalog.links.link(link.grant.id) else { return nil }
        return verifier.makePass(for: record)
    }

    /// Sharing is for owners: of the project's, who may make keys; of others, who own the namespace.
    private func requireSharing(of namespace: Namespace, by principal: Principal) throws {
        let resource = Resource.treeNode(
            namespace.project, namespace: namespace.id, node: namespace.root)
        guard principal.mayPerform(.keys, on: resource) else {
            throw principal.operations.allows(.keys)
                ? AccessError.outOfScope(namespace.resource) : .operationNotAllowed(.keys)
        }
        guard let user = principal.user else { return }
        let byProject = try catalog.operations(of: user, on: .project(namespace.project))
        guard
            try byProject.allows(.keys) || catalog.members.role(of: user, in: namespace.id) == .owner
        else { throw AccessError.operationNotAllowed(.admin) }
    }

    private func report(_ record: LinkRecord) throws -> LinkReport? {
        guard let grant = try catalog.grants.grant(record.grant) else { return nil }
        let report = try grants.report(try Grant(grant))
        return LinkReport(link: Link(record, report.grant), report: report)
    }
}

/// A part of a list of links.
public struct LinkPage: Hashable, Sendable {
    public let links: [LinkReport]
    /// Give it as `after` to get the next page; `nil` if this was the last.
    public let next: GrantID?
}
