/// Brings a database to the newest schema, step by step.
package struct Migrator {
    private let migrations: [Migration]
    private let path: String

    /// - Parameters:
    ///   - migrations: all steps, in order.
    ///   - path: names the database in errors.
    package init(_ migrations: [Migration] = Migration.all, path: String) {
        precondition(
            migrations.map(\.version) == Array(1..<(migrations.count + 1)),
            "steps are numbered without a hole")
        self.migrations = migrations
        self.path = path
    }

    /// The newest step that the database has; 0 if it is new.
    ///
    /// - Throws: `newerSchema` if it has one that this program does not know, `schemaIncomplete` if a step
    ///   before the newest is missing. Nothing is written.
    package func version(of connection: any SQLConnection) throws -> Int {
        guard try connection.hasTable("schema_steps") else { return 0 }
        let applied: [Int] = try connection.rows("SELECT version FROM schema_steps ORDER BY version")
            .map { Int(clamping: try $0.integer(0)) }
        guard let newest = applied.last else { return 0 }
        guard newest <= migrations.count else {
            throw CatalogError.newerSchema(path: path, found: newest, known: migrations.count)
        }
        if let hole = (1...max(1, newest)).first(where: { !applied.contains($0) }) {
            throw CatalogError.schemaIncomplete(path: path, missing: hole)
        }
        return newest
    }

    /// Applies the steps that are missing, each in a transaction together with the record of it. Of several
    /// processes that do so at once, each step is applied by one, and the others wait for it.
    ///
    /// - Parameters:
    ///   - now: Unix milliseconds, recorded with each step.
    ///   - last: the step to stop at; tests make old schemas with it.
    package func migrate(_ database: some SQLDatabase, now: Int64, upTo last: Int? = nil) throws {
        let applied = try database.read { try self.version(of: $0) }
        for migration in migrations.dropFirst(applied) where migration.version <= last ?? migrations.count {
            try database.writeAlone { connection in
                // Another process may have been quicker.
                guard try version(of: connection) < migration.version else { return }
                try apply(migration, to: connection, now: now)
            }
        }
    }

    private func apply(_ migration: Migration, to connection: any SQLConnection, now: Int64) throws {
        let textType = connection.dialect.textType
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_steps (
                version BIGINT NOT NULL PRIMARY KEY, name \(textType) NOT NULL, applied BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
        try migration.apply(connection)
        try connection.execute(
            """
            INSERT INTO schema_steps (version, name, applied) VALUES ($1, $2, $3)
            ON CONFLICT (version) DO NOTHING
            """, [.integer(Int64(migration.version)), .text(migration.name), .integer(now)])
    }
}
