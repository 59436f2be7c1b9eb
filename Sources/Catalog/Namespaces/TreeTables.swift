package import TreeValues

/// The rows of one namespace's tree, within a transaction.
///
/// Only `Namespaces` uses it: what the rows mean, and which changes are allowed, is decided there.
package struct TreeTables {
    package let connection: any SQLConnection
    /// `Namespace.number`.
    package let number: Int64

    package init(_ connection: any SQLConnection, of namespace: Namespace) {
        self.connection = connection
        number = namespace.number
    }

    /// The node of that id, deleted or not.
    package func node(_ id: NodeID) throws -> TreeNode? {
        try connection.firstRow(
            "SELECT \(TreeNodeRow.columns) FROM tree_nodes WHERE ns = $1 AND nid = $2",
            [.integer(number), .blob(id.bytes)]
        ).map(TreeNodeRow.node)
    }

    /// Nodes in the order of their ids, deleted ones too.
    ///
    /// - Parameter after: the id of the last one of the page before, or empty.
    package func nodes(after: [UInt8], limit: Int) throws -> [TreeNode] {
        try connection.rows(
            """
            SELECT \(TreeNodeRow.columns) FROM tree_nodes WHERE ns = $1 AND nid > $2
            ORDER BY nid LIMIT \(limit)
            """, [.integer(number), .blob(after)]
        ).map(TreeNodeRow.node)
    }

    /// The id of the first node after another, without a look at the rest of its row.
    package func nextNode(after: [UInt8]) throws -> [UInt8]? {
        try connection.firstRow(
            "SELECT nid FROM tree_nodes WHERE ns = $1 AND nid > $2 ORDER BY nid LIMIT 1",
            [.integer(number), .blob(after)]
        )?.blob(0)
    }

    /// The child of that name key that is not deleted.
    package func child(of parent: NodeID, key: String) throws -> TreeNode? {
        try connection.firstRow(
            """
            SELECT \(TreeNodeRow.columns) FROM tree_nodes
            WHERE ns = $1 AND parent = $2 AND name_key = $3 AND deleted = 0
            """, [.integer(number), .blob(parent.bytes), .text(key)]
        ).map(TreeNodeRow.node)
    }

    /// The child of that folded name that is not deleted.
    package func child(of parent: NodeID, folded: String) throws -> TreeNode? {
        try connection.firstRow(
            """
            SELECT \(TreeNodeRow.columns) FROM tree_nodes
            WHERE ns = $1 AND parent = $2 AND folded = $3 AND deleted = 0 AND folded IS NOT NULL
            """, [.integer(number), .blob(parent.bytes), .text(folded)]
        ).map(TreeNodeRow.node)
    }

    /// Children that are not deleted, in the order of their name keys.
    ///
    /// - Parameter after: the name key of the last child of the page before.
    package func children(of parent: NodeID, after: String? = nil, limit: Int) throws -> [TreeNode] {
        var values: [SQLValue] = [.integer(number), .blob(parent.bytes)]
        if let after { values.append(.text(after)) }
        return try connection.rows(
            """
            SELECT \(TreeNodeRow.columns) FROM tree_nodes
            WHERE ns = $1 AND parent = $2\(after == nil ? "" : " AND name_key > $3") AND deleted = 0
            ORDER BY name_key LIMIT \(limit)
            """, values
        ).map(TreeNodeRow.node)
    }

    /// Adds the row of a new node.
    ///
    /// - Throws: `notUnique` if its name is taken; the transaction is over then.
    package func insert(_ node: TreeNode) throws {
        try connection.execute(
            "INSERT INTO tree_nodes (\(TreeNodeRow.columns)) VALUES (\(Self.nodePlaceholders))",
            TreeNodeRow.values(node, in: number))
    }

    /// Writes a node in the place of its earlier state.
    package func update(_ node: TreeNode) throws {
        try connection.execute(Self.updateNode, TreeNodeRow.values(node, in: number))
    }

    private static let nodePlaceholders = SealedColumns.placeholders(TreeNodeRow.count)
    private static let updateNode = """
        UPDATE tree_nodes SET parent = $3, name_key = $4, folded = $5, kind = $6, rev = $7, crev = $8,
            deleted = $9, content = $10, size = $11, mtime = $12, mode = $13, target = $14, meta = $15,
            seal = $16
        WHERE ns = $1 AND nid = $2
        """

    /// What is live below a directory, itself not included.
    package struct Below: Hashable, Sendable {
        package var nodes: Int64 = 0
        package var bytes: Int64 = 0
        /// The newest revision below; 0 if there is nothing.
        package var newest: JID = 0

        package init(nodes: Int64 = 0, bytes: Int64 = 0, newest: JID = 0) {
            (self.nodes, self.bytes, self.newest) = (nodes, bytes, newest)
        }
    }

    /// Counts what is live below a directory. Reads every row there.
    package func below(_ directory: NodeID) throws -> Below {
        let row = try connection.firstRow(
            """
            WITH RECURSIVE below (nid, kind, size, rev) AS (
                SELECT nid, kind, size, rev FROM tree_nodes WHERE ns = $1 AND parent = $2 AND deleted = 0
                UNION ALL
                SELECT child.nid, child.kind, child.size, child.rev FROM below
                JOIN tree_nodes child ON child.ns = $1 AND child.parent = below.nid AND child.deleted = 0
                WHERE below.kind = 1
            )
            SELECT count(*), CAST(COALESCE(sum(size), 0) AS BIGINT), COALESCE(max(rev), 0) FROM below
            """, [.integer(number), .blob(directory.bytes)])
        guard let row else { return Below() }
        return Below(nodes: try row.integer(0), bytes: try row.integer(1), newest: try row.integer(2))
    }

    /// How far what is live below a directory goes. Reads every row there.
    ///
    /// - Returns: the most levels, 0 if there is nothing, and the most bytes of a path that begins below it.
    package func extent(below directory: NodeID) throws -> (levels: Int, pathBytes: Int) {
        let bytes = connection.dialect.byteCount(of:)
        // The key of a directory ends with the slash that a path has behind its name.
        let row = try connection.firstRow(
            """
            WITH RECURSIVE below (nid, kind, level, bytes) AS (
                SELECT nid, kind, 1, \(bytes("name_key")) FROM tree_nodes
                WHERE ns = $1 AND parent = $2 AND deleted = 0
                UNION ALL
                SELECT child.nid, child.kind, below.level + 1, below.bytes + \(bytes("child.name_key"))
                FROM below
                JOIN tree_nodes child ON child.ns = $1 AND child.parent = below.nid AND child.deleted = 0
                WHERE below.kind = 1
            )
            SELECT CAST(COALESCE(max(level), 0) AS BIGINT),
                CAST(COALESCE(max(bytes - CASE WHEN kind = 1 THEN 1 ELSE 0 END), 0) AS BIGINT) FROM below
            """, [.integer(number), .blob(directory.bytes)])
        guard let row else { return (0, 0) }
        return (Int(try row.integer(0)), Int(try row.integer(1)))
    }

    /// Counts what is live in the whole tree. Reads every row of it once.
    ///
    /// Those that are not deleted, less those that are below a deleted directory.
    package func liveTotals() throws -> Below {
        let row = try connection.firstRow(
            """
            WITH RECURSIVE gone (nid, kind, size) AS (
                SELECT child.nid, child.kind, child.size FROM tree_nodes directory
                CROSS JOIN tree_nodes child
                WHERE directory.ns = $1 AND directory.kind = 1 AND directory.deleted = 1
                    AND child.ns = $1 AND child.parent = directory.nid AND child.deleted = 0
                UNION ALL
                SELECT child.nid, child.kind, child.size FROM gone CROSS JOIN tree_nodes child
                WHERE gone.kind = 1 AND child.ns = $1 AND child.parent = gone.nid AND child.deleted = 0
            )
            SELECT count(*) - (SELECT count(*) FROM gone),
                CAST(COALESCE(sum(size), 0) - (SELECT COALESCE(sum(size), 0) FROM gone) AS BIGINT),
                COALESCE(max(rev), 0)
            FROM tree_nodes WHERE ns = $1 AND deleted = 0
            """, [.integer(number)])
        guard let row else { return Below() }
        return Below(nodes: try row.integer(0), bytes: try row.integer(1), newest: try row.integer(2))
    }
}
