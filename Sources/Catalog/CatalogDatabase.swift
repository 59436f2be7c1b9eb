import Foundation

/// The catalog of a node: who, what is named, what is kept.
///
/// In a file, it owns `<data>/catalog.sqlite` (with `-wal` and `-shm` beside it while open), and
/// ``close()`` folds the log into the file, so that it can be copied; after a crash the next open does so.
/// It may be in a PostgreSQL server as well. A change survives power loss when the call returns;
/// changes of many threads share a transaction. Rows are sealed with a checksum that is checked whenever
/// they are read.
///
/// Thread-safe and synchronous. Rows hold roots, never other blocks.
public final class CatalogDatabase: Sendable {
    /// The name of the file in the data directory.
    public static let fileName = "catalog.sqlite"

    /// The pins.
    public let pins: PinRepository
    /// The settings.
    public let settings: SettingRepository
    /// The names whose keys are here.
    public let names: NameRepository
    /// Which of them follow namespaces.
    public let nameFollows: NameFollowRepository
    /// Records of names whose keys are elsewhere.
    public let foreignRecords: ForeignRecordRepository
    /// Projects and their members.
    public let projects: ProjectRepository
    public let users: UserRepository
    /// Grants and their counters.
    public let grants: GrantRepository
    public let sessions: SessionRepository
    /// What was allowed and refused.
    public let audit: AuditRepository
    /// Work in the background.
    public let jobs: JobRepository
    /// Namespaces; their trees are in the module `Namespaces`.
    public let namespaces: NamespaceRepository
    /// Machines that sync folders.
    public let devices: DeviceRepository
    /// What devices said of files for a while.
    public let leases: LeaseRepository
    /// Changes that were not taken.
    public let conflicts: ConflictRepository
    /// Links to what is in namespaces.
    public let links: LinkRepository
    /// Who else may use namespaces.
    public let members: NamespaceMemberRepository

    package var database: any SQLDatabase { meter }
    let meter: MeteredDatabase
    let path: String
    /// Unix milliseconds.
    let now: @Sendable () -> Int64

    /// What a catalog asks of the world outside.
    public struct Environment: Sendable {
        /// Unix milliseconds.
        public var now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }

        /// How many changes of different threads share one transaction of a file at most; 1 for none.
        public var maximumGroup = 64

        public init() {}
    }

    /// Opens the catalog at `path`, or makes it, and brings its schema up to date.
    ///
    /// - Throws: `newerSchema` before anything is written, `damaged`, `cannotOpen`, `busy`, `readOnly`.
    public convenience init(path: String, environment: Environment = Environment()) throws {
        // The look before opening: opening alone writes already.
        _ = try SQLiteDatabase.inspect(path: path) { try Migrator(path: path).version(of: $0) }
        var options = SQLiteDatabase.Options()
        options.maximumGroup = environment.maximumGroup
        try self.init(SQLiteDatabase(path: path, options: options), path: path, environment: environment)
    }

    /// A catalog that is gone when the last reference goes.
    public static func inMemory(environment: Environment = Environment()) throws -> CatalogDatabase {
        try CatalogDatabase(
            SQLiteDatabase(inMemory: SQLiteDatabase.Options()), path: ":memory:", environment: environment)
    }

    /// A catalog in any database; brings its schema up to date.
    package init(_ base: some SQLDatabase, path: String, environment: Environment) throws {
        try Migrator(path: path).migrate(base, now: environment.now())
        let database = MeteredDatabase(base)
        meter = database
        self.path = path
        now = environment.now
        let newest = try database.read {
            try $0.firstRow("SELECT id FROM pins ORDER BY id DESC LIMIT 1")?.text(0)
        }
        // An id that is damaged is for `problems()` to name, and no reason to stay closed.
        let ids = RecordIDGenerator<Pin>(after: newest.flatMap { try? PinID(text: $0) })
        pins = PinRepository(database: database, ids: ids, now: environment.now)
        settings = SettingRepository(database: database)
        names = NameRepository(database: database, now: environment.now)
        nameFollows = NameFollowRepository(database: database, now: environment.now)
        foreignRecords = ForeignRecordRepository(database: database)
        let now = environment.now
        projects = ProjectRepository(database: database, ids: RecordIDGenerator(after: nil), now: now)
        users = UserRepository(database: database, ids: RecordIDGenerator(after: nil), now: now)
        grants = GrantRepository(database: database, ids: RecordIDGenerator(after: nil), now: now)
        sessions = SessionRepository(database: database)
        audit = AuditRepository(database: database, ids: RecordIDGenerator(after: nil))
        jobs = JobRepository(database: database, ids: RecordIDGenerator(after: nil), now: now)
        devices = DeviceRepository(database: database, now: now)
        leases = LeaseRepository(database: database, now: now)
        conflicts = ConflictRepository(database: database)
        namespaces = NamespaceRepository(database: database, ids: RecordIDGenerator(after: nil), now: now)
        links = LinkRepository(database: database)
        members = NamespaceMemberRepository(database: database, now: now)
    }

    /// Closes the database; calls after it fail.
    public func close() throws { try database.close() }

    /// Everything that is wrong with the catalog. Reads all of it; empty if it is sound.
    ///
    /// Looks at pages and indexes, the seal of every row, and the counters. The collector asks first: a pin
    /// that cannot be seen would cost its blocks.
    public func problems() throws -> [CatalogProblem] {
        let storage = try database.storageProblems().map { CatalogProblem.storage(path: path, detail: $0) }
        // Rows of a file whose pages are wrong would only say the same again.
        guard storage.isEmpty else { return storage }
        do {
            return try database.read { connection in
                var problems = try SealedTable.all.flatMap { try $0.problems(connection) }
                try NameTables.check(connection) { problems.append(.row($0)) }
                if try !PinCounterTable.isRight(connection) { problems.append(.counters) }
                return problems
            }
        } catch CatalogError.damaged(let path, let detail) {
            return [.storage(path: path, detail: detail)]
        } catch CatalogError.failed(let path, code: 1, let message) {
            // SQLITE_ERROR, of statements that fit the schema of this version: its text is another one.
            return [.storage(path: path, detail: message)]
        }
    }

    /// Counts the pins anew, after ``problems()`` found the counters wrong.
    public func repairCounters() throws { try database.write { try PinCounterTable.recount($0) } }
}

/// Something that is wrong with a catalog.
public enum CatalogProblem: Hashable, Sendable {
    /// The database finds its files inconsistent.
    case storage(path: String, detail: String)
    /// A row is not as it was written.
    case row(CatalogError)
    /// The counters of the pins do not fit the pins; ``CatalogDatabase/repairCounters()`` makes them anew.
    case counters
}

extension CatalogProblem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .storage(let path, let detail): CatalogError.damaged(path: path, detail: detail).description
        case .row(let error): error.description
        case .counters: "the counters of the pins in the catalog are wrong; `verify --repair` counts anew"
        }
    }
}
