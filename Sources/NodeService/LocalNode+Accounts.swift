import Access
import Catalog
import NodeCore
public import NodeMessages

extension LocalNode {
    private func accounts() throws -> Accounts {
        guard let authority else {
            throw NodeFailure(
                .unsupported, code: "no-authority", detail: "users and projects cannot be looked at here")
        }
        return authority.accounts
    }

    // MARK: Users

    public func addUser(_ request: UserRequest) throws -> UserMessage {
        UserMessage(
            try accounts().add(
                name: request.name, password: request.password,
                isAdministrator: request.administrator == true, by: principal))
    }

    public func forEachUser(_ body: (UserMessage) throws -> Void) throws {
        var next: String?
        repeat {
            let page = try users(cursor: next, limit: 1000)
            for user in page.items { try body(user) }
            next = page.next
        } while next != nil
    }

    /// A page of users, oldest first.
    public func users(cursor: String?, limit: Int) throws -> PageMessage<UserMessage> {
        let users = try accounts().users(
            after: try cursor.map { try UserID(text: $0) }, limit: limit, by: principal)
        return PageMessage(
            items: users.map { UserMessage($0) }, next: users.count < limit ? nil : users.last?.id.text)
    }

    public func user(matching text: String) throws -> UserMessage {
        let accounts = try accounts()
        let user = try accounts.user(matching: text, by: principal)
        var message = UserMessage(user)
        message.projects = try accounts.memberships(of: user.id, by: principal).map {
            MemberMessage($0, name: nil)
        }
        return message
    }

    public func setPassword(_ password: String, ofUser text: String) throws -> UserMessage {
        let accounts = try accounts()
        let user = try accounts.user(matching: text, by: principal)
        try accounts.setPassword(password, of: user.id, by: principal)
        return UserMessage(user)
    }

    public func setUser(_ text: String, isEnabled: Bool) throws -> UserMessage {
        let accounts = try accounts()
        let user = try accounts.user(matching: text, by: principal)
        if isEnabled {
            try accounts.enable(user.id, by: principal)
        } else {
            try accounts.disable(user.id, by: principal)
        }
        return UserMessage(try accounts.user(matching: user.id.text, by: principal))
    }

    // MARK: Projects

    public func addProject(_ request: ProjectRequest) throws -> ProjectMessage {
        let accounts = try accounts()
        try Self.checkProjectName(request.name)
        // Before the project is made: a mistyped name makes none.
        let owner = try request.owner.map { try accounts.user(matching: $0, by: principal) }
        let project = try accounts.addProject(name: request.name, by: principal)
        if let owner { try accounts.setRole(.owner, of: owner.id, in: project.id, by: principal) }
        return ProjectMessage(project)
    }

    private static func checkProjectName(_ name: String) throws {
        guard (1...Project.maximumNameBytes).contains(name.utf8.count) else {
            throw NodeFailure(
                .invalid, code: "invalid-value",
                detail: "the name of a project has 1 to \(Project.maximumNameBytes) bytes")
        }
    }

    public func renameProject(_ text: String, to name: String) throws -> ProjectMessage {
        let accounts = try accounts()
        try Self.checkProjectName(name)
        let project = try accounts.project(matching: text, by: principal)
        return ProjectMessage(try accounts.renameProject(project.id, to: name, by: principal))
    }

    public func removeProject(_ text: String) throws -> ProjectMessage {
        let accounts = try accounts()
        let project = try accounts.project(matching: text, by: principal)
        return ProjectMessage(try accounts.removeProject(project.id, by: principal))
    }

    public func forEachProject(_ body: (ProjectMessage) throws -> Void) throws {
        var next: String?
        repeat {
            let page = try projects(cursor: next, limit: 1000)
            for project in page.items { try body(project) }
            next = page.next
        } while next != nil
    }

    /// A page of the projects that are to be seen, by id: all for an administrator of the node, else one's
    /// own.
    public func projects(cursor: String?, limit: Int) throws -> PageMessage<ProjectMessage> {
        let accounts = try accounts()
        guard seesAll else {
            let own = try accounts.project(matching: project.rawValue, by: principal)
            return PageMessage(items: [ProjectMessage(own)], next: nil)
        }
        let projects = try accounts.projects(
            after: cursor.map { ProjectID(rawValue: $0) }, limit: limit, by: principal)
        return PageMessage(
            items: projects.map { ProjectMessage($0) },
            next: projects.count < limit ? nil : projects.last?.id.rawValue)
    }

    public func project(matching text: String) throws -> ProjectMessage {
        let accounts = try accounts()
        let project = try accounts.project(matching: text, by: principal)
        var message = ProjectMessage(project)
        message.members = try accounts.members(of: project.id, by: principal).map { member in
            // A user who is gone from the catalog is shown by the id alone.
            MemberMessage(member, name: try accounts.name(of: member, by: principal))
        }
        return message
    }

    public func setRole(
        _ role: String, ofUser user: String, inProject project: String
    ) throws -> MemberMessage {
        guard let role = ProjectRole(rawValue: role) else {
            throw NodeFailure(
                .invalid, code: "invalid-value", detail: "a role is owner, editor or reader")
        }
        let accounts = try accounts()
        let (project, user) = try find(user, project)
        try accounts.setRole(role, of: user.id, in: project.id, by: principal)
        return try member(user, project)
            ?? MemberMessage(
                project: project.id.rawValue, user: user.id.text, name: user.name, role: role.rawValue,
                since: TimeText.utc(milliseconds: TimeText.now()))
    }

    public func removeMember(_ user: String, fromProject project: String) throws -> MemberMessage {
        let (project, user) = try find(user, project)
        guard let member = try member(user, project) else {
            throw NodeFailure(
                .notFound, code: "member-not-found",
                detail: "\(user.name) is no member of \(project.id.rawValue)")
        }
        try accounts().removeMember(user.id, from: project.id, by: principal)
        return member
    }

    private func find(_ user: String, _ project: String) throws -> (Project, User) {
        let project = try accounts().project(matching: project, by: principal)
        return (project, try accounts().user(matching: user, for: project.id, by: principal))
    }

    private func member(_ user: User, _ project: Project) throws -> MemberMessage? {
        try accounts().members(of: project.id, by: principal).first { $0.user == user.id }.map {
            MemberMessage($0, name: user.name)
        }
    }

    public func confirmMasterKey() throws {
        guard let authority else {
            throw NodeFailure(
                .unsupported, code: "no-authority", detail: "the master key cannot be looked at here")
        }
        try authority.confirmMasterKey(by: principal)
    }
}

extension UserMessage {
    init(_ user: User) {
        self.init(
            id: user.id.text, name: user.name, status: user.disabled == nil ? "active" : "disabled",
            administrator: user.isAdministrator, created: TimeText.utc(milliseconds: user.created),
            disabled: user.disabled.map { TimeText.utc(milliseconds: $0) })
    }
}

extension MemberMessage {
    init(_ member: ProjectMember, name: String?) {
        self.init(
            project: member.project.rawValue, user: member.user.text, name: name,
            role: member.role.rawValue, since: TimeText.utc(milliseconds: member.since))
    }
}

extension ProjectMessage {
    init(_ project: Project) {
        self.init(
            id: project.id.rawValue, name: project.name,
            created: TimeText.utc(milliseconds: project.created))
    }
}
