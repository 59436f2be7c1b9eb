public import Catalog
import Crypto
import Foundation

/// Logins that last.
///
/// A session ends when it was not used for a while, at the latest some time after the login, and when the
/// user is disabled or changes the password. Each has a CSRF token that the node's own page sends back with
/// every change.
public final class Sessions: Sendable {
    /// How long a session lasts.
    public struct Options: Sendable {
        /// Milliseconds without a request.
        public var idle: Int64 = 12 * 3600 * 1000
        /// Milliseconds after the login.
        public var absolute: Int64 = 30 * 24 * 3600 * 1000
        /// The last use is noted at most once in so many milliseconds.
        public var touchInterval: Int64 = 60 * 1000

        public init() {}
    }

    private let catalog: CatalogDatabase
    private let options: Options
    private let csrfKey: SymmetricKey
    private let now: @Sendable () -> Int64

    init(
        catalog: CatalogDatabase, options: Options, csrfKey: SymmetricKey,
        now: @escaping @Sendable () -> Int64
    ) {
        self.catalog = catalog
        self.options = options
        self.csrfKey = csrfKey
        self.now = now
    }

    /// Begins a session for a user who proved who it is.
    public func begin(for user: UserID) throws -> SessionSecret {
        let (secret, time) = (SessionSecret(), now())
        try catalog.sessions.add(
            SessionRecord(
                secretHash: secret.hash, user: user, created: time, lastSeen: time,
                expires: time + options.absolute))
        return secret
    }

    /// When a session ends, used or not, in Unix milliseconds.
    ///
    /// - Throws: `credentialsInvalid` for one that has ended.
    public func expiry(of secret: SessionSecret) throws -> Int64 {
        guard let session = try catalog.sessions.session(secret.hash) else {
            throw AccessError.credentialsInvalid
        }
        return session.expires
    }

    /// Milliseconds without a request after which a session ends.
    public var idle: Int64 { options.idle }

    /// Ends a session.
    public func end(_ secret: SessionSecret) throws { try catalog.sessions.remove(secret.hash) }

    /// Ends every session of a user.
    public func endAll(of user: UserID) throws { try catalog.sessions.removeAll(of: user) }

    /// Forgets sessions that have ended. For a janitor to call now and then.
    public func removeEnded() throws {
        try catalog.sessions.removeEnded(before: now(), idleSince: now() - options.idle)
    }

    /// What the node's own page sends back with every change that it asks for.
    public func csrfToken(for secret: SessionSecret) -> String {
        Base32.encode(HMAC<SHA256>.authenticationCode(for: secret.hash, using: csrfKey))
    }

    /// Checks what came back, in constant time. Every request that changes something by a session needs it.
    ///
    /// - Throws: `csrfTokenInvalid`.
    public func check(csrfToken: String?, of secret: SessionSecret) throws(AccessError) {
        guard let given = csrfToken.flatMap({ Base32.decode($0.utf8, count: 32) }),
            ConstantTime.areEqual(
                given, Array(HMAC<SHA256>.authenticationCode(for: secret.hash, using: csrfKey)))
        else { throw .csrfTokenInvalid }
    }

    /// - Parameter project: the project to act for; `nil` for the first that the user belongs to.
    /// - Throws: `credentialsInvalid` for a session that has ended, `projectAbsent`.
    func principal(of secret: SessionSecret, project: ProjectID?, at time: Int64) throws -> Principal {
        guard let session = try catalog.sessions.session(secret.hash), time < session.expires,
            time - session.lastSeen < options.idle, let user = try catalog.users.user(session.user),
            user.disabled == nil
        else { throw AccessError.credentialsInvalid }
        if time - session.lastSeen >= options.touchInterval {
            try catalog.sessions.touch(session, at: time)
        }
        var principal: Principal
        if user.isAdministrator {
            if let project, try catalog.projects.project(project) == nil {
                throw AccessError.projectAbsent(project.rawValue)
            }
            principal = Principal(
                source: .session, project: project ?? .default, operations: OperationSet([.admin]),
                scope: .node)
        } else {
            let memberships = try catalog.projects.memberships(of: user.id)
            let membership = memberships.first { project == nil || $0.project == project }
            if let project, membership == nil { throw AccessError.projectAbsent(project.rawValue) }
            principal = Principal(
                source: .session, project: membership?.project,
                operations: membership?.role.operations ?? [], scope: membership.map { .project($0.project) })
            principal.shares = try catalog.shares(of: user.id)
        }
        principal.user = user.id
        return principal
    }
}
