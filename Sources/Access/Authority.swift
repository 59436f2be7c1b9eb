public import Catalog
import Foundation

/// Everything about who may do what, opened on a catalog and a directory of secrets.
///
/// Owns `<data>/secrets/master-key` and `admin-token`. Both are durable before the catalog mentions them.
/// Call ``close()`` before the catalog is closed: it writes what waits for the audit log.
///
/// Thread-safe and synchronous.
public final class Authority: Sendable {
    /// The directory of secrets in the data directory.
    public static let directoryName = "secrets"
    /// The file of the token by which the command line goes to a node that runs on its data directory.
    public static let localTokenName = "local-token"

    /// The token of a data directory's running node; `nil` if there is none.
    ///
    /// - Throws: `secretReadableByOthers`, `secretUnusable`.
    public static func localToken(secrets: String) throws -> String? {
        try SecretsDirectory(path: secrets).read(localTokenName).map {
            String(decoding: $0.prefix { $0 != 0x0A }, as: UTF8.self)
        }
    }

    /// Tells who asks, and whether they may.
    public let authorizer: Authorizer
    /// Makes, lists and revokes grants.
    public let grants: GrantOffice
    /// Makes and revokes signed URLs.
    public let urls: URLSigner
    public let sessions: Sessions
    /// Makes, lists and ends links.
    public let links: LinkOffice
    /// Users, passwords and projects.
    public let accounts: Accounts
    public let audit: AuditLog
    /// What looks after the master key on the disk.
    private let first: FirstStart
    private let master: MasterKey
    /// Where the token of the first administrator lies; `nil` unless this opening made it.
    public let newAdminTokenPath: String?

    /// How an authority is opened.
    public struct Options: Sendable {
        public var audit = AuditLog.Options()
        public var sessions = Sessions.Options()
        /// The most grants that are remembered.
        public var rememberedGrants = 4096
        /// How many passwords are checked at once; each takes 32 MiB.
        public var simultaneousLogins = 2
        /// Whether a master key that is lost is made anew: signed URLs and sessions end.
        public var lostMasterKey = LostMasterKey.refuse
        /// Unix milliseconds.
        public var now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }

        /// Whether whoever can read ``localTokenName`` in the directory of secrets acts as a person who
        /// opens the data directory: for a node that runs, and a command line that goes to it.
        public var acceptsLocalToken = false

        var passwords = PasswordHasher.Parameters()
        var throttle = LoginThrottle.Options()
        var observeVerification: @Sendable (TokenVerifier.Step) -> Void = { _ in }

        public init() {}
    }

    /// What to do where the catalog was used with a master key that is not there.
    public enum LostMasterKey: Sendable {
        case refuse
        case replace
    }

    /// Opens the authority; at the first start it makes the master key and the grant of the first
    /// administrator.
    ///
    /// - Parameter secrets: the directory of secrets; made if it is not there.
    /// - Throws: `secretMissing`, `secretDamaged`, `secretForeign`, `secretReadableByOthers`,
    ///   `secretUnusable`, and
    ///   what the catalog throws.
    public static func open(catalog: CatalogDatabase, secrets: String, options: Options = Options()) throws
        -> Authority
    {
        try Authority(catalog, SecretsDirectory(path: secrets), options)
    }

    private init(_ catalog: CatalogDatabase, _ directory: SecretsDirectory, _ options: Options) throws {
        let first = FirstStart(catalog: catalog, directory: directory, now: options.now)
        let master = try first.masterKey(options.lostMasterKey)
        (self.first, self.master) = (first, master)
        try catalog.projects.ensureDefault()
        newAdminTokenPath = try first.ensureAdminGrant()

        let localToken =
            options.acceptsLocalToken
            ? try directory.contents(Self.localTokenName) {
                Array(("nacre-local-" + Base32.encode(SecureRandom.bytes(32)) + "\n").utf8)
            } : nil
        let live = try LiveGrants(catalog: catalog, capacity: options.rememberedGrants)
        let urlKey = master.key(for: SignedURL.keyPurpose)
        audit = AuditLog(catalog: catalog, options: options.audit, now: options.now)
        sessions = Sessions(
            catalog: catalog, options: options.sessions, csrfKey: master.key(for: "nacre csrf token 1"),
            now: options.now)
        grants = GrantOffice(catalog: catalog, live: live, audit: audit, now: options.now)
        urls = URLSigner(catalog: catalog, live: live, key: urlKey, now: options.now)
        let hasher = PasswordHasher(parameters: options.passwords, concurrency: options.simultaneousLogins)
        let linkVerifier = LinkVerifier(
            catalog: catalog, live: live, hasher: hasher, throttle: LoginThrottle(options.throttle),
            passKey: master.key(for: "nacre link pass 1"), now: options.now)
        links = LinkOffice(
            catalog: catalog, live: live, grants: grants, verifier: linkVerifier, hasher: hasher,
            audit: audit)
        accounts = Accounts(
            catalog: catalog, live: live, sessions: sessions, hasher: hasher,
            throttle: LoginThrottle(options.throttle), audit: audit, now: options.now)
        authorizer = Authorizer(
            catalog: catalog, live: live,
            verifier: TokenVerifier(live: live, observe: options.observeVerification),
            urls: SignedURLVerifier(key: urlKey), sessions: sessions, links: linkVerifier,
            audit: audit, localToken: localToken.map { $0.prefix { $0 != 0x0A } }.map(Array.init),
            now: options.now)
    }

    /// Makes sure that the master key on the disk is the one that is worked with; a file that was lost
    /// meanwhile is put back.
    ///
    /// - Throws: `secretDamaged`, `secretForeign` where another is in its place, `secretUnusable`.
    public func confirmMasterKey(by principal: Principal) throws {
        guard principal.mayPerform(.admin, on: .node) else { throw AccessError.operationNotAllowed(.admin) }
        try first.confirm(master)
    }

    /// Writes what waits for the audit log.
    public func close() throws { try audit.flush() }

    /// Forgets what is over: sessions, signed URLs, old entries of the audit log. For a janitor to call now
    /// and then.
    public func removeEnded(_ catalog: CatalogDatabase, now: Int64) throws {
        try sessions.removeEnded()
        try catalog.grants.removeExpiredURLs(before: now)
        try audit.trim()
    }
}
