package import Multiformats
package import TreeValues

extension TreeTables {
    /// Adds an entry.
    package func append(_ entry: JournalEntry) throws {
        try connection.execute(
            "INSERT INTO tree_journal (\(JournalRow.columns)) VALUES (\(Self.entryPlaceholders))",
            JournalRow.values(entry, in: number))
    }

    private static let entryPlaceholders = SealedColumns.placeholders(JournalRow.count)

    /// The entry of that number, if there is one.
    package func entry(_ jid: JID) throws -> JournalEntry? {
        try connection.firstRow(
            "SELECT \(JournalRow.columns) FROM tree_journal WHERE ns = $1 AND jid = $2",
            [.integer(number), .integer(jid)]
        ).map(JournalRow.entry)
    }

    /// What tells an entry from one of the same number in another journal: made of what never changes in it,
    /// the node and the time. `nil` if there is none of that number.
    package func mark(of jid: JID) throws -> UInt32? {
        try connection.firstRow(
            "SELECT nid, time FROM tree_journal WHERE ns = $1 AND jid = $2",
            [.integer(number), .integer(jid)]
        ).map { UInt32(truncatingIfNeeded: RowSeal.over($0.values)) }
    }

    /// Entries after one number up to another, oldest first.
    package func entries(after: JID, upTo last: JID = .max, limit: Int) throws -> [JournalEntry] {
        try connection.rows(
            """
            SELECT \(JournalRow.columns) FROM tree_journal WHERE ns = $1 AND jid > $2 AND jid <= $3
            ORDER BY jid LIMIT \(limit)
            """, [.integer(number), .integer(after), .integer(last)]
        ).map(JournalRow.entry)
    }

    /// The number of the first entry after another, without a look at the rest of its row.
    package func nextEntry(after: JID) throws -> JID? {
        try connection.firstRow(
            "SELECT jid FROM tree_journal WHERE ns = $1 AND jid > $2 ORDER BY jid LIMIT 1",
            [.integer(number), .integer(after)]
        )?.integer(0)
    }

    /// Snapshots after a number, oldest first.
    package func snapshotRoots(after: JID, limit: Int) throws -> [(jid: JID, root: CID)] {
        try connection.rows(
            "SELECT jid, root FROM tree_snapshots WHERE ns = $1 AND jid > $2 ORDER BY jid LIMIT \(limit)",
            [.integer(number), .integer(after)]
        ).map { (try $0.integer(0), try CID(bytes: try $0.blob(1))) }
    }

    /// Entries of one node before a number, newest first.
    package func entries(of node: NodeID, before: JID = .max, limit: Int) throws -> [JournalEntry] {
        try connection.rows(
            """
            SELECT \(JournalRow.columns) FROM tree_journal WHERE ns = $1 AND nid = $2 AND jid < $3
            ORDER BY jid DESC LIMIT \(limit)
            """, [.integer(number), .blob(node.bytes), .integer(before)]
        ).map(JournalRow.entry)
    }

    /// The state of a node as of a JID; `nil` if it was made later.
    package func node(_ id: NodeID, asOf jid: JID) throws -> TreeNode? {
        try entries(of: id, before: jid == .max ? .max : jid + 1, limit: 1).first?.node
    }

    /// The children of a directory as of a JID, in the order of their name keys, each as it was then.
    ///
    /// - Parameter after: the name key of the last child of the page before.
    package func children(
        of parent: NodeID, asOf jid: JID, after: String? = nil, limit: Int
    ) throws -> [TreeNode] {
        var values: [SQLValue] = [.integer(number), .blob(parent.bytes), .integer(jid)]
        if let after { values.append(.text(after)) }
        return try connection.rows(
            """
            SELECT \(JournalRow.columns) FROM tree_journal entry
            WHERE ns = $1 AND parent = $2 AND jid <= $3 AND deleted = 0
                \(after == nil ? "" : "AND name_key > $4") AND NOT EXISTS (
                    SELECT 1 FROM tree_journal later
                    WHERE later.ns = $1 AND later.nid = entry.nid AND later.jid > entry.jid
                        AND later.jid <= $3)
            ORDER BY name_key LIMIT \(limit)
            """, values
        ).map { try JournalRow.entry($0).node }
    }

    /// The child of a directory as of a JID by its name key, as it was then.
    package func child(of parent: NodeID, key: String, asOf jid: JID) throws -> TreeNode? {
        try connection.firstRow(
            """
            SELECT \(JournalRow.columns) FROM tree_journal entry
            WHERE ns = $1 AND parent = $2 AND name_key = $4 AND jid <= $3 AND deleted = 0 AND NOT EXISTS (
                SELECT 1 FROM tree_journal later
                WHERE later.ns = $1 AND later.nid = entry.nid AND later.jid > entry.jid
                    AND later.jid <= $3)
            ORDER BY jid DESC LIMIT 1
            """, [.integer(number), .blob(parent.bytes), .integer(jid), .text(key)]
        ).map { try JournalRow.entry($0).node }
    }

    /// A snapshot with that root, the newest of several.
    package func snapshot(root: CID) throws -> TreeSnapshot? {
        try connection.firstRow(
            """
            SELECT \(SnapshotRow.columns) FROM tree_snapshots WHERE ns = $1 AND root = $2
            ORDER BY jid DESC LIMIT 1
            """, [.integer(number), .blob(root.bytes)]
        ).map(SnapshotRow.snapshot)
    }

    /// Forgets the UnixFS directory of a node.
    package func forgetDirectory(_ node: NodeID) throws {
        try connection.execute(
            "DELETE FROM tree_directories WHERE ns = $1 AND nid = $2",
            [.integer(number), .blob(node.bytes)])
    }

    /// The entry that an operation made.
    package func entry(of operation: OperationID) throws -> JournalEntry? {
        try connection.firstRow(
            """
            SELECT \(JournalRow.columns) FROM tree_journal
            WHERE ns = $1 AND op_id = $2 AND op_id IS NOT NULL
            """, [.integer(number), .blob(operation.bytes)]
        ).map(JournalRow.entry)
    }

    /// Whether the place of a node changed after a JID.
    package func hasMoved(_ node: NodeID, after jid: JID) throws -> Bool {
        try connection.firstRow(
            """
            SELECT jid FROM tree_journal
            WHERE ns = $1 AND nid = $2 AND jid > $3 AND (from_parent IS NOT NULL OR op IN (4, 5)) LIMIT 1
            """, [.integer(number), .blob(node.bytes), .integer(jid)]) != nil
    }

    /// Nodes whose place changed after one JID and up to another, each once.
    package func movedNodes(after: JID, upTo last: JID, limit: Int) throws -> [NodeID] {
        try connection.rows(
            """
            SELECT DISTINCT nid FROM tree_journal
            WHERE ns = $1 AND jid > $2 AND jid <= $3 AND from_parent IS NOT NULL LIMIT \(limit)
            """, [.integer(number), .integer(after), .integer(last)]
        ).compactMap { NodeID(bytes: try $0.blob(0)) }
    }

    /// The last JID whose time is not after a moment; 0 if there is none.
    ///
    /// Times of the server may go back, so the journal is read from its end.
    package func lastEntry(notAfter time: Int64) throws -> JID {
        try connection.firstRow(
            """
            SELECT jid FROM tree_journal WHERE ns = $1 AND time <= $2 ORDER BY jid DESC LIMIT 1
            """, [.integer(number), .integer(time)]
        )?.integer(0) ?? 0
    }

    /// Keeps a snapshot.
    package func keep(_ snapshot: TreeSnapshot) throws {
        try connection.execute(
            """
            INSERT INTO tree_snapshots (\(SnapshotRow.columns)) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (ns, jid) DO UPDATE SET
                root = excluded.root, bytes = excluded.bytes, time = excluded.time, seal = excluded.seal
            """, SnapshotRow.values(snapshot, in: number))
    }

    /// The newest snapshot that is not after a JID.
    package func snapshot(upTo jid: JID) throws -> TreeSnapshot? {
        try connection.firstRow(
            """
            SELECT \(SnapshotRow.columns) FROM tree_snapshots WHERE ns = $1 AND jid <= $2
            ORDER BY jid DESC LIMIT 1
            """, [.integer(number), .integer(jid)]
        ).map(SnapshotRow.snapshot)
    }

    /// Snapshots before a JID, newest first.
    package func snapshots(before: JID = .max, limit: Int) throws -> [TreeSnapshot] {
        try connection.rows(
            """
            SELECT \(SnapshotRow.columns) FROM tree_snapshots WHERE ns = $1 AND jid < $2
            ORDER BY jid DESC LIMIT \(limit)
            """, [.integer(number), .integer(before)]
        ).map(SnapshotRow.snapshot)
    }

    /// The UnixFS directory that was made last for a node.
    package func directory(_ node: NodeID) throws -> TreeSnapshot? {
        try connection.firstRow(
            "SELECT \(SnapshotRow.directoryColumns) FROM tree_directories WHERE ns = $1 AND nid = $2",
            [.integer(number), .blob(node.bytes)]
        ).map { try SnapshotRow.directory($0).1 }
    }

    /// Notes the UnixFS directory of a node.
    package func keep(_ directory: TreeSnapshot, of node: NodeID) throws {
        try connection.execute(
            """
            INSERT INTO tree_directories (\(SnapshotRow.directoryColumns)) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (ns, nid) DO UPDATE SET
                jid = excluded.jid, root = excluded.root, bytes = excluded.bytes, seal = excluded.seal
            """, SnapshotRow.values(directory, of: node, in: number))
    }
}
