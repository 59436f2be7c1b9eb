package import TreeValues

/// What was deleted and can still come back.
extension TreeTables {
    /// Deletions between two numbers that were neither undone nor emptied, newest first.
    package func deletions(after horizon: JID, before: JID, limit: Int) throws -> [JournalEntry] {
        try connection.rows(
            """
            SELECT \(JournalRow.columns) FROM tree_journal entry
            WHERE ns = $1 AND op = 4 AND jid > $2 AND jid < $3
                AND EXISTS (SELECT 1 FROM tree_nodes node
                    WHERE node.ns = $1 AND node.nid = entry.nid AND node.rev = entry.jid)
                AND NOT EXISTS (SELECT 1 FROM tree_emptied emptied
                    WHERE emptied.ns = $1 AND emptied.jid = entry.jid)
            ORDER BY jid DESC LIMIT \(limit)
            """, [.integer(number), .integer(horizon), .integer(before)]
        ).map(JournalRow.entry)
    }

    /// Notes that what a deletion took away is emptied out of the trash; `isDone` once it is.
    package func noteEmptied(_ jid: JID, isDone: Bool) throws {
        try connection.execute(
            """
            INSERT INTO tree_emptied (ns, jid, done) VALUES ($1, $2, $3)
            ON CONFLICT (ns, jid) DO UPDATE SET done = excluded.done
            """, [.integer(number), .integer(jid), .integer(isDone ? 1 : 0)])
    }

    /// A deletion that is being emptied.
    package func unfinishedEmptying() throws -> JID? {
        try connection.firstRow(
            "SELECT jid FROM tree_emptied WHERE ns = $1 AND done = 0 ORDER BY jid LIMIT 1",
            [.integer(number)]
        )?.integer(0)
    }

    /// Files and symlinks below a directory that were not deleted themselves, some of them.
    package func leaves(below directory: NodeID, limit: Int) throws -> [TreeNode] {
        try connection.rows(
            """
            WITH RECURSIVE below (nid, kind) AS (
                SELECT nid, kind FROM tree_nodes WHERE ns = $1 AND parent = $2 AND deleted = 0
                UNION ALL
                SELECT child.nid, child.kind FROM below
                JOIN tree_nodes child ON child.ns = $1 AND child.parent = below.nid AND child.deleted = 0
                WHERE below.kind = 1
            )
            SELECT \(TreeNodeRow.columns.split(separator: ",").map { "node." + $0.filter { $0 != " " } }
                .joined(separator: ", "))
            FROM (SELECT nid FROM below WHERE kind <> 1 LIMIT \(limit)) leaf
            CROSS JOIN tree_nodes node WHERE node.ns = $1 AND node.nid = leaf.nid
            """, [.integer(number), .blob(directory.bytes)]
        ).map(TreeNodeRow.node)
    }

    /// Takes the content out of every entry of a node, at most so many.
    ///
    /// - Returns: whether there may be more.
    package func dropContent(of node: NodeID, limit: Int) throws -> Bool {
        let entries = try connection.rows(
            """
            SELECT \(JournalRow.columns) FROM tree_journal
            WHERE ns = $1 AND nid = $2 AND content IS NOT NULL ORDER BY jid LIMIT \(limit)
            """, [.integer(number), .blob(node.bytes)]
        ).map(JournalRow.entry)
        try dropContent(of: entries)
        return entries.count == limit
    }
}
