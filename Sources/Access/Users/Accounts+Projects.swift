public import Catalog

/// Projects: made, renamed, removed, and who belongs to them.
extension Accounts {
    /// Adds a project, and makes its maker the owner if that is a user.
    public func addProject(name: String, by principal: Principal) throws -> Project {
        guard principal.source == .session || principal.mayPerform(.admin, on: .node) else {
            throw AccessError.operationNotAllowed(.admin)
        }
        let project = try catalog.projects.add(name: name)
        audit.record(.projectAdd, to: Self.subject(project.id), in: project.id, by: principal)
        if let user = principal.user { try catalog.projects.setRole(.owner, of: user, in: project.id) }
        live.forget()
        return project
    }

    /// Gives a project another name; its id stays.
    ///
    /// - Throws: `projectAbsent`, `outOfScope`; the catalog's `nameTooLong`, `nameContainsNUL`.
    public func renameProject(_ id: ProjectID, to name: String, by principal: Principal) throws -> Project {
        try require(principal, on: .project(id))
        guard let project = try catalog.projects.rename(id, to: name) else {
            throw AccessError.projectAbsent(id.rawValue)
        }
        audit.record(.projectRename, to: Self.subject(id), in: id, by: principal)
        return project
    }

    /// Removes a project that holds nothing any more, with its memberships.
    ///
    /// Blocks that it brought in stay until they are collected.
    ///
    /// - Throws: `projectAbsent`, `projectIsDefault`, `projectNotEmpty` with what it holds: nothing is
    ///   changed then.
    public func removeProject(_ id: ProjectID, by principal: Principal) throws -> Project {
        try require(principal, on: .node)
        guard id != .default else { throw AccessError.projectIsDefault }
        defer { live.forget() }
        switch try catalog.projects.remove(id) {
        case .absent: throw AccessError.projectAbsent(id.rawValue)
        case .held(let holdings): throw AccessError.projectNotEmpty(id.rawValue, holdings)
        case .removed(let project):
            audit.record(.projectRemove, to: Self.subject(id), in: id, by: principal)
            return project
        }
    }

    /// Makes a user a member of a project, or changes the role.
    public func setRole(_ role: ProjectRole, of user: UserID, in project: ProjectID, by principal: Principal)
        throws
    {
        try require(principal, on: .project(project))
        defer { live.forget() }
        guard try catalog.projects.project(project) != nil else {
            throw AccessError.projectAbsent(project.rawValue)
        }
        guard let member = try catalog.users.user(user) else { throw AccessError.userAbsent(user.text) }
        try catalog.projects.setRole(role, of: user, in: project)
        audit.record(
            .memberSet, to: "member:\(project.rawValue)/\(member.name)/\(role.rawValue)", in: project,
            by: principal)
    }

    /// Ends a membership, and with it what the user's grants allow in the project.
    public func removeMember(_ user: UserID, from project: ProjectID, by principal: Principal) throws {
        try require(principal, on: .project(project))
        defer { live.forget() }
        guard try catalog.projects.removeMember(user, from: project) else { return }
        // A user who is gone from the catalog has the id alone.
        let name = try catalog.users.user(user)?.name ?? user.text
        audit.record(
            .memberRemove, to: "member:\(project.rawValue)/\(name)", in: project, by: principal)
    }

    /// How the audit log names a project.
    private static func subject(_ id: ProjectID) -> String { "project:" + id.rawValue }
}
