/// The owner of pins, names, namespaces and grants. A person has one or more.
public struct Project: Hashable, Sendable, Identifiable {
    public let id: ProjectID
    public let name: String
    /// Unix milliseconds.
    public let created: Int64

    /// The most bytes of a name.
    public static let maximumNameBytes = 1024
}

/// What a member may do in a project.
public enum ProjectRole: String, CaseIterable, Hashable, Sendable {
    /// Everything, members included.
    case owner
    /// Changes content, and makes keys for what they may do.
    case editor
    case reader
}

/// That a user belongs to a project.
public struct ProjectMember: Hashable, Sendable {
    public let project: ProjectID
    public let user: UserID
    public let role: ProjectRole
    /// Unix milliseconds.
    public let since: Int64
}
