/// What belongs to a project, and would belong to nobody without it.
public struct ProjectHoldings: Hashable, Sendable {
    public var pins: Int64 = 0
    public var names: Int64 = 0
    /// Grants that were neither revoked nor have ended.
    public var grants: Int64 = 0
    /// Namespaces that are not deleted.
    public var namespaces: Int64 = 0
    /// Jobs that wait or run.
    public var jobs: Int64 = 0

    /// Nothing.
    public init() {}

    public var isEmpty: Bool { self == ProjectHoldings() }
}

/// What came of the wish to remove a project.
public enum ProjectRemoval: Hashable, Sendable {
    case removed(Project)
    /// It holds something still: nothing was changed.
    case held(ProjectHoldings)
    case absent
}

extension ProjectRepository {
    /// Gives a project another name.
    ///
    /// - Returns: the project after the change; `nil` if there is none of that id.
    /// - Throws: `nameTooLong`, `nameContainsNUL`.
    public func rename(_ id: ProjectID, to name: String) throws -> Project? {
        try NameColumn.check(name, maximumBytes: Project.maximumNameBytes)
        return try database.write { connection in
            guard let project = try ProjectRow.find(id, connection) else { return nil }
            let renamed = Project(id: id, name: name, created: project.created)
            try connection.execute(
                "UPDATE projects SET name = $2, created = $3, seal = $4 WHERE id = $1",
                ProjectRow.values(renamed))
            return renamed
        }
    }

    /// Removes a project that holds nothing, with its memberships, in one transaction.
    ///
    /// The number by which the block index knows it stays taken: blocks keep its mark until they are
    /// collected, and no other project may get them by it.
    public func remove(_ id: ProjectID) throws -> ProjectRemoval {
        let time = now()
        return try database.write { connection in
            guard let project = try ProjectRow.find(id, connection) else { return .absent }
            let holdings = try Self.holdings(of: id, at: time, connection)
            guard holdings.isEmpty else { return .held(holdings) }
            try connection.execute("DELETE FROM project_members WHERE project = $1", [.text(id.rawValue)])
            for table in ["devices", "device_acks", "leases"] {
                try connection.execute("DELETE FROM \(table) WHERE project = $1", [.text(id.rawValue)])
            }
            try connection.execute("DELETE FROM projects WHERE id = $1", [.text(id.rawValue)])
            return .removed(project)
        }
    }

    private static func holdings(
        of id: ProjectID, at time: Int64, _ connection: any SQLConnection
    ) throws -> ProjectHoldings {
        func count(_ table: String, _ condition: String, _ more: SQLValue...) throws -> Int64 {
            try connection.firstRow(
                "SELECT COUNT(*) FROM \(table) WHERE \(condition)", [.text(id.rawValue)] + more
            )?.integer(0) ?? 0
        }
        var holdings = ProjectHoldings()
        holdings.pins = try count("pins", "owner = $1")
        holdings.names = try count("names", "owner = $1")
        holdings.grants = try count(
            "grants", "project = $1 AND revoked IS NULL AND (expires IS NULL OR expires > $2)",
            .integer(time))
        holdings.namespaces = try count("namespaces", "project = $1 AND deleted IS NULL")
        holdings.jobs = try count("jobs", "project = $1 AND state IN ('queued', 'running')")
        return holdings
    }
}
