import TreeValues

/// The rows of nodes, after the journal has the entries of a restore.
extension RestoreTables {
    /// Makes nodes come, go and move as the entries say.
    ///
    /// - Parameter fold: the folded name of a name.
    package func movePlaces(_ entries: Entries, fold: (String) -> String?) throws {
        let jid = entries.head
        if entries.changesPlaces {
            // Names may go round in circles between the two states: all are given up before any is taken.
            try connection.execute(
                """
                UPDATE tree_nodes SET deleted = 1 WHERE ns = $1 AND deleted = 0 AND nid IN (
                    SELECT nid FROM tree_journal WHERE ns = $1 AND jid > $2 AND op IN (3, 4))
                """, [number, .integer(jid)])
            try takePlaces(after: jid)
            try takeNames(after: jid, fold: fold)
        }
        if !connection.dialect.hasSealFunctions { try sealNodes(after: jid) }
    }

    /// Nodes that stay where they are, of those that were found: the indexes of names are not touched, so
    /// these need not wait for the others.
    ///
    /// - Parameter head: the number before their first entry.
    func changeContent(after head: JID) throws {
        try upsert(
            """
            SELECT CAST($1 AS BIGINT), nid, parent, name_key, CAST(NULL AS TEXT), kind, \(Self.foundJID),
                CASE WHEN keeps = 1 THEN now_crev ELSE \(Self.foundJID) END, 0, content, size, mtime, mode,
                target, meta, 0
            FROM restore_found WHERE op IN (2, 6)
            """, after: head,
            changing: ["kind", "rev", "crev", "content", "size", "mtime", "mode", "target", "meta"])
    }

    /// Nodes that come, go or move under the name that they have.
    private func takePlaces(after jid: JID) throws {
        try upsert(
            """
            SELECT ns, nid, parent, name_key, CAST(NULL AS TEXT), kind, jid, crev, deleted, content, size,
                mtime, mode, target, meta, 0
            FROM tree_journal
            WHERE ns = $1 AND jid > $2 AND op IN (3, 4, 5) AND (from_key IS NULL OR from_key = name_key)
            """, after: jid,
            changing: [
                "parent", "kind", "rev", "crev", "deleted", "content", "size", "mtime", "mode", "target",
                "meta",
            ])
    }

    /// - Parameters:
    ///   - nodes: a query of rows of nodes, with the namespace for `$1` and the JID for `$2`.
    ///   - changing: these columns; the others stay as they are, the folded name among them.
    private func upsert(_ nodes: String, after jid: JID, changing: [String]) throws {
        let fields = TreeNodeRow.columns.split(separator: ",").map { $0.filter { $0 != " " } }.dropLast()
        let sealed = fields.map { (changing.contains($0) ? "excluded." : "tree_nodes.") + $0 }
        let changes = changing.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
        // Every node has a row: the insert is a way to write many of them by their keys.
        try connection.execute(
            """
            INSERT INTO tree_nodes (\(TreeNodeRow.columns)) \(nodes)
            ON CONFLICT (ns, nid) DO UPDATE SET \(changes), seal = \(seal(sealed))
            """, [number, .integer(jid)])
    }

    /// Nodes that get another name.
    private func takeNames(after jid: JID, fold: (String) -> String?) throws {
        var last = jid
        while true {
            let rows = try connection.rows(
                """
                SELECT \(JournalRow.columns) FROM tree_journal
                WHERE ns = $1 AND jid > $2 AND from_key <> name_key ORDER BY jid LIMIT \(Self.page)
                """, [number, .integer(last)])
            let nodes = try rows.map { row in
                var node = try JournalRow.unchecked(row).node
                node.folded = fold(node.name)
                return node
            }
            let fields = TreeNodeRow.columns.split(separator: ",").map { $0.filter { $0 != " " } }
            try connection.insert(
                nodes.map { TreeNodeRow.values($0, in: tables.number) }, into: "tree_nodes",
                TreeNodeRow.columns,
                conflict: "ON CONFLICT (ns, nid) DO UPDATE SET "
                    + fields.dropFirst(2).map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
            guard let end = nodes.last?.revision, nodes.count == Self.page else { return }
            last = end
        }
    }

    // MARK: Seals, where statements cannot make them

    static let page = 1000

    /// Checks the rows from which entries are made.
    func checkSeals(_ request: Request) throws {
        func columns(_ list: String, of table: String) -> String {
            list.split(separator: ",").map { table + "." + $0.filter { $0 != " " } }.joined(separator: ", ")
        }
        var last = request.jid
        while true {
            let rows = try connection.rows(
                """
                SELECT \(columns(TreeNodeRow.columns, of: "node")), \(columns(JournalRow.columns, of: "old"))
                FROM \(Self.changed(connection.dialect)) ORDER BY last.jid LIMIT \(Self.page)
                """, [number, .integer(request.jid), .integer(last), .integer(request.head)])
            for row in rows {
                last = try TreeNodeRow.node(SQLRow(Array(row.values.prefix(TreeNodeRow.count)))).revision
                guard row.values[TreeNodeRow.count] != .null else { continue }
                _ = try JournalRow.entry(SQLRow(Array(row.values.dropFirst(TreeNodeRow.count))))
            }
            guard rows.count == Self.page else { return }
        }
    }

    func sealEntries(after jid: JID) throws {
        var last = jid
        while true {
            let rows = try connection.rows(
                """
                SELECT \(JournalRow.columns) FROM tree_journal WHERE ns = $1 AND jid > $2
                ORDER BY jid LIMIT \(Self.page)
                """, [number, .integer(last)])
            try writeSeals(rows, of: "tree_journal", key: 1, "jid")
            guard rows.count == Self.page, let end = rows.last else { return }
            last = try end.integer(1)
        }
    }

    private func sealNodes(after jid: JID) throws {
        var last = jid
        while true {
            let rows = try connection.rows(
                """
                SELECT \(TreeNodeRow.columns) FROM tree_nodes WHERE ns = $1 AND nid IN (
                    SELECT nid FROM tree_journal WHERE ns = $1 AND jid > $2 ORDER BY jid LIMIT \(Self.page))
                """, [number, .integer(last)])
            try writeSeals(rows, of: "tree_nodes", key: 1, "nid")
            guard rows.count == Self.page else { return }
            last = try rows.map { try $0.integer(6) }.max() ?? last
        }
    }

    private func writeSeals(_ rows: [SQLRow], of table: String, key: Int, _ column: String) throws {
        guard !rows.isEmpty else { return }
        var values = [number]
        for row in rows {
            values.append(row.values[key])
            values.append(.integer(RowSeal.over(Array(row.values.dropLast()))))
        }
        let fresh = rows.indices.map { "($\(2 * $0 + 2), $\(2 * $0 + 3))" }.joined(separator: ", ")
        try connection.execute(
            """
            UPDATE \(table) SET seal = fresh.seal FROM (VALUES \(fresh)) AS fresh (id, seal)
            WHERE ns = $1 AND \(table).\(column) = fresh.id
            """, values)
    }
}

extension SQLConnection {
    /// Adds rows, many by each statement.
    func insert(_ rows: [[SQLValue]], into table: String, _ columns: String, conflict: String = "") throws {
        guard let width = rows.first?.count, width > 0 else { return }
        // Both databases take some more than thirty thousand values at once.
        let size = max(1, 16_000 / width)
        for start in stride(from: 0, to: rows.count, by: size) {
            let part = rows[start..<min(start + size, rows.count)]
            let places = part.indices.map { row in
                let first = (row - start) * width
                return "(" + (1...width).map { "$\(first + $0)" }.joined(separator: ", ") + ")"
            }
            try execute(
                "INSERT INTO \(table) (\(columns)) VALUES \(places.joined(separator: ", ")) \(conflict)",
                part.flatMap { $0 })
        }
    }
}
