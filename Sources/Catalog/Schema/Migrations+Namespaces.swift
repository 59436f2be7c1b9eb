/// The steps for namespaces and their trees.
extension Migration {
    static let namespaces = Migration(13, "namespaces") { try NamespaceRow.create($0) }

    static let trees = Migration(14, "trees") { connection in
        try TreeNodeRow.create(connection)
        try JournalRow.create(connection)
        try SnapshotRow.create(connection)
    }

    static let devices = Migration(15, "devices") { try DeviceRow.create($0) }

    static let leases = Migration(16, "leases and conflicts") { connection in
        try LeaseRow.create(connection)
        try ConflictRow.create(connection)
    }

    /// Tells SQLite what the tables of trees are like: many rows of a namespace, few of a directory or of a
    /// node. Without it SQLite takes `ns = …` for as good as `ns = … AND parent = …`, and reads all of a
    /// namespace for each of its directories.
    ///
    /// The numbers are of no tree in particular, so that they suit one of any size and never age.
    static let treeStatistics = Migration(17, "tree statistics") { connection in
        guard connection.dialect == .sqlite else { return }
        // A small table: what is wanted of it is that there is a table of statistics.
        try connection.execute("ANALYZE namespaces")
        try connection.execute(
            "DELETE FROM sqlite_stat1 WHERE tbl IN ('namespaces', 'tree_nodes', 'tree_journal')")
        for (table, index, statistics) in [
            ("tree_nodes", "tree_nodes", "1000000 100000 1"),
            ("tree_nodes", "tree_nodes_by_name", "1000000 100000 20 1"),
            ("tree_nodes", "tree_nodes_by_folded_name", "1000000 100000 20 1"),
            ("tree_journal", "tree_journal", "3000000 300000 1"),
            ("tree_journal", "tree_journal_by_node", "3000000 300000 3 1"),
            ("tree_journal", "tree_journal_by_parent", "3000000 300000 60 1"),
            ("tree_journal", "tree_journal_by_operation", "3000000 300000 1"),
        ] {
            try connection.execute(
                "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ($1, $2, $3)",
                [.text(table), .text(index), .text(statistics)])
        }
        try connection.execute("ANALYZE sqlite_schema")
    }

    static let treeHistory = Migration(18, "tree history") { connection in
        try HistoryRow.create(connection)
        guard connection.dialect == .sqlite else { return }
        try connection.execute("DELETE FROM sqlite_stat1 WHERE idx = 'tree_journal_deletions'")
        try connection.execute(
            """
            INSERT INTO sqlite_stat1 (tbl, idx, stat)
            VALUES ('tree_journal', 'tree_journal_deletions', '100000 10000 1')
            """)
        try connection.execute("ANALYZE sqlite_schema")
    }

    static let caselessNames = Migration(23, "caseless names") { try NamespaceRow.indexCaselessNames($0) }

    /// Earlier children of a directory by name, in place of by JID.
    static let pastPlaces = Migration(22, "past places") { connection in
        try JournalRow.indexPlaces(connection)
        guard connection.dialect == .sqlite else { return }
        try connection.execute("DELETE FROM sqlite_stat1 WHERE idx = 'tree_journal_by_parent'")
        try connection.execute(
            """
            INSERT INTO sqlite_stat1 (tbl, idx, stat)
            VALUES ('tree_journal', 'tree_journal_by_parent', '3000000 300000 60 3 1')
            """)
        try connection.execute("ANALYZE sqlite_schema")
    }
}
