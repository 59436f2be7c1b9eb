/// A table of sealed rows, as `problems()` looks through it.
struct SealedTable: Sendable {
    let name: String
    let columns: String
    /// Reads a row, and throws if it is not as it was written.
    let check: @Sendable (SQLRow) throws(CatalogError) -> Void

    /// Every table whose rows are sealed.
    static let all: [SealedTable] = [
        SealedTable("pins", PinRow.columns) { row throws(CatalogError) in _ = try PinRow.pin(row) },
        SealedTable("settings", "key, value, seal") { row throws(CatalogError) in
            _ = try SettingRepository.checked(row)
        },
        SealedTable("projects", ProjectRow.columns) { row throws(CatalogError) in
            _ = try ProjectRow.project(row)
        },
        SealedTable("project_members", ProjectRow.memberColumns) { row throws(CatalogError) in
            _ = try ProjectRow.member(row)
        },
        SealedTable("users", UserRow.columns) { row throws(CatalogError) in _ = try UserRow.user(row) },
        SealedTable("grants", GrantRow.columns) { row throws(CatalogError) in _ = try GrantRow.grant(row) },
        SealedTable("grant_usage", UsageTable.columns) { row throws(CatalogError) in
            _ = try UsageTable.usage(row)
        },
        SealedTable("signed_url_usage", UsageTable.urlColumns) { row throws(CatalogError) in
            _ = try UsageTable.urlRow(row)
        },
        SealedTable("sessions", SessionRow.columns) { row throws(CatalogError) in
            _ = try SessionRow.session(row)
        },
        SealedTable("audit", AuditRow.columns) { row throws(CatalogError) in _ = try AuditRow.entry(row) },
        SealedTable("namespaces", NamespaceRow.columns) { row throws(CatalogError) in
            _ = try NamespaceRow.namespace(row)
        },
        SealedTable("tree_nodes", TreeNodeRow.columns) { row throws(CatalogError) in
            _ = try TreeNodeRow.node(row)
        },
        SealedTable("tree_journal", JournalRow.columns) { row throws(CatalogError) in
            _ = try JournalRow.entry(row)
        },
        SealedTable("tree_snapshots", SnapshotRow.columns) { row throws(CatalogError) in
            _ = try SnapshotRow.snapshot(row)
        },
        SealedTable("tree_directories", SnapshotRow.directoryColumns) { row throws(CatalogError) in
            _ = try SnapshotRow.directory(row)
        },
        SealedTable("devices", DeviceRow.columns) { row throws(CatalogError) in
            _ = try DeviceRow.device(row)
        },
        SealedTable("device_acks", DeviceRow.ackColumns) { row throws(CatalogError) in
            _ = try DeviceRow.ack(row)
        },
        SealedTable("leases", LeaseRow.columns) { row throws(CatalogError) in
            _ = try LeaseRow.lease(row)
        },
        SealedTable("conflicts", ConflictRow.columns) { row throws(CatalogError) in
            _ = try ConflictRow.conflict(row)
        },
        SealedTable("tree_history", HistoryRow.markColumns) { row throws(CatalogError) in
            _ = try HistoryRow.mark(row)
        },
        SealedTable("tree_kept", HistoryRow.keptColumns) { row throws(CatalogError) in
            _ = try HistoryRow.kept(row)
        },
        SealedTable("links", LinkRow.columns) { row throws(CatalogError) in _ = try LinkRow.link(row) },
        SealedTable("namespace_members", NamespaceMemberRow.columns) { row throws(CatalogError) in
            _ = try NamespaceMemberRow.member(row)
        },
        SealedTable("name_follows", NameFollowRow.columns) { row throws(CatalogError) in
            _ = try NameFollowRow.follow(row)
        },
        SealedTable("jobs", JobRow.columns) { row throws(CatalogError) in _ = try JobRow.job(row) },
    ]

    private init(
        _ name: String, _ columns: String, check: @escaping @Sendable (SQLRow) throws(CatalogError) -> Void
    ) {
        self.name = name
        self.columns = columns
        self.check = check
    }

    /// What is wrong with its rows, in the order of the first column.
    func problems(_ connection: any SQLConnection) throws -> [CatalogProblem] {
        var problems: [CatalogProblem] = []
        try connection.query("SELECT \(columns) FROM \(name) ORDER BY 1", []) { row in
            do throws(CatalogError) { try check(row) } catch { problems.append(.row(error)) }
        }
        return problems
    }
}
