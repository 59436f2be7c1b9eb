import TreeValues

/// Namespaces as rows, and back.
enum NamespaceRow {
    static let columns = """
        id, number, project, name, visibility, policy, root, epoch, head, nodes, bytes, created, updated, \
        deleted, seal
        """

    static let count = 15

    static func values(_ namespace: Namespace) -> [SQLValue] {
        SealedColumns.values([
            .text(namespace.id.text), .integer(namespace.number), .text(namespace.project.rawValue),
            .text(namespace.name), .text(namespace.visibility.rawValue), .text(namespace.policy),
            .blob(namespace.root.bytes), .integer(namespace.epoch), .integer(namespace.head),
            .integer(namespace.nodes), .integer(namespace.bytes), .integer(namespace.created),
            .integer(namespace.updated), .optional(namespace.deleted),
        ])
    }

    static func namespace(_ row: SQLRow) throws(CatalogError) -> Namespace {
        try SealedColumns.read(row, table: "namespaces") { row in
            guard let visibility = NamespaceVisibility(rawValue: try row.text(4)),
                let root = NodeID(bytes: try row.blob(6))
            else { return nil }
            return Namespace(
                id: try NamespaceID(text: row.text(0)), number: try row.integer(1),
                project: ProjectID(rawValue: try row.text(2)), name: try row.text(3), visibility: visibility,
                policy: try row.text(5), root: root, epoch: try row.integer(7), head: try row.integer(8),
                nodes: try row.integer(9), bytes: try row.integer(10), created: try row.integer(11),
                updated: try row.integer(12), deleted: try row.optionalInteger(13))
        }
    }

    static func create(_ connection: any SQLConnection) throws {
        let (text, bytes) = (connection.dialect.textType, connection.dialect.bytesType)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS namespaces (
                id \(text) NOT NULL PRIMARY KEY,
                number BIGINT NOT NULL UNIQUE,
                project \(text) NOT NULL,
                name \(text) NOT NULL,
                visibility \(text) NOT NULL CHECK (visibility IN ('private', 'public')),
                policy \(text) NOT NULL,
                root \(bytes) NOT NULL,
                epoch BIGINT NOT NULL,
                head BIGINT NOT NULL,
                nodes BIGINT NOT NULL,
                bytes BIGINT NOT NULL,
                created BIGINT NOT NULL,
                updated BIGINT NOT NULL,
                deleted BIGINT,
                seal BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute(
            "CREATE UNIQUE INDEX IF NOT EXISTS namespaces_by_name ON namespaces (name) WHERE deleted IS NULL")
        try connection.execute(
            "CREATE INDEX IF NOT EXISTS namespaces_by_project ON namespaces (project, name)")
    }

    /// Names without case, as hosts have them. `lower` knows the letters A to Z alone: in SQLite always, in
    /// PostgreSQL by the collation of the column.
    static func indexCaselessNames(_ connection: any SQLConnection) throws {
        try connection.execute(
            """
            CREATE INDEX IF NOT EXISTS namespaces_by_caseless_name ON namespaces (lower(name))
            WHERE deleted IS NULL
            """)
        try connection.execute(
            "CREATE INDEX IF NOT EXISTS names_by_caseless_label ON names (owner, lower(label))")
    }
}
