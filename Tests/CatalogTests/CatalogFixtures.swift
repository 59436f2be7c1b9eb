import Catalog
import Foundation
import Multiformats
import TestKit
import Testing

/// A CID of 32 bytes that differ by `number`.
func cid(_ number: UInt64, codec: Codec = .raw) throws -> CID {
    var random = SeededRandom(seed: number)
    return CID(codec: codec, multihash: try Multihash(code: .sha2_256, digest: random.bytes(32).span.bytes))
}

/// A clock that is moved by hand.
func environment(at milliseconds: Int64) -> CatalogDatabase.Environment {
    var environment = CatalogDatabase.Environment()
    environment.now = { milliseconds }
    return environment
}

/// A catalog in a directory that lives as long as it does.
struct CatalogOnDisk {
    let directory: TemporaryDirectory
    var path: String { directory.path(CatalogDatabase.fileName) }

    init() throws { directory = try TemporaryDirectory() }

    func open(at milliseconds: Int64 = 1_700_000_000_000) throws -> CatalogDatabase {
        try CatalogDatabase(path: path, environment: environment(at: milliseconds))
    }
}

/// Which database a catalog is in. Tests that hold for both take it as an argument.
enum Engine: String, CaseIterable, Sendable {
    case sqlite
    case postgresql

    /// Both, or SQLite alone where there is no PostgreSQL (which is said aloud).
    static let all: [Engine] = PostgreSQLServer.isAvailable ? allCases : [.sqlite]

    /// A new catalog.
    func catalog(at milliseconds: Int64 = 1_700_000_000_000) throws -> CatalogDatabase {
        if self == .sqlite { return try .inMemory(environment: environment(at: milliseconds)) }
        return try CatalogPlace(self).open(at: milliseconds)
    }
}

/// Where a catalog can be opened again and again, empty at first.
struct CatalogPlace {
    /// What errors call it.
    let path: String
    private let disk: CatalogOnDisk?
    let url: PostgreSQLURL?

    init(_ engine: Engine) throws {
        switch engine {
        case .sqlite:
            let disk = try CatalogOnDisk()
            (self.disk, url, path) = (disk, nil, disk.path)
        case .postgresql:
            let url = try #require(PostgreSQLURL(try PostgreSQLServer.shared.get().urlOfNewSchema()))
            (disk, self.url, path) = (nil, url, url.description)
        }
    }

    func open(at milliseconds: Int64 = 1_700_000_000_000) throws -> CatalogDatabase {
        if let disk { return try disk.open(at: milliseconds) }
        return try CatalogDatabase(
            database(), path: path, environment: environment(at: milliseconds))
    }

    /// The database, whatever schema it has.
    func database() throws -> any SQLDatabase {
        guard let url else { return try SQLiteDatabase(path: path) }
        return try PostgreSQLDatabase(url, options: Self.smallOptions)
    }

    /// Many tests share one server.
    static var smallOptions: PostgreSQLOptions {
        var options = PostgreSQLOptions()
        options.connections = 3
        return options
    }

    /// The schema as of a step.
    func make(version: Int) throws {
        let database = try database()
        try Migrator(path: path).migrate(database, now: 1, upTo: version)
        try database.close()
    }

    /// Every table, column, constraint and index.
    func schema() throws -> [[SQLValue]] {
        let database = try database()
        defer { try? database.close() }
        return try database.read { connection in
            try Self.descriptions(connection.dialect).flatMap { try connection.rows($0).map(\.values) }
        }
    }

    private static func descriptions(_ dialect: SQLDialect) -> [String] {
        guard dialect == .postgresql else {
            return ["SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'grdb%' ORDER BY name"]
        }
        return [
            """
            SELECT table_name, column_name, ordinal_position, data_type, is_nullable, collation_name
            FROM information_schema.columns WHERE table_schema = current_schema()
            ORDER BY table_name, ordinal_position
            """,
            """
            SELECT indexname, replace(indexdef, current_schema(), '') FROM pg_indexes
            WHERE schemaname = current_schema() ORDER BY indexname
            """,
            """
            SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = current_schema()::regnamespace ORDER BY conname
            """,
        ]
    }

    /// Everything about the schema, byte for byte where it is a file.
    func contents() throws -> [[SQLValue]] {
        if let disk { return [[.blob(try disk.directory.read(CatalogDatabase.fileName))]] }
        let database = try database()
        defer { try? database.close() }
        let steps = try database.read { try $0.rows("SELECT * FROM schema_steps ORDER BY version") }
        return try schema() + steps.map(\.values)
    }
}

extension Thread {
    /// Runs `body` on a thread of its own, which `group` waits for.
    static func start(in group: DispatchGroup, _ body: @escaping @Sendable () -> Void) {
        group.enter()
        detachNewThread {
            body()
            group.leave()
        }
    }
}
