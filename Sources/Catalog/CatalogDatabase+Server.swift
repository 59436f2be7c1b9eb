extension CatalogDatabase {
    /// Opens the catalog in a PostgreSQL server, and brings its schema up to date.
    ///
    /// Several nodes may have one catalog open at the same time.
    ///
    /// - Parameter directory: the data directory that uses it; it is noted down in the catalog.
    /// - Throws: `cannotOpen`; `unknownDirectory` and `newerSchema` before anything is written.
    public convenience init(
        server url: PostgreSQLURL, options: PostgreSQLOptions = PostgreSQLOptions(),
        directory: CatalogDirectory? = nil, environment: Environment = Environment()
    ) throws {
        let database = try PostgreSQLDatabase(url, options: options)
        do {
            if let directory, directory.holdsBlocks, try !Self.knows(directory, database) {
                throw CatalogError.unknownDirectory(path: url.description, id: directory.id)
            }
            try self.init(database, path: url.description, environment: environment)
            if let directory, try settings.value(directory.key) == nil {
                try settings.set(directory.key, to: "\(environment.now())")
            }
        } catch {
            // What went wrong says more than a failure to close after it.
            try? database.close()
            throw error
        }
    }

    private static func knows(_ directory: CatalogDirectory, _ database: PostgreSQLDatabase) throws -> Bool {
        try database.read { connection in
            guard try connection.hasTable("settings") else { return false }
            return try connection.firstRow(
                "SELECT key FROM settings WHERE key = $1", [.text(directory.key)]) != nil
        }
    }
}

/// A data directory that keeps its catalog in a server, as the catalog knows it: an empty or foreign catalog
/// would let the next collection remove every block of the directory.
public struct CatalogDirectory: Hashable, Sendable {
    /// Random, made together with the directory's first connection to a server.
    public let id: String
    /// Whether blocks would be lost with a catalog that does not know the directory.
    public let holdsBlocks: Bool

    public init(id: String, holdsBlocks: Bool) {
        self.id = id
        self.holdsBlocks = holdsBlocks
    }

    /// The setting that notes it down.
    var key: String { "directory." + id }
}
