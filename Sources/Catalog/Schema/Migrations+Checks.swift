/// Steps that say the checks of columns in another way.
extension Migration {
    /// SQLite makes a table of the values of `IN (…)` if there are more than two, and makes it again for each
    /// row that it checks: a third of all that a changed node costs. Comparisons say the same. PostgreSQL
    /// knows no such cost.
    ///
    /// The text of the table in the schema is all that changes, in the way that the documentation of SQLite
    /// has for constraints (lang_altertable.html, section 8): no row is written again.
    static let quickChecks = Migration(21, "quick checks") { connection in
        guard connection.dialect == .sqlite else { return }
        let status = ["queued", "pinning", "pinned", "failed"]
        let version = try connection.firstRow("PRAGMA schema_version")?.integer(0) ?? 0
        try connection.execute("PRAGMA writable_schema = ON")
        for (table, slow, quick) in [
            ("tree_nodes", "kind IN (1, 2, 3)", "kind BETWEEN 1 AND 3"),
            (
                "pins", "status IN ('\(status.joined(separator: "', '"))')",
                "status = '\(status.joined(separator: "' OR status = '"))'"
            ),
        ] {
            try connection.execute(
                "UPDATE sqlite_schema SET sql = replace(sql, $1, $2) WHERE type = 'table' AND name = $3",
                [.text("CHECK (\(slow))"), .text("CHECK (\(quick))"), .text(table)])
        }
        // What other connections have in mind is read again.
        try connection.execute("PRAGMA schema_version = \(version + 1)")
        try connection.execute("PRAGMA writable_schema = RESET")
    }
}
