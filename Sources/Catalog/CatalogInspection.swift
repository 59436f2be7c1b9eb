/// What a look at a catalog tells. Nothing is written, no schema is brought up to date.
public struct CatalogInspection: Hashable, Sendable {
    /// The newest step of the schema that the catalog has; 0 for one without tables.
    public let schema: Int
    /// The newest step that this program knows.
    public let newestSchema: Int
    /// The version of the server; `nil` for a file.
    public let serverVersion: String?
}

extension CatalogDatabase {
    /// Looks at a catalog in a file.
    ///
    /// - Returns: `nil` if there is no file, or an empty one.
    /// - Throws: `newerSchema`, `schemaIncomplete`, `damaged`, `cannotOpen`, `busy`.
    public static func inspect(path: String) throws -> CatalogInspection? {
        try SQLiteDatabase.inspect(path: path) { connection in
            CatalogInspection(
                schema: try Migrator(path: path).version(of: connection),
                newestSchema: Migration.all.count, serverVersion: nil)
        }
    }

    /// The value of a setting of a catalog in a file; `nil` if there is none.
    ///
    /// - Throws: as ``inspect(path:)``, and `damagedRow`.
    public static func setting(_ key: String, inFile path: String) throws -> String? {
        try SQLiteDatabase.inspect(path: path) { try Self.setting(key, $0) } ?? nil
    }

    /// The value of a setting of a catalog in a server, asked for with one connection; `nil` if there is
    /// none.
    ///
    /// - Throws: `cannotOpen`, `damagedRow`.
    public static func setting(
        _ key: String, inServer url: PostgreSQLURL, options: PostgreSQLOptions = PostgreSQLOptions()
    ) throws -> String? {
        var options = options
        options.connections = 1
        let database = try PostgreSQLDatabase(url, options: options)
        // Nothing was written that a failure to close could lose.
        defer { try? database.close() }
        return try database.read { try Self.setting(key, $0) }
    }

    private static func setting(_ key: String, _ connection: any SQLConnection) throws -> String? {
        guard try connection.hasTable("settings") else { return nil }
        return try connection.firstRow(
            "SELECT key, value, seal FROM settings WHERE key = $1", [.text(key)]
        ).map { try SettingRepository.checked($0).value }
    }

    /// Looks at a catalog in a server, with one connection.
    ///
    /// - Throws: `cannotOpen` with what can be done; `newerSchema`, `schemaIncomplete`.
    public static func inspect(
        server url: PostgreSQLURL, options: PostgreSQLOptions = PostgreSQLOptions()
    ) throws -> CatalogInspection {
        var options = options
        options.connections = 1
        let database = try PostgreSQLDatabase(url, options: options)
        // Nothing was written that a failure to close could lose.
        defer { try? database.close() }
        return try database.read { connection in
            CatalogInspection(
                schema: try Migrator(path: url.description).version(of: connection),
                newestSchema: Migration.all.count,
                serverVersion: try connection.firstRow("SELECT current_setting('server_version')")?.text(0))
        }
    }
}
