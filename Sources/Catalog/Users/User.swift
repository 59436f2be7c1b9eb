/// The id of a user.
public typealias UserID = RecordID<User>

/// A person who may log in.
public struct User: Hashable, Sendable, Identifiable {
    public let id: UserID
    /// What is typed at the login: unique, in lower case.
    public let name: String
    /// How the password is checked, as text with its parameters; empty for a user who cannot log in by one.
    public var passwordHash: String
    /// Whether the user administers the node: everything, in every project.
    public var isAdministrator: Bool
    /// Unix milliseconds.
    public let created: Int64
    /// Unix milliseconds since when the user may do nothing.
    public var disabled: Int64?

    /// The most bytes of a name.
    public static let maximumNameBytes = 128
}

extension User: CustomStringConvertible, CustomReflectable {
    /// Without the hash of the password.
    public var description: String { "user \(name) (\(id))" }
    public var customMirror: Mirror { Mirror(self, children: ["id": id, "name": name]) }
}
