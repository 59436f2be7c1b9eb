package import TreeValues

/// What of the journal still has content.
extension TreeTables {
    /// How far history was thinned out; all zero where it never was.
    package func historyMark() throws -> HistoryMark {
        try connection.firstRow(
            "SELECT \(HistoryRow.markColumns) FROM tree_history WHERE ns = $1", [.integer(number)]
        ).map(HistoryRow.mark) ?? HistoryMark()
    }

    /// Notes how far history was thinned out.
    package func write(_ mark: HistoryMark) throws {
        try connection.execute(
            """
            INSERT INTO tree_history (\(HistoryRow.markColumns)) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (ns) DO UPDATE SET horizon = excluded.horizon, swept = excluded.swept,
                time = excluded.time, seal = excluded.seal
            """, HistoryRow.values(mark, in: number))
    }

    /// Kept versions before the horizon, oldest first. There are as many as days, and those that are held.
    package func keptVersions(after jid: JID = -1, limit: Int = 100_000) throws -> [KeptVersion] {
        try connection.rows(
            """
            SELECT \(HistoryRow.keptColumns) FROM tree_kept WHERE ns = $1 AND jid > $2
            ORDER BY jid LIMIT \(limit)
            """, [.integer(number), .integer(jid)]
        ).map(HistoryRow.kept)
    }

    /// The row of a version, if it has one.
    package func keptVersion(_ jid: JID) throws -> KeptVersion? {
        try keptVersions(after: jid - 1, limit: 1).first { $0.jid == jid }
    }

    /// Writes the row of a version.
    package func write(_ version: KeptVersion) throws {
        try connection.execute(
            """
            INSERT INTO tree_kept (\(HistoryRow.keptColumns)) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (ns, jid) DO UPDATE SET day = excluded.day, note = excluded.note,
                time = excluded.time, seal = excluded.seal
            """, HistoryRow.values(version, in: number))
    }

    /// Removes the row of a version.
    package func removeKeptVersion(_ jid: JID) throws {
        try connection.execute(
            "DELETE FROM tree_kept WHERE ns = $1 AND jid = $2", [.integer(number), .integer(jid)])
    }

    /// Removes versions that nobody holds and whose day is over long enough.
    ///
    /// - Returns: how many.
    package func removeKeptVersions(ofDaysUpTo day: Int64) throws -> Int {
        try connection.execute(
            "DELETE FROM tree_kept WHERE ns = $1 AND note IS NULL AND (day IS NULL OR day <= $2)",
            [.integer(number), .integer(day)])
    }

    /// Removes snapshots of versions that are not kept, at most so many.
    package func removeSnapshots(before horizon: JID, limit: Int) throws -> Int {
        try connection.execute(
            """
            DELETE FROM tree_snapshots WHERE ns = $1 AND jid IN (
                SELECT jid FROM tree_snapshots WHERE ns = $1 AND jid < $2
                    AND jid NOT IN (SELECT jid FROM tree_kept WHERE ns = $1)
                ORDER BY jid LIMIT \(limit))
            """, [.integer(number), .integer(horizon)])
    }

    /// Removes snapshots before a version, whether it is kept or not: they are made again when asked for.
    package func removeSnapshots(before jid: JID) throws {
        try connection.execute(
            "DELETE FROM tree_snapshots WHERE ns = $1 AND jid < $2", [.integer(number), .integer(jid)])
    }

    /// Times of entries after a number, oldest first.
    package func times(after jid: JID, limit: Int) throws -> [(jid: JID, time: Int64)] {
        try connection.rows(
            "SELECT jid, time FROM tree_journal WHERE ns = $1 AND jid > $2 ORDER BY jid LIMIT \(limit)",
            [.integer(number), .integer(jid)]
        ).map { (try $0.integer(0), try $0.integer(1)) }
    }

    /// Entries that have content, with the number of the next entry of their node, oldest first.
    package func entriesWithContent(
        after jid: JID, upTo last: JID, limit: Int
    ) throws -> [(entry: JournalEntry, next: JID?)] {
        try connection.rows(
            """
            SELECT \(JournalRow.columns), (
                SELECT min(jid) FROM tree_journal later
                WHERE later.ns = $1 AND later.nid = entry.nid AND later.jid > entry.jid)
            FROM tree_journal entry
            WHERE ns = $1 AND jid > $2 AND jid <= $3 AND content IS NOT NULL ORDER BY jid LIMIT \(limit)
            """, [.integer(number), .integer(jid), .integer(last)]
        ).map { row in
            (
                try JournalRow.entry(SQLRow(Array(row.values.prefix(JournalRow.count)))),
                try row.optionalInteger(JournalRow.count)
            )
        }
    }

    /// The first entry of a node after a number.
    package func nextEntry(of node: NodeID, after jid: JID) throws -> JID? {
        try connection.firstRow(
            "SELECT min(jid) FROM tree_journal WHERE ns = $1 AND nid = $2 AND jid > $3",
            [.integer(number), .blob(node.bytes), .integer(jid)]
        )?.optionalInteger(0)
    }

    /// Takes the content out of entries. All else of them stays.
    package func dropContent(of entries: [JournalEntry]) throws {
        // Few at once, so that a statement is the same for most and need not be read again.
        for start in stride(from: 0, to: entries.count, by: 100) {
            var values: [SQLValue] = [.integer(number)]
            let part = entries[start..<min(start + 100, entries.count)]
            for var entry in part {
                entry.node.content = nil
                values.append(.integer(entry.jid))
                values.append(JournalRow.values(entry, in: number).last ?? .null)
            }
            let fresh = part.indices.map { "($\(2 * ($0 - start) + 2), $\(2 * ($0 - start) + 3))" }
            try connection.execute(
                """
                UPDATE tree_journal SET content = NULL, seal = fresh.column2
                FROM (VALUES \(fresh.joined(separator: ", "))) AS fresh
                WHERE ns = $1 AND tree_journal.jid = fresh.column1
                """, values)
        }
    }

    /// Whether a file that is to come back with a node has lost its content: the node itself, or one below.
    package func hasLostContent(_ node: TreeNode) throws -> Bool {
        if node.kind != .directory {
            return try node.kind == .file && entry(node.revision)?.node.content == nil
        }
        return try connection.firstRow(
            """
            WITH RECURSIVE below (nid, kind, rev) AS (
                SELECT nid, kind, rev FROM tree_nodes WHERE ns = $1 AND parent = $2 AND deleted = 0
                UNION ALL
                SELECT child.nid, child.kind, child.rev FROM below
                JOIN tree_nodes child ON child.ns = $1 AND child.parent = below.nid AND child.deleted = 0
                WHERE below.kind = 1
            )
            SELECT 1 FROM below JOIN tree_journal entry ON entry.ns = $1 AND entry.jid = below.rev
            WHERE below.kind = 2 AND entry.content IS NULL LIMIT 1
            """, [.integer(number), .blob(node.id.bytes)]) != nil
    }
}
