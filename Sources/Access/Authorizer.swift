import Catalog

/// The one door to authority: tells who asks, and whether they may.
///
/// Thread-safe and synchronous. What is refused throws ``AccessError``; nothing else means no. Both answers
/// go to the audit log, except that anybody reads what is public.
public final class Authorizer: Sendable {
    private let catalog: CatalogDatabase
    private let live: LiveGrants
    private let verifier: TokenVerifier
    private let urls: SignedURLVerifier
    private let sessions: Sessions
    private let links: LinkVerifier
    private let audit: AuditLog
    /// Who shows it is the local administrator.
    private let localToken: [UInt8]?
    private let brokenUploads = BrokenUploads()
    private let now: @Sendable () -> Int64

    init(
        catalog: CatalogDatabase, live: LiveGrants, verifier: TokenVerifier, urls: SignedURLVerifier,
        sessions: Sessions, links: LinkVerifier, audit: AuditLog, localToken: [UInt8]?,
        now: @escaping @Sendable () -> Int64
    ) {
        self.localToken = localToken
        self.catalog = catalog
        self.live = live
        self.verifier = verifier
        self.urls = urls
        self.sessions = sessions
        self.links = links
        self.audit = audit
        self.now = now
    }

    /// Tells who asks.
    ///
    /// - Throws: `credentialsInvalid` without saying why, `revoked`, `expired` (of a signed URL), and what
    ///   the catalog
    ///   throws.
    public func principal(for credentials: Credentials, _ facts: RequestFacts = RequestFacts()) throws
        -> Principal
    {
        do {
            var principal =
                switch credentials {
                case .none: Principal.anonymous
                case .bearer(let text): try principal(bearer: text)
                case .signedURL(let request): try principal(of: request, at: facts.time ?? now())
                case .session(let secret, let project):
                    try sessions.principal(of: secret, project: project, at: facts.time ?? now())
                case .link(let shown): try links.principal(of: shown, facts, at: facts.time ?? now())
                }
            principal.address = facts.source
            return principal
        } catch let error as AccessError {
            let source: Principal.Source =
                switch credentials {
                case .none: .anonymous
                case .bearer: .grant
                case .signedURL: .signedURL
                case .session: .session
                case .link: .link
                }
            audit.record(
                AuditEvent(
                    isAllowed: false, code: error.code, operation: "authenticate", resource: "",
                    source: source.rawValue, address: facts.source?.description ?? ""),
                at: facts.time ?? now())
            throw error
        }
    }

    /// Allows an operation, or throws why not.
    ///
    /// Counts a use of the grant, and reserves the bytes of an upload (`write`): see ``Admission``. Ask
    /// once for a request; ``Principal/mayPerform(_:on:)`` tells what would be allowed without counting.
    ///
    /// - Throws: ``AccessError``, and what the catalog throws.
    public func authorize(
        _ principal: Principal, _ operation: Operation, on resource: Resource,
        facts: RequestFacts = RequestFacts()
    ) throws -> Admission {
        // What anybody may read needs no counting and no log.
        if operation == .read, resource == .public { return Admission(principal, maximumBytes: nil) }
        let time = facts.time ?? now()
        do {
            let admission = try admit(principal, operation, resource, facts, time)
            audit.record(event(nil, principal, operation, resource, facts), at: time)
            if let grant = principal.grant { audit.noteUse(of: grant, at: time) }
            return admission
        } catch let error as AccessError {
            audit.record(event(error, principal, operation, resource, facts), at: time)
            throw error
        }
    }

    /// Allows a further request of something that was counted when it began, such as an import: operation,
    /// scope and every limit must still hold, but no use is counted.
    ///
    /// - Throws: ``AccessError``, and what the catalog throws.
    public func authorizeFurther(
        _ principal: Principal, _ operation: Operation, on resource: Resource,
        facts: RequestFacts = RequestFacts()
    ) throws -> Admission {
        guard principal.source != .anonymous else { throw AccessError.credentialsMissing }
        guard principal.mayPerform(operation, on: resource) else {
            throw principal.operations.allows(operation)
                ? AccessError.outOfScope(resource) : .operationNotAllowed(operation)
        }
        if let id = principal.grant {
            guard let grant = try live.grant(id) else { throw AccessError.revoked }
            // The size is that of the whole, which was reserved when it began.
            var facts = facts
            facts.bytes = nil
            if let refusal = grant.refusal(of: operation, on: resource, facts, at: facts.time ?? now()) {
                throw refusal
            }
        }
        return Admission(principal, maximumBytes: nil)
    }

    /// Lets on whoever showed credentials that are accepted, whatever they allow; no use is counted.
    ///
    /// - Throws: `credentialsMissing`, and of a grant `revoked`, `expired`, `notYetValid`,
    ///   `sourceNotAllowed`,
    ///   `referrerNotAllowed`.
    public func authorizeKnown(_ principal: Principal, facts: RequestFacts = RequestFacts()) throws
        -> Admission
    {
        _ = try known(principal, facts, isUpload: false)
        return Admission(principal, maximumBytes: nil)
    }

    /// Lets on whoever may make a request of which it is asked where it is done what it may do, by
    /// ``Principal/mayPerform(_:on:)``. Everything else that a grant says must hold, and a use is counted.
    ///
    /// - Parameter isUpload: whether it brings something in, of the type that the facts name; how much is
    ///   reserved as it comes: ``Admission/reserve(bytes:)``.
    /// - Throws: what ``authorizeKnown(_:facts:)`` throws, `contentTypeNotAllowed`, `usesExhausted`, and
    ///   what the catalog throws.
    public func authorizeUse(
        _ principal: Principal, isUpload: Bool, facts: RequestFacts = RequestFacts()
    ) throws -> Admission {
        do {
            guard let grant = try known(principal, facts, isUpload: isUpload) else {
                return Admission(principal, maximumBytes: nil)
            }
            let limits = grant.usageLimits(isUpload: isUpload)
            _ = try catalog.grants.reserve(UsageClaim(), within: limits).reservedBytes()
            audit.noteUse(of: grant.grant.id, at: facts.time ?? now())
            return Admission(
                principal, maximumBytes: nil, maximumFileBytes: isUpload ? grant.maximumFileBytes : nil,
                grants: catalog.grants, brokenUploads: brokenUploads,
                reservation: Admission.Reservation(limits: limits, bytes: 0))
        } catch let error as AccessError {
            refuse(error, principal, facts)
            throw error
        }
    }

    /// Lets on whoever waits for something to happen: no use is counted, but one must be left, since
    /// whoever has used up a grant hears nothing by it either.
    ///
    /// - Throws: what ``authorizeKnown(_:facts:)`` throws, `usesExhausted`, and what the catalog throws.
    public func authorizeWaiting(_ principal: Principal, facts: RequestFacts = RequestFacts()) throws
        -> Admission
    {
        let grant = try known(principal, facts, isUpload: false)
        for limit in grant?.usageLimits(isUpload: false) ?? [] {
            guard let maximum = limit.maximumUses,
                try catalog.grants.usage(of: limit.grant).uses >= maximum
            else { continue }
            throw AccessError.usesExhausted(limit: maximum)
        }
        return Admission(principal, maximumBytes: nil)
    }

    /// The grant of a principal that is known, if its limits hold, counters left aside; `nil` for who
    /// has none.
    private func known(
        _ principal: Principal, _ facts: RequestFacts, isUpload: Bool
    ) throws -> LiveGrant? {
        guard principal.source != .anonymous else { throw AccessError.credentialsMissing }
        guard let id = principal.grant else { return nil }
        guard let grant = try live.grant(id) else { throw AccessError.revoked }
        if let end = grant.end { throw end }
        for limits in ([grant.grant] + grant.ancestors).map(\.limits) {
            if let refusal = limits.refusal(of: facts, at: facts.time ?? now(), isUpload: isUpload) {
                throw refusal
            }
        }
        return grant
    }

    /// Lets on whoever needs no credentials.
    public func authorizeAnybody() -> Admission { Admission(.anonymous, maximumBytes: nil) }

    /// Checks that a request that changes something by a session comes from the node's own page.
    ///
    /// - Throws: `csrfTokenInvalid`.
    public func check(
        csrfToken: String?, of secret: SessionSecret, _ principal: Principal, _ facts: RequestFacts
    ) throws(AccessError) {
        do throws(AccessError) {
            try sessions.check(csrfToken: csrfToken, of: secret)
        } catch {
            refuse(error, principal, facts)
            throw error
        }
    }

    /// Notes that somebody who is known was refused before it was asked what for.
    public func refuse(_ error: AccessError, _ principal: Principal, _ facts: RequestFacts) {
        var event = AuditEvent(
            isAllowed: false, code: error.code, operation: "authenticate", resource: "",
            source: principal.source.rawValue, address: facts.source?.description ?? "")
        event.project = principal.project
        event.user = principal.user
        event.grant = principal.grant
        audit.record(event, at: facts.time ?? now())
    }

    /// What a grant is, for its own holder.
    public func grant(of principal: Principal) throws -> Grant? {
        try principal.grant.flatMap { try live.grant($0)?.grant }
    }

    private func admit(
        _ principal: Principal, _ operation: Operation, _ resource: Resource, _ facts: RequestFacts,
        _ time: Int64
    ) throws -> Admission {
        switch principal.source {
        case .anonymous:
            throw AccessError.credentialsMissing
        case .localAdministrator:
            return Admission(principal, maximumBytes: nil)
        case .session:
            guard principal.mayPerform(operation, on: resource) else {
                throw principal.operations.allows(operation)
                    ? AccessError.outOfScope(resource) : .operationNotAllowed(operation)
            }
            return Admission(principal, maximumBytes: nil)
        case .grant, .signedURL, .link:
            guard let id = principal.grant, let grant = try live.grant(id) else { throw AccessError.revoked }
            return try admit(principal, by: grant, operation, resource, facts, time)
        }
    }

    private func admit(
        _ principal: Principal, by grant: LiveGrant, _ operation: Operation, _ resource: Resource,
        _ facts: RequestFacts, _ time: Int64
    ) throws -> Admission {
        // A signed URL allows less than its grant.
        guard principal.operations.allows(operation) else { throw AccessError.operationNotAllowed(operation) }
        if let refusal = grant.refusal(of: operation, on: resource, facts, at: time) { throw refusal }
        let isUpload = operation == .write
        let terms = principal.signedURL
        let typeRefusal = { @Sendable (facts: RequestFacts) -> AccessError? in
            guard isUpload, !facts.isForm, let pattern = terms?.contentType,
                !pattern.matches(facts.contentType ?? "")
            else { return nil }
            return .contentTypeNotAllowed(AccessText.short(facts.contentType ?? "unknown"))
        }
        if let refusal = typeRefusal(facts) { throw refusal }
        let partRefusal = { @Sendable (type: String?) -> AccessError? in
            var part = facts
            (part.contentType, part.isForm, part.bytes) = (type, false, nil)
            return typeRefusal(part) ?? grant.refusal(of: operation, on: resource, part, at: time)
        }
        let cap = [grant.maximumFileBytes, terms?.maximumBytes].compactMap { $0 }.min()
        if isUpload, let cap, let bytes = facts.bytes, bytes > cap {
            throw AccessError.tooLarge(bytes: bytes, limit: cap)
        }
        let limits = grant.usageLimits(isUpload: isUpload)
        var claim = UsageClaim()
        if isUpload {
            claim.minimumBytes = max(0, facts.bytes ?? 0)
            claim.maximumBytes =
                facts.bytes.map { max(0, $0) } ?? min(cap ?? .max, max(0, facts.mostBytes ?? .max))
        }
        let bytes = try catalog.grants.reserve(claim, within: limits, url: terms?.limit).reservedBytes()
        let maximum = isUpload ? min(bytes, cap ?? .max) : Int64.max
        return Admission(
            principal, maximumBytes: maximum == .max ? nil : maximum, grants: catalog.grants,
            brokenUploads: brokenUploads,
            reservation: Admission.Reservation(limits: limits, url: terms?.limit, bytes: bytes),
            partRefusal: partRefusal)
    }

    private func principal(bearer text: String) throws -> Principal {
        if let localToken, ConstantTime.areEqual(Array(text.utf8), localToken) { return .localAdministrator }
        let grant = try verifier.verify(text)
        var principal = Principal(
            source: .grant, project: grant.grant.project, operations: grant.operations,
            scope: grant.grant.scope)
        principal.grant = grant.grant.id
        principal.user = grant.grant.user
        return principal
    }

    private func principal(of request: SignedRequest, at time: Int64) throws -> Principal {
        let url = try urls.verify(request, at: time)
        guard let grant = try live.grant(url.grant), !grant.isRevoked else { throw AccessError.revoked }
        var principal = Principal(
            source: .signedURL, project: grant.grant.project,
            operations: grant.operations.narrowed(to: OperationSet([url.operation])), scope: grant.grant.scope
        )
        principal.grant = grant.grant.id
        principal.user = grant.grant.user
        principal.signedURL = SignedURLTerms(
            maximumBytes: url.maximumBytes, contentType: url.contentType, root: url.root,
            mayPublish: grant.operations.allows(.publish),
            limit: SignedURLLimit(
                nonce: url.nonce, grant: url.grant, maximumUses: url.maximumUses, expires: url.expires))
        return principal
    }

    private func event(
        _ error: AccessError?, _ principal: Principal, _ operation: Operation, _ resource: Resource,
        _ facts: RequestFacts
    ) -> AuditEvent {
        var event = AuditEvent(
            isAllowed: error == nil, code: error?.code ?? "", operation: operation.rawValue,
            resource: resource.description, source: principal.source.rawValue,
            address: facts.source?.description ?? "")
        event.project = resource.project ?? principal.project
        event.user = principal.user
        event.grant = principal.grant
        return event
    }
}

extension UsageOutcome {
    /// How many bytes are reserved.
    ///
    /// - Throws: what is used up.
    func reservedBytes() throws(AccessError) -> Int64 {
        switch self {
        case .reserved(let bytes): bytes
        case .usesExhausted(_, let limit), .urlExhausted(let limit): throw .usesExhausted(limit: limit)
        case .bytesExhausted(_, let limit, let left): throw .bytesExhausted(limit: limit, left: left)
        case .urlRevoked: throw .revoked
        }
    }
}
