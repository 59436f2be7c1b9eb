/// A login. Secret: it holds the password.
public struct LogInRequest: Codable, Sendable {
    public var name: String
    public var password: String

    public init(name: String, password: String) {
        self.name = name
        self.password = password
    }
}

/// Another password for oneself. Secret.
public struct PasswordChange: Codable, Sendable {
    public var current: String
    public var new: String

    public init(current: String, new: String) {
        self.current = current
        self.new = new
    }
}

/// The session of a person's browser. The secret itself travels in a cookie that no page can read.
public struct SessionMessage: Codable, Hashable, Sendable {
    /// Who is logged in, with the projects.
    public var user: UserMessage
    /// What every request that changes something sends back in `X-CSRF-Token`.
    public var csrfToken: String
    /// When the session ends, used or not.
    public var expires: String
    /// Seconds without a request after which it ends.
    public var idleSeconds: Int64

    public init(user: UserMessage, csrfToken: String, expires: String, idleSeconds: Int64) {
        self.user = user
        self.csrfToken = csrfToken
        self.expires = expires
        self.idleSeconds = idleSeconds
    }
}

/// Who asks, as the node sees it, and what is allowed.
public struct PrincipalMessage: Codable, Hashable, Sendable {
    /// `local`, `grant`, `signed-url` or `session`.
    public var source: String
    public var operations: [String]
    /// Where; nothing for nowhere.
    public var scope: String?
    /// In whose name things are made.
    public var project: String?
    public var user: String?
    public var grant: String?
    /// What the grant is called.
    public var name: String?
    public var expires: String?

    public init(source: String, operations: [String], scope: String?, project: String?) {
        self.source = source
        self.operations = operations
        self.scope = scope
        self.project = project
    }
}

extension LogInRequest: CustomStringConvertible, CustomReflectable {
    /// Without the password.
    public var description: String { "login" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension PasswordChange: CustomStringConvertible, CustomReflectable {
    public var description: String { "change of password" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
