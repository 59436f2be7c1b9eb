/// The grants of the catalog.
///
/// Thread-safe and synchronous. A change that returned survives power loss. What a grant allows never
/// changes: it is made, used up, and revoked.
public struct GrantRepository: Sendable {
    let database: any SQLDatabase
    let ids: RecordIDGenerator<GrantRecord>
    let now: @Sendable () -> Int64

    /// An id for a new grant, which its token contains.
    public func newID() -> GrantID { ids.next(now: now()) }

    /// Whether other nodes may change the catalog at the same time, so that nothing read from it may be
    /// kept.
    public func isShared() throws -> Bool { try database.read { $0.dialect.isShared } }

    /// Adds a grant.
    ///
    /// - Returns: whether it is new; one with the same id is left as it is.
    @discardableResult
    public func add(_ grant: GrantRecord) throws -> Bool {
        let values = try GrantRow.values(grant)
        return try database.write { connection in
            try connection.execute(
                """
                INSERT INTO grants (\(GrantRow.columns)) VALUES \
                (\(SealedColumns.placeholders(GrantRow.columnCount))) ON CONFLICT (id) DO NOTHING
                """, values) > 0
        }
    }

    /// The grant of that id, if there is one; whether it still counts is not asked.
    public func grant(_ id: GrantID) throws -> GrantRecord? {
        try database.read { try Self.find(id, $0) }
    }

    /// A grant and those that it was narrowed from, all of one moment.
    ///
    /// - Returns: the grant first, then its ancestors with the parent first; fewer if some are gone.
    public func chain(_ id: GrantID) throws -> [GrantRecord] {
        try database.read { connection in
            guard let grant = try Self.find(id, connection) else { return [] }
            return [grant] + (try grant.ancestors.reversed().compactMap { try Self.find($0, connection) })
        }
    }

    /// A page of the grants that the filter lets through, oldest first.
    ///
    /// - Parameter after: the id of the last grant of the page before.
    public func list(_ filter: GrantFilter = GrantFilter(), after: GrantID? = nil, limit: Int = 100) throws
        -> [GrantRecord]
    {
        var condition = SQLCondition()
        if let project = filter.project { condition.require("project = ?", .text(project.rawValue)) }
        if let user = filter.user { condition.require("user_id = ?", .text(user.text)) }
        if let parent = filter.parent { condition.require("parent = ?", .text(parent.text)) }
        if let name = filter.name { condition.require("name = ?", .text(name)) }
        if let after { condition.require("id > ?", .text(after.text)) }
        return try database.read { connection in
            try connection.rows(
                """
                SELECT \(GrantRow.columns) FROM grants\(condition.clause) ORDER BY id \
                LIMIT \(min(max(limit, 1), PinRepository.maximumPage))
                """, condition.values
            ).map(GrantRow.grant)
        }
    }

    /// Ends a grant, and with it every grant that was narrowed from it.
    ///
    /// - Returns: the grant as it is then, or `nil` if there is none. One that was revoked before keeps its
    ///   time.
    @discardableResult
    public func revoke(_ id: GrantID) throws -> GrantRecord? {
        try database.write { connection in
            guard var grant = try Self.find(id, connection) else { return nil }
            guard grant.revoked == nil else { return grant }
            grant.revoked = now()
            let values = try GrantRow.values(grant)
            try connection.execute(
                "UPDATE grants SET revoked = $2, seal = $3 WHERE id = $1",
                [values[0], values[GrantRow.columnCount - 2], values[GrantRow.columnCount - 1]])
            return grant
        }
    }

    /// Removes a grant with its counters. Those narrowed from it end with it, since their parent is gone.
    ///
    /// - Returns: whether there was such a row, readable or not.
    @discardableResult
    public func remove(_ id: GrantID) throws -> Bool {
        try database.write { connection in
            for table in ["grant_usage", "grant_activity", "signed_url_usage", "links"] {
                try connection.execute("DELETE FROM \(table) WHERE grant_id = $1", [.text(id.text)])
            }
            return try connection.execute("DELETE FROM grants WHERE id = $1", [.text(id.text)]) > 0
        }
    }

    /// Adds to the activity of many grants at once.
    public func note(_ activity: [GrantID: GrantActivity]) throws {
        guard !activity.isEmpty else { return }
        try database.write { connection in
            for (id, activity) in activity {
                try connection.execute(
                    """
                    INSERT INTO grant_activity (grant_id, last_used, requests) VALUES ($1, $2, $3)
                    ON CONFLICT (grant_id) DO UPDATE SET
                        last_used = excluded.last_used, requests = grant_activity.requests + excluded.requests
                    """, [.text(id.text), .integer(activity.lastUsed), .integer(activity.requests)])
            }
        }
    }

    /// When a grant was last used, as far as it was noted.
    public func activity(of id: GrantID) throws -> GrantActivity? {
        try database.read { connection in
            try connection.firstRow(
                "SELECT last_used, requests FROM grant_activity WHERE grant_id = $1", [.text(id.text)]
            ).map { GrantActivity(lastUsed: try $0.integer(0), requests: try $0.integer(1)) }
        }
    }

    static func find(_ id: GrantID, _ connection: any SQLConnection) throws
        -> GrantRecord?
    {
        try connection.firstRow(
            "SELECT \(GrantRow.columns) FROM grants WHERE id = $1", [.text(id.text)]
        ).map(GrantRow.grant)
    }
}
