import TreeValues

/// The namespaces of the catalog: what they are called and whose they are. Their trees are in `Namespaces`.
///
/// Thread-safe and synchronous. A change that returned survives power loss.
public struct NamespaceRepository: Sendable {
    package let database: any SQLDatabase
    let ids: RecordIDGenerator<Namespace>
    package let now: @Sendable () -> Int64

    /// Unix milliseconds.
    public var currentTime: Int64 { now() }

    /// The most namespaces of one page.
    public static let maximumPage = 1000

    /// Makes an empty namespace.
    ///
    /// - Throws: `duplicateNamespace`, `nameTooLong`, `nameContainsNUL`, `metaTooLarge`.
    public func add(
        name: String, project: ProjectID, visibility: NamespaceVisibility, policy: String
    ) throws -> Namespace {
        try NameColumn.check(name, maximumBytes: Namespace.maximumNameBytes)
        guard policy.utf8.count <= Namespace.maximumPolicyBytes else {
            throw CatalogError.metaTooLarge(
                bytes: policy.utf8.count, maximum: Namespace.maximumPolicyBytes)
        }
        let time = now()
        let id = ids.next(now: time)
        let root = NodeID(bits: UInt128.random(in: 1 ... .max >> 2))
        let epoch = Int64.random(in: 1 ... .max)
        return try database.write { connection in
            try checkFree(name, for: project, besides: nil, connection)
            let last = try connection.firstRow("SELECT MAX(number) FROM namespaces")?.optionalInteger(0)
            let namespace = Namespace(
                id: id, number: (last ?? 0) + 1, project: project, name: name, visibility: visibility,
                policy: policy, root: root, epoch: epoch, head: 0, nodes: 0, bytes: 0, created: time,
                updated: time)
            try connection.execute(
                """
                INSERT INTO namespaces (\(NamespaceRow.columns))
                VALUES (\(SealedColumns.placeholders(NamespaceRow.count)))
                """, NamespaceRow.values(namespace))
            return namespace
        }
    }

    /// The namespace of that id, also a deleted one.
    public func namespace(_ id: NamespaceID) throws -> Namespace? {
        try database.read { try Self.find(id, $0) }
    }

    /// The namespace of that name that is not deleted.
    public func namespace(named name: String) throws -> Namespace? {
        try database.read { try named(name, $0) }
    }

    /// The namespaces, of those that are not deleted, whose name is that but for the case of the letters A to Z;
    /// in the order of their names, at most ``maximumPage``.
    public func namespaces(namedLike name: String) throws -> [Namespace] {
        try database.read { try namedLike(name, $0) }
    }

    /// A page of namespaces, by id; those of one project, or all.
    ///
    /// - Parameters:
    ///   - shared: further ones besides those of the project, at most a thousand.
    ///   - after: the id of the last namespace of the page before.
    public func list(
        project: ProjectID? = nil, shared: [NamespaceID] = [], includingDeleted: Bool = false,
        after: NamespaceID? = nil, limit: Int = 100
    ) throws -> [Namespace] {
        var condition = SQLCondition()
        if let project {
            if shared.isEmpty {
                condition.require("project = ?", .text(project.rawValue))
            } else {
                let ids = shared.prefix(Self.maximumPage).map { condition.bind(.text($0.text)) }
                condition.require(
                    "(project = ? OR id IN (\(ids.joined(separator: ", "))))", .text(project.rawValue))
            }
        }
        if let after { condition.require("id > ?", .text(after.text)) }
        let clause =
            includingDeleted
            ? condition.clause
            : condition.clause + (condition.clause.isEmpty ? " WHERE " : " AND ") + "deleted IS NULL"
        return try database.read { connection in
            try connection.rows(
                """
                SELECT \(NamespaceRow.columns) FROM namespaces\(clause) ORDER BY id \
                LIMIT \(min(max(limit, 1), Self.maximumPage))
                """, condition.values
            ).map(NamespaceRow.namespace)
        }
    }

    /// Deleted namespaces, the one deleted last first; those of one project, or all.
    public func deleted(project: ProjectID? = nil) throws -> [Namespace] {
        var condition = SQLCondition()
        if let project { condition.require("project = ?", .text(project.rawValue)) }
        let clause =
            condition.clause + (condition.clause.isEmpty ? " WHERE " : " AND ") + "deleted IS NOT NULL"
        return try database.read { connection in
            try connection.rows(
                """
                SELECT \(NamespaceRow.columns) FROM namespaces\(clause) ORDER BY deleted DESC, id DESC \
                LIMIT \(Self.maximumPage)
                """, condition.values
            ).map(NamespaceRow.namespace)
        }
    }

    /// Changes name, visibility, policy, epoch, or whether it is deleted.
    ///
    /// - Returns: the namespace after the change; `nil` if there is none of that id.
    /// - Throws: `duplicateNamespace`, `nameTooLong`, `nameContainsNUL`, and what `body` throws.
    public func change(_ id: NamespaceID, _ body: (inout Namespace) throws -> Void) throws -> Namespace? {
        try change(id) { namespace, _ in try body(&namespace) }
    }

    /// Like ``change(_:_:)``; the body may change rows of the namespace as well.
    package func change(
        _ id: NamespaceID, _ body: (inout Namespace, any SQLConnection) throws -> Void
    ) throws -> Namespace? {
        try database.write { connection in
            guard var namespace = try Self.find(id, connection) else { return nil }
            let (name, wasDeleted) = (namespace.name, namespace.deleted != nil)
            try body(&namespace, connection)
            try NameColumn.check(namespace.name, maximumBytes: Namespace.maximumNameBytes)
            if namespace.deleted == nil, wasDeleted || namespace.name != name {
                try checkFree(namespace.name, for: namespace.project, besides: id, connection)
            }
            namespace.updated = now()
            try Self.update(namespace, connection)
            return namespace
        }
    }

    /// Removes a namespace that is deleted already, for good: its rows in several transactions, then itself,
    /// so that it is found again after a cut.
    ///
    /// - Returns: whether there was such a one.
    public func removeDeleted(_ id: NamespaceID) throws -> Bool {
        guard let namespace = try namespace(id), namespace.deleted != nil else { return false }
        try removeRows(of: namespace.number)
        return try database.write { connection in
            try Self.removeAttachments(of: id, connection)
            return try connection.execute("DELETE FROM namespaces WHERE id = $1", [.text(id.text)])
        } > 0
    }

    /// Links, whose grants lead nowhere then, members, and what names follow.
    private static func removeAttachments(of id: NamespaceID, _ connection: any SQLConnection) throws {
        for table in ["links", "namespace_members", "name_follows"] {
            try connection.execute("DELETE FROM \(table) WHERE ns = $1", [.text(id.text)])
        }
    }

    /// The tables of trees, and what names a row within a namespace.
    private static let treeTables: [(table: String, key: String)] = [
        ("tree_directories", "nid"), ("tree_snapshots", "jid"), ("tree_nodes", "nid"),
        ("tree_journal", "jid"), ("tree_history", "horizon"), ("tree_kept", "jid"), ("tree_emptied", "jid"),
    ]

    private func removeRows(of number: Int64) throws {
        for (table, key) in Self.treeTables {
            // In slices: nobody waits long for the catalog meanwhile.
            while try database.write({ connection in
                try connection.execute(
                    """
                    DELETE FROM \(table) WHERE ns = $1 AND \(key) IN
                        (SELECT \(key) FROM \(table) WHERE ns = $1 ORDER BY \(key) LIMIT 5000)
                    """, [.integer(number)])
            }) > 0 {}
        }
        try database.write { connection -> Void in
            for table in ["device_acks", "leases", "conflicts"] {
                try connection.execute("DELETE FROM \(table) WHERE ns = $1", [.integer(number)])
            }
        }
    }

    /// The namespace of that id, within a transaction.
    package static func find(_ id: NamespaceID, _ connection: any SQLConnection) throws -> Namespace? {
        try connection.firstRow(
            "SELECT \(NamespaceRow.columns) FROM namespaces WHERE id = $1", [.text(id.text)]
        ).map(NamespaceRow.namespace)
    }

    /// Writes a namespace in the place of its earlier state, within a transaction.
    package static func update(_ namespace: Namespace, _ connection: any SQLConnection) throws {
        try connection.execute(
            """
            UPDATE namespaces SET number = $2, project = $3, name = $4, visibility = $5, policy = $6,
                root = $7, epoch = $8, head = $9, nodes = $10, bytes = $11, created = $12, updated = $13,
                deleted = $14, seal = $15
            WHERE id = $1
            """, NamespaceRow.values(namespace))
    }

    /// A name is taken by a namespace of that name, and by one of another project whose name is that but for
    /// case: hosts have no case, and nobody comes to another's site by a name of their own.
    ///
    /// - Throws: `duplicateNamespace`.
    private func checkFree(
        _ name: String, for project: ProjectID, besides id: NamespaceID?, _ connection: any SQLConnection
    ) throws {
        let others = try namedLike(name, connection).filter { $0.id != id }
        guard !others.contains(where: { $0.name == name || $0.project != project }) else {
            throw CatalogError.duplicateNamespace(name)
        }
    }

    private func namedLike(_ name: String, _ connection: any SQLConnection) throws -> [Namespace] {
        try connection.rows(
            """
            SELECT \(NamespaceRow.columns) FROM namespaces WHERE lower(name) = $1 AND deleted IS NULL
            ORDER BY name LIMIT \(Self.maximumPage)
            """, [.text(NameColumn.caseless(name))]
        ).map(NamespaceRow.namespace)
    }

    private func named(_ name: String, _ connection: any SQLConnection) throws -> Namespace? {
        try connection.firstRow(
            "SELECT \(NamespaceRow.columns) FROM namespaces WHERE name = $1 AND deleted IS NULL",
            [.text(name)]
        ).map(NamespaceRow.namespace)
    }
}
