public import Catalog

/// Makes, lists and revokes grants, within what whoever asks may do.
public final class GrantOffice: Sendable {
    private let catalog: CatalogDatabase
    private let live: LiveGrants
    private let audit: AuditLog
    private let now: @Sendable () -> Int64

    init(
        catalog: CatalogDatabase, live: LiveGrants, audit: AuditLog, now: @escaping @Sendable () -> Int64
    ) {
        self.catalog = catalog
        self.live = live
        self.audit = audit
        self.now = now
    }

    /// Makes a grant.
    ///
    /// An administrator of the node makes any. A user makes what the user's role allows, and the grant
    /// never allows more than the user. Who acts by a grant that allows `keys` narrows that one: every
    /// limit that the draft leaves open is taken over.
    ///
    /// - Throws: `notNarrower` with the limit that goes too far, `operationNotAllowed`, `projectAbsent`,
    ///   `grantAbsent`
    ///   (of the parent), `tooDeep`, `nothingAllowed`, `invalidLimit`, `invalidScope`.
    public func create(_ draft: GrantDraft, by principal: Principal) throws -> IssuedGrant {
        let id = catalog.grants.newID()
        let grant = try grant(draft, id: id, by: principal)
        let token = GrantToken(id: id)
        try catalog.grants.add(grant.record(secretHash: token.hash))
        live.forget()
        audit.record(.keyCreate, to: Self.subject(id), in: grant.project, by: principal)
        return IssuedGrant(grant: grant, token: token)
    }

    /// Ends a grant and all that were narrowed from it, before the call returns.
    ///
    /// - Throws: `grantAbsent`, also for one that the principal may not see.
    public func revoke(_ id: GrantID, by principal: Principal) throws -> Grant {
        _ = try visible(id, to: principal, operation: .keys)
        defer { live.forget() }
        guard let record = try catalog.grants.revoke(id) else { throw AccessError.grantAbsent(id.text) }
        audit.record(.keyRevoke, to: Self.subject(id), in: record.project, by: principal)
        return try Grant(record)
    }

    /// Removes a grant with its record, readable or not, and ends those that were narrowed from it. Local
    /// administrators do so to rows that are damaged.
    public func remove(_ id: GrantID, by principal: Principal) throws {
        guard principal.mayPerform(.admin, on: .node) else { throw AccessError.operationNotAllowed(.admin) }
        defer { live.forget() }
        guard try catalog.grants.remove(id) else { throw AccessError.grantAbsent(id.text) }
        audit.record(.keyRemove, to: Self.subject(id), by: principal)
    }

    /// How the audit log names a grant.
    private static func subject(_ id: GrantID) -> String { "key:" + id.text }

    /// A grant with what became of it.
    ///
    /// - Throws: `grantAbsent`, also for one that the principal may not see.
    public func report(_ id: GrantID, by principal: Principal) throws -> GrantReport {
        try report(try visible(id, to: principal, operation: .keys))
    }

    /// A page of the grants that the principal may see, oldest first.
    ///
    /// - Parameter after: the id of the last grant that was looked at: ``GrantPage/next``.
    public func list(
        _ filter: GrantFilter = GrantFilter(), after: GrantID? = nil, limit: Int = 100,
        by principal: Principal
    ) throws -> GrantPage {
        guard principal.operations.allows(.keys), let scope = principal.scope else {
            throw AccessError.operationNotAllowed(.keys)
        }
        var filter = filter
        if let project = scope.project { filter.project = project }
        let limit = min(max(limit, 1), PinRepository.maximumPage)
        let records = try catalog.grants.list(filter, after: after, limit: limit)
        let reports = try records.compactMap { record -> GrantReport? in
            let grant = try Grant(record)
            return maySee(grant, principal) ? try report(grant) : nil
        }
        return GrantPage(grants: reports, next: records.count < limit ? nil : records.last?.id)
    }

    /// The grants that a person means by an id, or by the name of one that still counts.
    ///
    /// - Throws: `grantAbsent`, `grantNameAmbiguous`.
    public func grant(matching text: String, by principal: Principal) throws -> Grant {
        if let id = try? GrantID(text: text) { return try visible(id, to: principal, operation: .keys) }
        var filter = GrantFilter()
        filter.name = text
        let named = try list(filter, limit: PinRepository.maximumPage, by: principal).grants
        // Those that still count come first, then those that have ended by themselves.
        let counting = named.filter { $0.status == .active || $0.status == .notYetValid }
        let living = counting.isEmpty ? named.filter { $0.status != .revoked } : counting
        let found = living.isEmpty ? named : living
        guard let first = found.first else { throw AccessError.grantAbsent(AccessText.short(text)) }
        guard found.count == 1 else {
            throw AccessError.grantNameAmbiguous(AccessText.short(text), ids: found.map(\.grant.id.text))
        }
        return first.grant
    }

    /// The other grants of a project that the principal may see, that count and have the name of this one;
    /// at most a thousand of the name are looked at.
    public func namesakes(of grant: Grant, by principal: Principal) throws -> [GrantID] {
        var filter = GrantFilter()
        filter.name = grant.name
        filter.project = grant.project
        return try catalog.grants.list(filter, limit: PinRepository.maximumPage).compactMap { record in
            let other = try Grant(record)
            guard other.id != grant.id, maySee(other, principal) else { return nil }
            let report = try report(other)
            return report.status == .active || report.status == .notYetValid ? record.id : nil
        }
    }

    /// The grant that a draft means, not yet kept.
    func grant(_ draft: GrantDraft, id: GrantID, by principal: Principal) throws -> Grant {
        try draft.limits.check()
        guard !draft.operations.isEmpty else { throw AccessError.nothingAllowed }
        guard try catalog.projects.project(draft.project) != nil else {
            throw AccessError.projectAbsent(draft.project.rawValue)
        }
        let parent = try parent(of: draft, principal)
        var scope = draft.scope ?? parent?.scope ?? .project(draft.project)
        // By its id, so that the grant stays with the namespace when that gets another name.
        let bound = try byID(scope)
        if parent.map({ $0.scope.contains(bound) || !$0.scope.contains(scope) }) ?? true { scope = bound }
        guard scope != .public, scope == .node || scope.project == draft.project else {
            throw AccessError.invalidScope(scope.description)
        }
        var limits = draft.limits
        if let parent {
            guard parent.operations.covers(draft.operations) else {
                throw AccessError.notNarrower(.operations)
            }
            guard parent.scope.contains(scope) else { throw AccessError.notNarrower(.scope) }
            limits = try limits.narrowed(below: parent.limits)
        } else if principal.source == .session {
            guard principal.mayPerform(.keys, on: scope) else {
                throw principal.operations.allows(.keys)
                    ? AccessError.notNarrower(.scope) : .operationNotAllowed(.keys)
            }
            guard principal.covers(draft.operations, on: scope) else {
                throw AccessError.notNarrower(.operations)
            }
        }
        let ancestors = parent.map { $0.ancestors + [$0.id] } ?? []
        guard ancestors.count <= GrantRecord.maximumAncestors else {
            throw AccessError.tooDeep(maximum: GrantRecord.maximumAncestors)
        }
        return Grant(
            id: id, name: draft.name, ancestors: ancestors, project: draft.project,
            user: try user(of: draft, parent, principal), operations: draft.operations, scope: scope,
            limits: limits, created: now(), revoked: nil)
    }

    /// Whose authority the new grant passes on.
    private func user(of draft: GrantDraft, _ parent: Grant?, _ principal: Principal) throws -> UserID? {
        if let parent, parent.user != nil || draft.user == nil { return parent.user }
        guard let user = draft.user, user != principal.user else { return principal.user }
        guard principal.mayPerform(.admin, on: .node) else { throw AccessError.operationNotAllowed(.admin) }
        guard try catalog.users.user(user) != nil else { throw AccessError.userAbsent(user.text) }
        return user
    }

    /// A scope that names a namespace there is, by the id of that.
    private func byID(_ scope: Resource) throws -> Resource {
        guard case .namespace(let project, let name, let path) = scope, !name.hasPrefix("@"),
            let found = try catalog.namespaces.namespace(named: name), found.project == project
        else { return scope }
        return .namespace(project, name: Resource.name(of: found.id), path: path)
    }

    /// The grant that the new one is narrowed from; `nil` for one that stands for itself.
    private func parent(of draft: GrantDraft, _ principal: Principal) throws -> Grant? {
        switch principal.source {
        case .anonymous: throw AccessError.credentialsMissing
        case .signedURL, .link: throw AccessError.operationNotAllowed(.keys)
        case .localAdministrator, .session:
            guard let id = draft.parent else { return nil }
            return try living(id, principal)
        case .grant:
            guard principal.operations.allows(.keys) else { throw AccessError.operationNotAllowed(.keys) }
            guard let own = principal.grant else { throw AccessError.credentialsMissing }
            return try living(draft.parent ?? own, principal)
        }
    }

    private func living(_ id: GrantID, _ principal: Principal) throws -> Grant {
        guard let live = try live.grant(id), live.grant.id == principal.grant || maySee(live.grant, principal)
        else { throw AccessError.grantAbsent(id.text) }
        if let end = live.end { throw end }
        if let expires = live.grant.limits.expires, now() >= expires {
            throw AccessError.expired(at: expires)
        }
        return live.grant
    }

    private func visible(_ id: GrantID, to principal: Principal, operation: Operation) throws -> Grant {
        guard principal.operations.allows(operation) else { throw AccessError.operationNotAllowed(operation) }
        guard let record = try catalog.grants.grant(id) else { throw AccessError.grantAbsent(id.text) }
        let grant = try Grant(record)
        guard maySee(grant, principal) else { throw AccessError.grantAbsent(id.text) }
        return grant
    }

    /// A grant sees itself and what was narrowed from it, a user the user's own, an administrator all in
    /// the scope.
    private func maySee(_ grant: Grant, _ principal: Principal) -> Bool {
        if principal.mayPerform(.admin, on: grant.scope) { return true }
        if let own = principal.grant { return grant.id == own || grant.ancestors.contains(own) }
        return principal.source == .session && grant.user == principal.user
    }

    func report(_ grant: Grant) throws -> GrantReport {
        let usage = try catalog.grants.usage(of: grant.id)
        return GrantReport(
            grant: grant, usage: usage, status: try status(of: grant, usage),
            activity: try catalog.grants.activity(of: grant.id))
    }

    private func status(of grant: Grant, _ usage: GrantUsage) throws -> GrantStatus {
        if try live.grant(grant.id)?.isRevoked ?? true { return .revoked }
        let (time, limits) = (now(), grant.limits)
        if let expires = limits.expires, time >= expires { return .expired }
        if let notBefore = limits.notBefore, time < notBefore { return .notYetValid }
        if let maximum = limits.maximumUses, usage.uses >= maximum { return .exhausted }
        if let maximum = limits.maximumBytes, maximum > 0, usage.bytes >= maximum { return .exhausted }
        return .active
    }
}

/// A part of a list of grants.
public struct GrantPage: Hashable, Sendable {
    public let grants: [GrantReport]
    /// Give it as `after` to get the next page; `nil` if this was the last.
    public let next: GrantID?
}
