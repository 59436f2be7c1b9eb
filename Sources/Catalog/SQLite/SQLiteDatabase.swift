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
    /// `nil` in memory.
    private let log: LogFolder?
    package let queue: WriteQueue

    package var logFailures: UInt64 { log?.failures ?? 0 }

    /// How a database is opened.
    package struct Options: Sendable {
        /// How long a statement waits for another process that holds the file.
        package var busyTimeoutSeconds = 10.0
        package var maximumReaders = 4
        /// Memory for the pages of the connection that writes: bytes. Indexes whose keys come in no order are
        /// read from the file again and again where they do not fit.
        package var writerCacheBytes = 64 * 1024 * 1024
        /// Memory for the pages of each connection that reads: bytes.
        package var readerCacheBytes = 8 * 1024 * 1024
        /// The write-ahead log is folded into the file when it has so many bytes: see ``LogFolder``.
        package var logBytes = 64 * 1024 * 1024
        /// How many changes of different threads share one transaction at most; 1 for none.
        package var maximumGroup = WriteQueue.defaultGroup

        package init() {}
    }

    /// Opens the file at `path`, or makes it.
    package init(path: String, options: Options = Options()) throws {
        self.path = path
        queue = Self.queue(options)
        let isNew = !FileManager.default.fileExists(atPath: path)
        Self.keepPrivate(path)
        do {
            let configuration = Self.configuration(options)
            let pool = try DatabasePool(path: path, configuration: configuration)
            let log = LogFolder(path: path, configuration: configuration, pages: options.logBytes / 4096)
            // The pool chooses NORMAL for itself, under which a power cut may take the last transactions.
            try pool.writeWithoutTransaction { database in
                try database.execute(
                    sql: """
                        PRAGMA synchronous = FULL;
                        PRAGMA cache_size = -\(options.writerCacheBytes / 1024);
                        """)
                log.attach(to: database)
            }
            writer = pool
            self.log = log
        } catch let error as DatabaseError {
            throw CatalogError(error, path: path, opening: true)
        }
        if isNew { try Self.syncDirectory(of: path) }
    }

    /// A database in memory, for tests and dry runs.
    package init(inMemory options: Options) throws {
        path = ":memory:"
        queue = Self.queue(options)
        writer = try DatabaseQueue(configuration: Self.configuration(options))
        log = nil
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
        try queue.run(body) { transact($0) }
    }

    package func writeAlone<T>(_ body: (any SQLConnection) throws -> T) throws -> T {
        try queue.run(isAlone: true, body) { transact($0) }
    }

    /// Runs jobs in one transaction and commits it.
    private func transact(_ jobs: [WriteJob]) {
        do {
            try Self.mapping(path) {
                try writer.writeWithoutTransaction { database in
                    try database.inTransaction(.immediate) {
                        try run(jobs, database) ? .commit : .rollback
                    }
                }
            }
        } catch {
            for job in jobs { job.fail(error) }
        }
    }

    /// Runs jobs, each behind a savepoint that is undone if it fails; whether there is anything to commit.
    private func run(_ jobs: [WriteJob], _ database: Database) throws -> Bool {
        let connection = SQLiteConnection(database, path: path)
        var isNeeded = false
        for job in jobs {
            // A savepoint costs nothing where it is the only one.
            guard jobs.count > 1 else { return (try? job.run(connection)) != nil }
            try database.inSavepoint {
                guard (try? job.run(connection)) != nil else { return .rollback }
                isNeeded = true
                return .commit
            }
            // A full disk makes SQLite give up the whole transaction by itself.
            guard database.isInsideTransaction else {
                throw job.error ?? CatalogError.failed(path: path, code: 4, message: "undone")
            }
        }
        return isNeeded
    }

    private static func queue(_ options: Options) -> WriteQueue {
        var limits = WriteQueue.Limits()
        limits.group = options.maximumGroup
        return WriteQueue(limits)
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
            log?.close()
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
            try database.execute(
                sql: """
                    PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;
                    PRAGMA cache_size = -\(options.readerCacheBytes / 1024);
                    """)
            try SealFunctions.register(in: database)
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

    /// Sees to it that nobody else can read the file and those beside it, which hold what it holds.
    ///
    /// SQLite gives the files beside it the mode that the file has when they are made: it must be right
    /// before SQLite opens it. What cannot be made or changed here SQLite itself complains of.
    private static func keepPrivate(_ path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        for suffix in ["", "-wal", "-shm", "-journal"] {
            var status = stat()
            guard stat(path + suffix, &status) == 0, status.st_mode & 0o077 != 0 else { continue }
            _ = chmod(path + suffix, status.st_mode & 0o700)
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
