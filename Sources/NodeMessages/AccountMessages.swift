/// A person who may log in: never with anything of a password.
public struct UserMessage: Codable, Hashable, Sendable {
    public var id: String
    public var name: String
    /// `active` or `disabled`.
    public var status: String
    /// Whether the user administers the node.
    public var administrator: Bool
    public var created: String
    public var disabled: String?
    /// Where one user is shown: the projects the user belongs to.
    public var projects: [MemberMessage]?

    public init(
        id: String, name: String, status: String, administrator: Bool, created: String, disabled: String?
    ) {
        self.id = id
        self.name = name
        self.status = status
        self.administrator = administrator
        self.created = created
        self.disabled = disabled
    }
}

/// That a user belongs to a project.
public struct MemberMessage: Codable, Hashable, Sendable {
    public var project: String
    public var user: String
    /// The name of the user, where it is known.
    public var name: String?
    /// `owner`, `editor` or `reader`.
    public var role: String
    public var since: String

    public init(project: String, user: String, name: String?, role: String, since: String) {
        self.project = project
        self.user = user
        self.name = name
        self.role = role
        self.since = since
    }
}

/// A project, which owns content.
public struct ProjectMessage: Codable, Hashable, Sendable {
    public var id: String
    public var name: String
    public var created: String
    /// Where one project is shown.
    public var members: [MemberMessage]?

    public init(id: String, name: String, created: String, members: [MemberMessage]? = nil) {
        self.id = id
        self.name = name
        self.created = created
        self.members = members
    }
}

/// A new user. Secret: it holds the password.
public struct UserRequest: Codable, Sendable {
    public var name: String
    public var password: String
    public var administrator: Bool?

    public init(name: String, password: String, administrator: Bool? = nil) {
        self.name = name
        self.password = password
        self.administrator = administrator
    }
}

/// A new password. Secret.
public struct PasswordRequest: Codable, Sendable {
    public var password: String

    public init(password: String) { self.password = password }
}

/// A new project.
public struct ProjectRequest: Codable, Hashable, Sendable {
    public var name: String
    /// The user who owns it, by name or id.
    public var owner: String?

    public init(name: String, owner: String? = nil) {
        self.name = name
        self.owner = owner
    }
}

/// What is to change of a project.
public struct ProjectChange: Codable, Hashable, Sendable {
    public var name: String

    public init(name: String) { self.name = name }
}

/// What a member may do: `owner`, `editor` or `reader`.
public struct RoleRequest: Codable, Hashable, Sendable {
    public var role: String

    public init(role: String) { self.role = role }
}

extension UserRequest: CustomStringConvertible, CustomReflectable {
    /// Without the password.
    public var description: String { "user \(name)" }
    public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}

extension PasswordRequest: CustomStringConvertible, CustomReflectable {
    public var description: String { "password" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
