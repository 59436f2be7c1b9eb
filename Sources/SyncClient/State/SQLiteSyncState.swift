import Foundation
import GRDB
import Glibc
import Synchronization
public import TreeValues

/// The state of a folder in one SQLite file.
///
/// What is durable: a transaction that returned survives the end of the process; a power cut may take the
/// last few. What is lost then is found again, since the disk is scanned and the journal read from the
/// older cursor.
///
/// One process has the file open at a time. Only the user can read it. Thread-safe: calls of several
/// threads follow one another, and a transaction holds up the others until it ends; so do not wait for
/// another thread that uses the state within one.
///
/// Unchecked: `session` is touched on the queue's serial dispatch queue only, see `access`; `owner` is
/// atomic.
public final class SQLiteSyncState: SyncState, @unchecked Sendable {
    public let root: NodeID
    let path: String
    private let queue: DatabaseQueue
    private let session: StateSession
    /// The thread that has the connection; 0 for none. No other thread can find its own number there.
    private let owner = Atomic<UInt>(0)

    /// How the file is opened.
    public struct Options: Sendable {
        /// Memory for pages: bytes.
        public var cacheBytes = 24 * 1024 * 1024
        /// Unix milliseconds.
        public var now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }

        public init() {}
    }

    let options: Options

    /// Opens the file at `path`, or makes it.
    ///
    /// - Parameter root: the id of the namespace's root directory.
    /// - Throws: ``SyncStateError``.
    public init(path: String, root: NodeID, options: Options = Options()) throws {
        self.path = path
        self.root = root
        self.options = options
        queue = try StateFile.open(path, schema: .trees, cacheBytes: options.cacheBytes, now: options.now())
        session = StateSession(path: path)
    }

    /// Opens a file that no process has open, to look at it: nothing is written, and no transaction is
    /// possible.
    ///
    /// - Throws: ``SyncStateError``: `inUse` where a process syncs the folder.
    public init(reading path: String, root: NodeID, options: Options = Options()) throws {
        self.path = path
        self.root = root
        self.options = options
        queue = try StateFile.openToRead(path, schema: .trees)
        session = StateSession(path: path)
    }

    deinit {
        // Who did not close it loses nothing: the write-ahead log is read at the next opening.
        try? close()
    }

    /// Folds the write-ahead log into the file, and closes it. Nothing may be called afterwards.
    public func close() throws {
        queue.unsafeReentrantWrite { _ in session.close() }
        try StateFile.mapping(path) { try queue.close() }
    }

    /// Runs `body` where the connection is; at once if the caller is within a transaction.
    func access<Result>(_ body: (StateSession) throws -> Result) throws -> Result {
        let thread = UInt(pthread_self())
        // Calls within a transaction are many, and the way through the queue is long.
        if owner.load(ordering: .relaxed) == thread { return try body(session) }
        return try StateFile.mapping(path) {
            try queue.unsafeReentrantWrite { database in
                let thread = UInt(pthread_self())
                owner.store(thread, ordering: .relaxed)
                defer { owner.store(0, ordering: .relaxed) }
                try session.begin(database)
                return try body(session)
            }
        }
    }

    /// Like ``access(_:)``, for what changes a tree: in a transaction of its own if there is none.
    func change(_ body: (StateSession) throws -> Void) throws {
        try access { session in
            if session.isInTransaction { return try body(session) }
            try session.transaction(body)
        }
    }

    public func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        try access { session in
            try session.transaction { _ in try body() }
        }
    }
}

/// Opens SQLite files that only the user may read.
enum StateFile {
    static func open(_ path: String, schema: StateSchema, cacheBytes: Int, now: Int64) throws -> DatabaseQueue
    {
        // SQLite gives the files beside it the same mode.
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw SyncStateError.failed(path: path, code: errno, message: "the file cannot be opened")
        }
        fchmod(descriptor, 0o600)
        Glibc.close(descriptor)
        var configuration = Configuration()
        configuration.label = "sync state"
        configuration.busyMode = .timeout(1)
        configuration.prepareDatabase { database in
            try database.execute(
                sql: """
                    PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
                    PRAGMA cache_size = -\(cacheBytes / 1024); PRAGMA temp_store = MEMORY;
                    PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;
                    PRAGMA journal_size_limit = \(64 * 1024 * 1024)
                    """)
        }
        return try mapping(path) {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { try schema.apply(to: $0, path: path, now: now) }
            return queue
        }
    }

    /// Opens a file that is there, of this schema or of an earlier step of it. It stays as it is.
    static func openToRead(_ path: String, schema: StateSchema) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "sync state"
        configuration.readonly = true
        configuration.busyMode = .timeout(1)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF")
        }
        return try mapping(path) {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            _ = try queue.read { try schema.check($0, path: path) }
            return queue
        }
    }

    static func mapping<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw SyncStateError(error, path: path)
        }
    }
}
