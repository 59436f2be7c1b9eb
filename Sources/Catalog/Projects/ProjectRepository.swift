/// The projects of the catalog, and who belongs to them.
///
/// Thread-safe and synchronous. A change that returned survives power loss.
public struct ProjectRepository: Sendable {
    let database: any SQLDatabase
    let ids: RecordIDGenerator<Project>
    let now: @Sendable () -> Int64

    /// Makes the project that every node has from the beginning, unless it is there.
    public func ensureDefault() throws {
        guard try project(.default) == nil else { return }
        try insert(Project(id: .default, name: "default", created: now()), ignoringKnown: true)
    }

    /// Adds a project with an id of its own. Names need not be unique: ids are.
    public func add(name: String) throws -> Project {
        let time = now()
        // Lower case, as in the id of the first project.
        let id = ProjectID(rawValue: ids.next(now: time).text.lowercased())
        let project = Project(id: id, name: name, created: time)
        try insert(project, ignoringKnown: false)
        return project
    }

    /// The project of that id, if there is one.
    public func project(_ id: ProjectID) throws -> Project? {
        try database.read { try ProjectRow.find(id, $0) }
    }

    /// The number by which the block index marks what a project holds; allotted at the first call, never
    /// changed.
    ///
    /// - Returns: 1 and up. The default project has none: see `ScopeMarks.defaultProject`.
    public func scope(of id: ProjectID) throws -> UInt32 {
        let known = { (connection: any SQLConnection) throws -> UInt32? in
            try connection.firstRow(
                "SELECT scope FROM project_scopes WHERE project = $1", [.text(id.rawValue)]
            ).map { UInt32(clamping: try $0.integer(0)) }
        }
        if let scope = try database.read(known) { return scope }
        return try database.write { connection in
            if let scope = try known(connection) { return scope }
            let last = try connection.firstRow("SELECT MAX(scope) FROM project_scopes")?.optionalInteger(0)
            let scope = (last ?? 0) + 1
            try connection.execute(
                "INSERT INTO project_scopes (project, scope) VALUES ($1, $2)",
                [.text(id.rawValue), .integer(scope)])
            return UInt32(clamping: scope)
        }
    }

    /// A page of all projects, by id.
    ///
    /// - Parameter after: the id of the last project of the page before.
    public func list(after: ProjectID? = nil, limit: Int = 100) throws -> [Project] {
        var condition = SQLCondition()
        if let after { condition.require("id > ?", .text(after.rawValue)) }
        return try database.read { connection in
            try connection.rows(
                """
                SELECT \(ProjectRow.columns) FROM projects\(condition.clause) ORDER BY id \
                LIMIT \(min(max(limit, 1), PinRepository.maximumPage))
                """, condition.values
            ).map(ProjectRow.project)
        }
    }

    /// Makes a user a member, or changes the role.
    public func setRole(_ role: ProjectRole, of user: UserID, in project: ProjectID) throws {
        let fields: [SQLValue] = [
            .text(project.rawValue), .text(user.text), .text(role.rawValue), .integer(now()),
        ]
        try database.write { connection -> Void in
            try connection.execute(
                """
                INSERT INTO project_members (\(ProjectRow.memberColumns)) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (project, user_id) DO UPDATE SET
                    role = excluded.role, since = excluded.since, seal = excluded.seal
                """, SealedColumns.values(fields))
        }
    }

    /// Ends a membership.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    public func removeMember(_ user: UserID, from project: ProjectID) throws -> Bool {
        try database.write { connection in
            try connection.execute(
                "DELETE FROM project_members WHERE project = $1 AND user_id = $2",
                [.text(project.rawValue), .text(user.text)]) > 0
        }
    }

    /// The role of a user in a project, if there is one.
    public func role(of user: UserID, in project: ProjectID) throws -> ProjectRole? {
        try database.read { connection in
            try connection.firstRow(
                "SELECT \(ProjectRow.memberColumns) FROM project_members WHERE project = $1 AND user_id = $2",
                [.text(project.rawValue), .text(user.text)]
            ).map { try ProjectRow.member($0).role }
        }
    }

    /// Who belongs to a project, at most a thousand.
    public func members(of project: ProjectID) throws -> [ProjectMember] {
        try memberships("project", .text(project.rawValue))
    }

    /// The projects that a user belongs to, at most a thousand.
    public func memberships(of user: UserID) throws -> [ProjectMember] {
        try memberships("user_id", .text(user.text))
    }

    private func memberships(_ column: String, _ value: SQLValue) throws -> [ProjectMember] {
        try database.read { connection in
            try connection.rows(
                """
                SELECT \(ProjectRow.memberColumns) FROM project_members WHERE \(column) = $1
                ORDER BY project, user_id LIMIT \(PinRepository.maximumPage)
                """, [value]
            ).map(ProjectRow.member)
        }
    }

    private func insert(_ project: Project, ignoringKnown: Bool) throws {
        try NameColumn.check(project.name, maximumBytes: Project.maximumNameBytes)
        try database.write { connection -> Void in
            try connection.execute(
                "INSERT INTO projects (\(ProjectRow.columns)) VALUES ($1, $2, $3, $4)"
                    + (ignoringKnown ? " ON CONFLICT (id) DO NOTHING" : ""), ProjectRow.values(project))
        }
    }
}

/// Projects and members as rows, and back.
enum ProjectRow {
    static let columns = "id, name, created, seal"
    static let memberColumns = "project, user_id, role, since, seal"

    static func find(_ id: ProjectID, _ connection: any SQLConnection) throws -> Project? {
        try connection.firstRow("SELECT \(columns) FROM projects WHERE id = $1", [.text(id.rawValue)])
            .map(project)
    }

    static func values(_ project: Project) -> [SQLValue] {
        SealedColumns.values([
            .text(project.id.rawValue), .text(project.name), .integer(project.created),
        ])
    }

    static func project(_ row: SQLRow) throws(CatalogError) -> Project {
        try SealedColumns.read(row, table: "projects") { row in
            Project(
                id: ProjectID(rawValue: try row.text(0)), name: try row.text(1), created: try row.integer(2))
        }
    }

    static func member(_ row: SQLRow) throws(CatalogError) -> ProjectMember {
        try SealedColumns.read(row, table: "project_members", keyColumns: 2) { row in
            guard let role = ProjectRole(rawValue: try row.text(2)) else { return nil }
            return ProjectMember(
                project: ProjectID(rawValue: try row.text(0)), user: try UserID(text: row.text(1)),
                role: role, since: try row.integer(3))
        }
    }
}
