public import Catalog

/// The people of a node: users, their passwords, the projects they belong to.
public final class Accounts: Sendable {
    let catalog: CatalogDatabase
    let live: LiveGrants
    private let sessions: Sessions
    private let hasher: PasswordHasher
    private let throttle: LoginThrottle
    let audit: AuditLog
    let now: @Sendable () -> Int64

    /// The fewest bytes of a password.
    public static let minimumPasswordBytes = 10
    /// The most bytes of a password.
    public static let maximumPasswordBytes = 1024

    init(
        catalog: CatalogDatabase, live: LiveGrants, sessions: Sessions, hasher: PasswordHasher,
        throttle: LoginThrottle, audit: AuditLog, now: @escaping @Sendable () -> Int64
    ) {
        self.catalog = catalog
        self.live = live
        self.sessions = sessions
        self.hasher = hasher
        self.throttle = throttle
        self.audit = audit
        self.now = now
    }

    /// Adds a user, without a project.
    ///
    /// - Throws: `invalidUserName`, `invalidPassword`, `tooManyLogins`, `operationNotAllowed`; the
    ///   catalog's
    ///   `duplicateUser`.
    public func add(name: String, password: String, isAdministrator: Bool = false, by principal: Principal)
        throws
        -> User
    {
        try require(principal, on: .node)
        guard Self.isName(name) else { throw AccessError.invalidUserName(AccessText.short(name)) }
        let user = try catalog.users.add(
            name: name, passwordHash: try hash(password), isAdministrator: isAdministrator)
        audit.record(.userAdd, to: Self.subject(user), by: principal)
        return user
    }

    /// Changes a password, and ends every session of the user.
    public func setPassword(_ password: String, of id: UserID, by principal: Principal) throws {
        if principal.source != .session || principal.user != id { try require(principal, on: .node) }
        let hash = try hash(password)
        guard let user = try catalog.users.update(id, { $0.passwordHash = hash }) else {
            throw AccessError.userAbsent(id.text)
        }
        audit.record(.userPassword, to: Self.subject(user), by: principal)
        try sessions.endAll(of: id)
    }

    /// Takes everything from a user, at once: sessions end, and grants that pass on the user's authority
    /// count no more.
    public func disable(_ id: UserID, by principal: Principal) throws {
        try require(principal, on: .node)
        let time = now()
        defer { live.forget() }
        guard let user = try catalog.users.update(id, { $0.disabled = $0.disabled ?? time }) else {
            throw AccessError.userAbsent(id.text)
        }
        audit.record(.userDisable, to: Self.subject(user), by: principal)
        try sessions.endAll(of: id)
    }

    /// Lets a user who was disabled log in again.
    public func enable(_ id: UserID, by principal: Principal) throws {
        try require(principal, on: .node)
        defer { live.forget() }
        guard let user = try catalog.users.update(id, { $0.disabled = nil }) else {
            throw AccessError.userAbsent(id.text)
        }
        audit.record(.userEnable, to: Self.subject(user), by: principal)
    }

    /// Begins a session for who knows the password.
    ///
    /// - Throws: `loginRefused` for an unknown name as for a wrong password, after the same work;
    ///   `loginThrottled` after too many of them; `tooManyLogins`.
    public func logIn(name: String, password: String, _ facts: RequestFacts = RequestFacts()) throws
        -> SessionSecret
    {
        let user = try prove(name: name, password: password, facts)
        note(nil, user, facts)
        return try sessions.begin(for: user.id)
    }

    /// Changes one's own password, which ends every session of one's own, this one too.
    ///
    /// - Throws: `loginRefused` if the present one is wrong; as ``logIn(name:password:_:)``.
    public func changePassword(
        from current: String, to new: String, by principal: Principal, _ facts: RequestFacts = RequestFacts()
    ) throws {
        guard principal.source == .session, let id = principal.user, let user = try catalog.users.user(id)
        else { throw AccessError.credentialsMissing }
        _ = try prove(name: user.name, password: current, facts)
        try setPassword(new, of: id, by: principal)
    }

    /// The user that a principal acts for, if any.
    public func user(of principal: Principal) throws -> User? {
        try principal.user.flatMap { try catalog.users.user($0) }
    }

    /// The user of that name, if this is the password.
    private func prove(name: String, password: String, _ facts: RequestFacts) throws -> User {
        // Of what cannot be a name nobody has an account: those count together.
        let account = Self.isName(name) ? name : ""
        // This machine may be a proxy that stands for many clients.
        let address = facts.source.flatMap { $0.isLoopback ? nil : $0.customer }
        do throws(AccessError) {
            try throttle.begin(account, from: address, at: facts.time ?? now())
        } catch {
            note(error, nil, facts)
            throw error
        }
        do {
            let user = Self.isName(name) ? try catalog.users.user(named: name) : nil
            // What is longer than any password costs no work: its length says nothing of the user.
            guard password.utf8.count <= Self.maximumPasswordBytes,
                try hasher.verify(password, against: user?.passwordHash ?? ""), let user, user.disabled == nil
            else {
                note(AccessError.loginRefused, user, facts)
                throw AccessError.loginRefused
            }
            throttle.forgive(account, from: address)
            if hasher.isOutdated(user.passwordHash) {
                let hash = try hasher.hash(password)
                try catalog.users.update(user.id) { $0.passwordHash = hash }
            }
            return user
        } catch {
            // A node that had no time to look has not refused anybody.
            if error as? AccessError != .loginRefused { throttle.forgive(account, from: address) }
            throw error
        }
    }

    private func note(_ error: AccessError?, _ user: User?, _ facts: RequestFacts) {
        var event = AuditEvent(
            isAllowed: error == nil, code: error?.code ?? "", operation: "login", resource: "",
            source: Principal.Source.session.rawValue, address: facts.source?.description ?? "")
        event.user = user?.id
        audit.record(event, at: facts.time ?? now())
    }

    private func hash(_ password: String) throws(AccessError) -> String {
        guard (Self.minimumPasswordBytes...Self.maximumPasswordBytes).contains(password.utf8.count) else {
            throw .invalidPassword(
                minimumBytes: Self.minimumPasswordBytes, maximumBytes: Self.maximumPasswordBytes)
        }
        return try hasher.hash(password)
    }

    func require(_ principal: Principal, on resource: Resource) throws(AccessError) {
        guard principal.operations.allows(.admin) else { throw .operationNotAllowed(.admin) }
        guard principal.mayPerform(.admin, on: resource) else { throw .outOfScope(resource) }
    }

    /// How the audit log names a user.
    static func subject(_ user: User) -> String { "user:" + user.name }

    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "._-@".utf8.contains($0)
            }
    }
}
