extension CatalogDatabase {
    /// Opens the catalog in a PostgreSQL server, and brings its schema up to date.
    ///
    /// - Parameter directory: the data directory that it belongs to; that is noted down in the catalog.
    /// - Throws: `cannotOpen`; `unknownDirectory`, `otherDirectory` and `newerSchema` before anything is written.
    public convenience init(
        server url: PostgreSQLURL, options: PostgreSQLOptions = PostgreSQLOptions(),
        directory: CatalogDirectory? = nil, environment: Environment = Environment()
    ) throws {
        let database = try PostgreSQLDatabase(url, options: options)
        do {
            if let directory { try directory.check(try Self.directories(database), path: url.description) }
            try self.init(database, path: url.description, environment: environment)
            if let directory { try claim(for: directory) }
        } catch {
            // What went wrong says more than a failure to close after it.
            try? database.close()
            throw error
        }
    }

    /// The ids of the data directories that the catalog belongs to; one, unless somebody wrote more into it.
    private static func directories(_ database: any SQLDatabase) throws -> [String] {
        try database.read { connection in
            guard try connection.hasTable("settings") else { return [] }
            return try directories(connection)
        }
    }

    private static func directories(_ connection: any SQLConnection) throws -> [String] {
        let prefix = CatalogDirectory.keyPrefix
        return try connection.rows(
            "SELECT key FROM settings WHERE key >= $1 AND key < $2 ORDER BY key",
            [.text(prefix), .text(prefix.dropLast() + "/")]
        ).map { String(try $0.text(0).dropFirst(prefix.utf8.count)) }
    }

    /// The id of the data directory that the catalog belongs to; `nil` if that was never noted down.
    public func directory() throws -> String? { try database.read(Self.directories).first }

    /// Notes down that the catalog belongs to a data directory.
    ///
    /// - Throws: `otherDirectory` if it belongs to another one that it is not to be taken from.
    public func claim(for directory: CatalogDirectory) throws {
        // The writer is alone: of two directories that come at once, one is refused.
        try database.write { connection in
            let known = try Self.directories(connection)
            if known == [directory.id] { return }
            try directory.check(known, path: path)
            if directory.takesOver {
                for id in known where id != directory.id {
                    try connection.execute(
                        "DELETE FROM settings WHERE key = $1", [.text(CatalogDirectory.keyPrefix + id)])
                }
            }
            guard !known.contains(directory.id) else { return }
            let fields: [SQLValue] = [.text(directory.key), .text("\(now())")]
            try connection.execute(
                "INSERT INTO settings (key, value, seal) VALUES ($1, $2, $3)",
                fields + [.integer(RowSeal.over(fields))])
        }
    }
}

/// A data directory as its catalog knows it.
///
/// A catalog speaks of the blocks of one directory. With an empty or foreign one the next collection would
/// remove every block, and two directories with one catalog would each promise what only the other has.
public struct CatalogDirectory: Hashable, Sendable {
    /// Random, in a file of the directory.
    public let id: String
    /// Whether blocks would be lost with a catalog that does not know the directory.
    public let holdsBlocks: Bool
    /// Whether the catalog is to be this directory's from now on, whosever it was.
    public let takesOver: Bool

    public init(id: String, holdsBlocks: Bool, takesOver: Bool = false) {
        self.id = id
        self.holdsBlocks = holdsBlocks
        self.takesOver = takesOver
    }

    static let keyPrefix = "directory."

    /// The setting that notes it down.
    var key: String { Self.keyPrefix + id }

    /// - Throws: `otherDirectory`, `unknownDirectory`.
    fileprivate func check(_ known: [String], path: String) throws(CatalogError) {
        guard !takesOver, !known.contains(id) else { return }
        if let other = known.first { throw .otherDirectory(path: path, owner: other, id: id) }
        if holdsBlocks { throw .unknownDirectory(path: path, id: id) }
    }
}
