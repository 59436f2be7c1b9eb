public import Catalog

extension Accounts {
    /// A page of the users, oldest first.
    ///
    /// - Parameter after: the id of the last user of the page before.
    public func users(after: UserID? = nil, limit: Int = 100, by principal: Principal) throws -> [User] {
        try require(principal, on: .node)
        return try catalog.users.list(after: after, limit: limit)
    }

    /// The user of a name or an id.
    ///
    /// - Throws: `userAbsent`.
    public func user(matching text: String, by principal: Principal) throws -> User {
        try require(principal, on: .node)
        return try user(matching: text)
    }

    private func user(matching text: String) throws -> User {
        if let user = try catalog.users.user(named: text) { return user }
        if let id = try? UserID(text: text), let user = try catalog.users.user(id) { return user }
        throw AccessError.userAbsent(AccessText.short(text))
    }

    /// The projects that a user belongs to, with the role in each.
    public func memberships(of user: UserID, by principal: Principal) throws -> [ProjectMember] {
        if principal.user != user { try require(principal, on: .node) }
        return try catalog.projects.memberships(of: user)
    }

    /// A page of the projects, by id.
    ///
    /// - Parameter after: the id of the last project of the page before.
    public func projects(after: ProjectID? = nil, limit: Int = 100, by principal: Principal) throws
        -> [Project]
    {
        try require(principal, on: .node)
        return try catalog.projects.list(after: after, limit: limit)
    }

    /// The user of a name or an id, for whoever administers a project and gives the user a role in it.
    ///
    /// - Throws: `userAbsent`.
    public func user(matching text: String, for project: ProjectID, by principal: Principal) throws -> User {
        try require(principal, on: .project(project))
        return try user(matching: text)
    }

    /// The name of a member; `nil` for a user who is gone from the catalog.
    public func name(of member: ProjectMember, by principal: Principal) throws -> String? {
        try require(principal, on: .project(member.project))
        return try catalog.users.user(member.user)?.name
    }

    /// The project of an id, or of a name that only one has. Whoever administers one project sees no other.
    ///
    /// - Throws: `projectAbsent`, `projectNameAmbiguous`.
    public func project(matching text: String, by principal: Principal) throws -> Project {
        guard principal.operations.allows(.admin) else { throw AccessError.operationNotAllowed(.admin) }
        if let id = ProjectID(checked: text), principal.mayPerform(.admin, on: .project(id)),
            let project = try catalog.projects.project(id)
        {
            return project
        }
        guard principal.mayPerform(.admin, on: .node) else {
            guard let own = principal.project, principal.mayPerform(.admin, on: .project(own)),
                let project = try catalog.projects.project(own), project.name == text
            else { throw AccessError.projectAbsent(AccessText.short(text)) }
            return project
        }
        var named: [Project] = []
        var last: ProjectID?
        repeat {
            let page = try catalog.projects.list(after: last, limit: Self.page)
            named += page.filter { $0.name == text }
            last = page.count == Self.page ? page.last?.id : nil
        } while last != nil
        guard let project = named.first else { throw AccessError.projectAbsent(AccessText.short(text)) }
        guard named.count == 1 else {
            throw AccessError.projectNameAmbiguous(AccessText.short(text), count: named.count)
        }
        return project
    }

    /// Who belongs to a project, at most a thousand.
    public func members(of project: ProjectID, by principal: Principal) throws -> [ProjectMember] {
        try require(principal, on: .project(project))
        return try catalog.projects.members(of: project)
    }

    private static let page = 1000
}
