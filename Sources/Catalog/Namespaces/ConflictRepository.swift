public import Multiformats
public import TreeValues

/// The conflicts of the catalog.
///
/// Thread-safe and synchronous. A change that returned survives power loss.
public struct ConflictRepository: Sendable {
    let database: any SQLDatabase

    /// Notes conflicts. One that is known stays as it is.
    public func add(_ conflicts: [ConflictRecord]) throws {
        guard !conflicts.isEmpty else { return }
        try database.write { connection -> Void in
            for conflict in conflicts {
                try connection.execute(
                    """
                    INSERT INTO conflicts (\(ConflictRow.columns))
                    VALUES (\(SealedColumns.placeholders(ConflictRow.count)))
                    ON CONFLICT (ns, id) DO NOTHING
                    """, ConflictRow.values(conflict))
            }
            for namespace in Set(conflicts.map(\.namespace)) {
                try connection.execute(
                    """
                    DELETE FROM conflicts WHERE ns = $1 AND id NOT IN (
                        SELECT id FROM conflicts WHERE ns = $1 ORDER BY time DESC, id DESC
                        LIMIT \(ConflictRecord.maximumPerNamespace))
                    """, [.integer(namespace)])
            }
        }
    }

    /// The conflicts of a namespace, newest first; the open ones, or all. A copy is open as long as it is there
    /// by its name; after that its resolution is `ConflictRecord.gone` if nobody said another one.
    public func list(of namespace: Namespace, includingResolved: Bool = false) throws -> [ConflictRecord] {
        try database.read { connection in
            try connection.rows(
                """
                SELECT \(ConflictRow.columns), CASE WHEN \(Self.isOpen) THEN 1 ELSE 0 END FROM conflicts
                WHERE ns = $1\(includingResolved ? "" : " AND \(Self.isOpen)") ORDER BY time DESC, id DESC
                """, [.integer(namespace.number)]
            ).map { row in
                var conflict = try ConflictRow.conflict(SQLRow(Array(row.values.prefix(ConflictRow.count))))
                let isOpen = try row.integer(ConflictRow.count) != 0
                if !isOpen, conflict.resolution == nil { conflict.resolution = ConflictRecord.gone }
                return conflict
            }
        }
    }

    /// Whether a row is open, in SQL.
    private static let isOpen = """
        resolution IS NULL AND (reason NOT IN (\(copyReasons)) OR EXISTS (
            SELECT 1 FROM tree_nodes AS node
            WHERE node.ns = conflicts.ns AND node.nid = conflicts.nid AND node.deleted = 0
                AND node.name_key = conflicts.name))
        """

    private static let copyReasons = ConflictRecord.CopyReason.allCases.map { "'\($0.rawValue)'" }
        .joined(separator: ", ")

    /// How many are open.
    public func openCount(of namespace: Namespace) throws -> Int64 {
        try database.read { connection in
            try connection.firstRow(
                "SELECT count(*) FROM conflicts WHERE ns = $1 AND \(Self.isOpen)",
                [.integer(namespace.number)])?.integer(0) ?? 0
        }
    }

    /// How many are open in all namespaces that are not deleted.
    public func openCount() throws -> Int64 {
        try database.read { connection in
            try connection.firstRow(
                """
                SELECT count(*) FROM conflicts
                WHERE ns IN (SELECT number FROM namespaces WHERE deleted IS NULL) AND \(Self.isOpen)
                """)?.integer(0) ?? 0
        }
    }

    /// Notes how one was decided; the last word counts.
    ///
    /// - Returns: it, as it is then; `nil` if there is none of that id.
    public func resolve(
        _ id: NodeID, of namespace: Namespace, _ resolution: String
    ) throws -> ConflictRecord? {
        try database.write { connection in
            let found = try connection.firstRow(
                "SELECT \(ConflictRow.columns) FROM conflicts WHERE ns = $1 AND id = $2",
                [.integer(namespace.number), .blob(id.bytes)]
            ).map(ConflictRow.conflict)
            guard var conflict = found else { return nil }
            conflict.resolution = resolution
            try connection.execute(
                """
                UPDATE conflicts SET nid = $3, reason = $4, name = $5, base = $6, current_crev = $7,
                    content = $8, size = $9, device = $10, time = $11, resolution = $12, seal = $13
                WHERE ns = $1 AND id = $2
                """, ConflictRow.values(conflict))
            return conflict
        }
    }

    /// Closes changes that a device has put elsewhere meanwhile: their content is there under another name.
    ///
    /// - Returns: whether any change is open still.
    public func settle(
        _ contents: Set<CID>, of device: String, in namespace: Namespace
    ) throws -> Bool {
        let open = try list(of: namespace).filter { !$0.isCopy }
        let settled = open.filter { $0.device == device && contents.contains($0.content) }
        for conflict in settled { _ = try resolve(conflict.id, of: namespace, "both") }
        return open.count > settled.count
    }

    /// A conflict.
    public func conflict(_ id: NodeID, of namespace: Namespace) throws -> ConflictRecord? {
        try database.read { connection in
            try connection.firstRow(
                "SELECT \(ConflictRow.columns) FROM conflicts WHERE ns = $1 AND id = $2",
                [.integer(namespace.number), .blob(id.bytes)]
            ).map(ConflictRow.conflict)
        }
    }
}
