import Access
import Catalog
import Multiformats
import NodeCore
public import NodeMessages

extension LocalNode {
    private func office() throws -> GrantOffice {
        guard let authority else {
            throw NodeFailure(
                .unsupported, code: "no-authority", detail: "grants cannot be looked at here")
        }
        return authority.grants
    }

    public func makeGrant(_ request: GrantRequest) throws -> GrantMessage {
        let office = try office()
        guard !request.name.isEmpty, request.name.utf8.count <= GrantRecord.maximumNameBytes else {
            throw NodeFailure(
                .invalid, code: "invalid-value",
                detail: "the name of a key has 1 to \(GrantRecord.maximumNameBytes) bytes")
        }
        var draft = GrantDraft(
            name: request.name,
            operations: try OperationSet(text: request.operations.joined(separator: ",")))
        draft.project = project
        draft.limits = try limits(request)
        try Self.check(expires: request.expires, after: request.notBefore)
        draft.scope = try request.scope.map { try named(Resource(text: $0)) }
        if let user = request.user { draft.user = try grantee(user) }
        if let text = request.project {
            guard let id = ProjectID(checked: text) else { throw AccessError.projectAbsent(text) }
            draft.project = try project(named: id) ?? id
        }
        if let parent = request.parent {
            let parent = try office.grant(matching: parent, by: principal)
            draft.parent = parent.id
            if request.project == nil { draft.project = parent.project }
        } else if request.project == nil, let scoped = draft.scope?.project {
            draft.project = scoped
        }
        let issued = try office.create(draft, by: principal)
        var message = try message(try office.report(issued.grant.id, by: principal))
        message.token = issued.token.text
        let namesakes = try office.namesakes(of: issued.grant, by: principal)
        if !namesakes.isEmpty { message.namesakes = namesakes.map(\.text) }
        return message
    }

    /// A scope in the project that is meant: people know projects by their names.
    private func named(_ scope: Resource) throws -> Resource {
        guard let id = scope.project, let found = try project(named: id) else { return scope }
        return scope.moved(to: found)
    }

    /// The project that is called what is no id of one; `nil` where there is none, or it is not to be seen.
    ///
    /// - Throws: `projectNameAmbiguous`.
    private func project(named id: ProjectID) throws -> ProjectID? {
        guard let authority, try node.catalog.projects.project(id) == nil else { return nil }
        do {
            return try authority.accounts.project(matching: id.rawValue, by: principal).id
        } catch AccessError.projectAbsent {
            return nil
        } catch AccessError.operationNotAllowed {
            return nil
        }
    }

    /// The user on whose behalf a key is to be.
    private func grantee(_ text: String) throws -> UserID {
        guard let authority else { throw AccessError.userAbsent(text) }
        if let own = principal.user, try authority.accounts.user(of: principal)?.name == text { return own }
        return try authority.accounts.user(matching: text, by: principal).id
    }

    /// - Throws: `invalid-value` for what would never count.
    private static func check(expires: Int64?, after notBefore: Int64?) throws {
        guard let expires else { return }
        func invalid(_ detail: String) -> NodeFailure {
            NodeFailure(.invalid, code: "invalid-value", detail: detail)
        }
        guard expires > TimeText.now() else {
            throw invalid("the expiry \(TimeText.utc(milliseconds: expires)) is in the past")
        }
        if let notBefore, notBefore >= expires { throw invalid("the expiry is before the beginning") }
    }

    /// A grant, with the namespace that it is for under the name that it has today.
    private func message(_ report: GrantReport) throws -> GrantMessage {
        var message = GrantMessage(report)
        if case .namespace(let project, let name, let path) = report.grant.scope, name.hasPrefix("@"),
            let id = try? NamespaceID(text: String(name.dropFirst())),
            let found = try node.catalog.namespaces.namespace(id)
        {
            message.scope = Resource.namespace(project, name: found.name, path: path).description
        }
        if let user = report.grant.user { message.user = user.text }
        return message
    }

    private func limits(_ request: GrantRequest) throws -> GrantLimits {
        var limits = GrantLimits()
        limits.maximumUses = request.maxUses
        limits.maximumFileBytes = request.maxFileBytes
        limits.maximumBytes = request.maxBytes
        limits.expires = request.expires
        limits.notBefore = request.notBefore
        limits.contentTypes = try (request.contentTypes ?? []).map { try ContentTypePattern(text: $0) }
        limits.sources = try (request.from ?? []).map { try AddressRange(text: $0) }
        limits.referrers = try (request.referrers ?? []).map { try ReferrerPattern(text: $0) }
        return limits
    }

    public func forEachGrant(project: String?, _ body: (GrantMessage) throws -> Void) throws {
        var next: String?
        repeat {
            let page = try grants(project: project, cursor: next, limit: 1000)
            for grant in page.items { try body(grant) }
            next = page.next
        } while next != nil
    }

    /// A page of grants, oldest first.
    public func grants(project: String?, cursor: String?, limit: Int) throws -> PageMessage<GrantMessage> {
        var filter = GrantFilter()
        filter.project = project.map { ProjectID(rawValue: $0) }
        let page = try office().list(
            filter, after: try cursor.map { try GrantID(text: $0) }, limit: limit, by: principal)
        return PageMessage(items: try page.grants.map { try message($0) }, next: page.next?.text)
    }

    public func grant(matching text: String) throws -> GrantMessage {
        let office = try office()
        return try message(
            try office.report(try office.grant(matching: text, by: principal).id, by: principal))
    }

    public func revokeGrant(_ id: String) throws -> GrantMessage {
        let (office, id) = (try office(), try GrantID(text: id))
        _ = try office.revoke(id, by: principal)
        return try message(try office.report(id, by: principal))
    }

    public func signURL(_ request: SignedURLRequest) throws -> String {
        let office = try office()
        try Self.check(expires: request.expires, after: nil)
        var draft = SignedURLDraft(method: request.method, path: request.path, expires: request.expires)
        draft.query = request.query ?? ""
        draft.maximumUses = request.maxUses
        draft.maximumBytes = request.maxBytes
        draft.contentType = try request.contentType.map { try ContentTypePattern(text: $0) }
        draft.root = try request.root.map { try CID(text: $0) }
        let behalf: GrantID
        if let text = request.grant {
            behalf = try office.grant(matching: text, by: principal).id
        } else if let own = principal.grant {
            behalf = own
        } else {
            throw NodeFailure(
                .invalid, code: "invalid-value", detail: "name the key on whose behalf the URL is signed")
        }
        return try urls().sign(draft, on: behalf, by: principal)
    }

    public func revokeSignedURL(_ url: String) throws {
        let urls = try urls()
        // The address in front of the path is not signed.
        var rest = Substring(url)
        if let scheme = rest.firstRange(of: "://") { rest = rest[scheme.upperBound...].drop { $0 != "/" } }
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        guard parts.count == 2, SignedURL.isSigned(query: parts[1]) else {
            throw NodeFailure(.invalid, code: "invalid-value", detail: "this is no signed URL")
        }
        let path = parts[0].isEmpty ? "/" : parts[0]
        // Which method was signed does not stand in the URL.
        for method in ["GET", "PUT"] {
            do {
                return try urls.revoke(SignedRequest(method: method, path: path, query: parts[1]))
            } catch AccessError.credentialsInvalid {
                continue
            }
        }
        try urls.revoke(SignedRequest(method: "POST", path: path, query: parts[1]))
    }

    private func urls() throws -> URLSigner {
        guard let authority else {
            throw NodeFailure(.unsupported, code: "no-authority", detail: "nothing can be signed here")
        }
        return authority.urls
    }

    public func removeDamagedGrant(_ id: String) throws {
        try office().remove(GrantID(text: id), by: principal)
    }
}

extension GrantMessage {
    init(_ report: GrantReport) {
        let (grant, limits) = (report.grant, report.grant.limits)
        func time(_ milliseconds: Int64?) -> String? { milliseconds.map { TimeText.utc(milliseconds: $0) } }
        self.init(
            id: grant.id.text, name: grant.name, status: report.status.rawValue,
            operations: grant.operations.operations.map(\.rawValue), scope: grant.scope.description,
            project: grant.project.rawValue, contentTypes: limits.contentTypes.map(\.description),
            from: limits.sources.map(\.description), referrers: limits.referrers.map(\.description),
            created: TimeText.utc(milliseconds: grant.created), uses: report.usage.uses,
            bytes: report.usage.bytes)
        parent = grant.parent?.text
        maxUses = limits.maximumUses
        maxFileBytes = limits.maximumFileBytes
        maxBytes = limits.maximumBytes
        notBefore = time(limits.notBefore)
        expires = time(limits.expires)
        revoked = time(grant.revoked)
        lastUsed = time(report.activity?.lastUsed)
    }
}
