import Foundation
import GRDB
import Glibc

/// A catalog in one SQLite file, through GRDB. The only file that knows GRDB besides its errors.
///
/// One connection writes while several read the last committed state (WAL). `synchronous = FULL`: a
/// transaction is on the disk when `write` returns. Closing folds the write-ahead log into the file.
package final class SQLiteDatabase: SQLDatabase {
    private let path: String
    private let writer: any DatabaseWriter

    /// How a database is opened.
    package struct Options: Sendable {
        /// How long a statement waits for another process that holds the file.
        package var busyTimeoutSeconds = 10.0
        package var maximumReaders = 4

        package init() {}
    }

    /// Opens the file at `path`, or makes it.
    package init(path: String, options: Options = Options()) throws {
        self.path = path
        let isNew = !FileManager.default.fileExists(atPath: path)
        do {
            let pool = try DatabasePool(path: path, configuration: Self.configuration(options))
            // The pool chooses NORMAL for itself, under which a power cut may take the last transactions.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            writer = pool
        } catch let error as DatabaseError {
            throw CatalogError(error, path: path, opening: true)
        }
        if isNew { try Self.syncDirectory(of: path) }
    }

    /// A database in memory, for tests and dry runs.
    package init(inMemory options: Options) throws {
        path = ":memory:"
        writer = try DatabaseQueue(configuration: Self.configuration(options))
    }

    /// Runs `body` on the file without changing it: nothing is written, no journal mode is set.
    ///
    /// - Returns: `nil` if there is no file, or an empty one.
    package static func inspect<T>(path: String, _ body: (any SQLConnection) throws -> T) throws -> T? {
        guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64, size > 0
        else {
            return nil
        }
        var configuration = configuration(Options())
        configuration.readonly = true
        return try mapping(path, opening: true) {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let result = try queue.read { try body(SQLiteConnection($0, path: path)) }
            try queue.close()
            return result
        }
    }

    package func read<T>(_ body: (any SQLConnection) throws -> T) throws -> T {
        try Self.mapping(path) { try writer.read { try body(SQLiteConnection($0, path: path)) } }
    }

    package func write<T>(_ body: (any SQLConnection) throws -> T) throws -> T {
        try Self.mapping(path) { try writer.write { try body(SQLiteConnection($0, path: path)) } }
    }

    package func storageProblems() throws -> [String] {
        do {
            return try read { connection in
                // Not `quick_check`: that one does not compare the indexes with the tables, and an index
                // that lost an entry makes a pin invisible to the collector.
                try connection.rows("PRAGMA integrity_check(100)").map { try $0.text(0) }.filter {
                    $0 != "ok"
                }
            }
        } catch CatalogError.damaged(_, let detail) {
            return [detail]
        }
    }

    package func close() throws {
        try Self.mapping(path) {
            if let pool = writer as? DatabasePool {
                // Leaves one file that holds everything, which is what people copy.
                _ = try pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
            }
            try writer.close()
        }
    }

    private static func configuration(_ options: Options) -> Configuration {
        var configuration = Configuration()
        configuration.label = "catalog"
        configuration.busyMode = .timeout(options.busyTimeoutSeconds)
        configuration.maximumReaderCount = options.maximumReaders
        configuration.prepareDatabase { database in
            // Pages are checked as they are read, and nothing in a foreign schema may run code.
            try database.execute(sql: "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF")
        }
        return configuration
    }

    private static func mapping<T>(_ path: String, opening: Bool = false, _ body: () throws -> T) throws -> T
    {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw CatalogError(error, path: path, opening: opening)
        }
    }

    /// Makes the name of a new file durable; SQLite does so only for its journals.
    private static func syncDirectory(of path: String) throws {
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CatalogError.cannotOpen(path: path, reason: String(cString: strerror(errno)))
        }
        defer { _ = Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw CatalogError.cannotOpen(path: path, reason: String(cString: strerror(errno)))
        }
    }
}
