import Catalog
import Foundation
import Multiformats
import Synchronization
import TestKit
import Testing

/// SQL is written once, in what SQLite and PostgreSQL share.
@Suite struct SQLDialectTests {
    /// Statements that only work in one of the two.
    @Test(arguments: [
        "INSERT OR", "REPLACE INTO", "AUTOINCREMENT", "GLOB", " LIKE ", "datetime(", "strftime(", "rowid",
        "?",
        "ifnull(", "PRAGMA", "||", "::", "now()", "SERIAL", "group_concat", "json_",
    ])
    func noStatementLeavesTheSharedSubset(word: String) throws {
        for statement in try Self.statements() where !Self.changesSchemaText(statement) {
            #expect(!statement.contains(word), "\(statement)")
        }
    }

    @Test func everyPlaceholderIsNumberedFromOne() throws {
        for statement in try Self.statements() {
            let numbers = Set(statement.matches(of: /\$([0-9]+)/).compactMap { Int($0.1) })
            #expect(numbers == Set(numbers.indices.isEmpty ? 1..<1 : 1..<(numbers.count + 1)), "\(statement)")
        }
    }

    /// PostgreSQL itself parses and plans every statement, in a transaction that is undone.
    @Test(.enabled(if: PostgreSQLServer.isAvailable))
    func postgreSQLUnderstandsEveryStatement() throws {
        let all = try Self.statements(.postgresql)
        let isDefinition = { (sql: String) in sql.hasPrefix("CREATE") || sql.hasPrefix("DROP") }
        var script = "BEGIN;\n" + all.filter(isDefinition).map { $0 + ";\n" }.joined()
        for (number, sql) in all.filter({ !isDefinition($0) }).enumerated() {
            script += "PREPARE s\(number) AS \(sql);\n"
        }
        script += "ROLLBACK;\n"
        let server = try PostgreSQLServer.shared.get()
        try server.psql(script, server.urlOfNewSchema())
    }

    @Test(arguments: [
        ("a", "b"), ("a\u{D7FF}", "a\u{E000}"), ("a\u{10FFFF}", "b"), ("\u{7F}", "\u{80}"),
    ])
    func theRangeOfAPrefixEndsAtTheNextText(prefix: String, end: String) {
        var condition = SQLCondition()
        condition.require("name", startsWith: prefix)
        #expect(condition.clause == " WHERE name >= $1 AND name < $2")
        #expect(condition.values == [.text(prefix), .text(end)])
    }

    /// A step of the schema that is for SQLite alone: see `Migration.quickChecks`.
    private static func changesSchemaText(_ statement: String) -> Bool {
        ["PRAGMA schema_version", "PRAGMA writable_schema"].contains { statement.hasPrefix($0) }
    }

    /// Every statement that the repositories make, in the order they come, each once.
    private static func statements(_ dialect: SQLDialect = .sqlite) throws -> [String] {
        let database = RecordingDatabase(
            try SQLiteDatabase(inMemory: SQLiteDatabase.Options()), pretending: dialect)
        let catalog = try CatalogDatabase(database, path: "", environment: CatalogDatabase.Environment())
        let pin = try catalog.pins.add(PinDraft(root: try cid(1), name: "a")).pin
        var change = PinChange()
        change.name = "b"
        try catalog.pins.update(pin.id, change)
        var filter = PinFilter(root: try cid(1, codec: .dagPB), owner: .default)
        filter.name = "b"
        filter.namePrefix = "b"
        filter.statuses = [.pinned, .failed]
        filter.visibility = .public
        filter.createdBefore = 1
        filter.createdAfter = 2
        _ = try catalog.pins.list(filter)
        _ = try catalog.pins.list(after: pin.id, order: .oldestFirst)
        _ = try catalog.pins.counters(owner: .default)
        try catalog.pins.removeDamaged(pin.id)
        try catalog.settings.set("a", to: "b")
        try catalog.settings.set("a", to: nil)
        _ = try catalog.settings.value("a")
        _ = try catalog.settings.all()
        try useAccess(catalog)
        _ = try catalog.problems()
        try catalog.repairCounters()
        return database.statements
    }

    private static func useAccess(_ catalog: CatalogDatabase) throws {
        try catalog.projects.ensureDefault()
        let user = try catalog.users.add(name: "a", passwordHash: "", isAdministrator: true)
        try catalog.users.update(user.id) { $0.isAdministrator = false }
        _ = try catalog.users.user(named: "a")
        _ = try catalog.users.list(after: user.id)
        let project = try catalog.projects.add(name: "a").id
        try catalog.projects.setRole(.owner, of: user.id, in: project)
        _ = try catalog.projects.role(of: user.id, in: project)
        _ = try catalog.projects.members(of: project)
        _ = try catalog.projects.memberships(of: user.id)
        _ = try catalog.projects.list(after: project)
        let id = catalog.grants.newID()
        try catalog.grants.add(
            GrantRecord(
                id: id, project: project, name: "a", secretHash: [1], operations: "read", scope: "node",
                created: 1))
        var filter = GrantFilter()
        (filter.project, filter.user, filter.parent, filter.name) = (project, user.id, id, "a")
        _ = try catalog.grants.list(filter, after: id)
        let url = SignedURLLimit(nonce: [1], grant: id, maximumUses: 2, expires: 1)
        let limit = UsageLimit(grant: id, maximumUses: 1, maximumBytes: 1)
        _ = try catalog.grants.reserve(UsageClaim(), within: [limit], url: url)
        try catalog.grants.adjust([(id, GrantUsage(uses: -1))], url: url, urlUses: -1)
        try catalog.grants.revoke(url)
        try catalog.grants.removeExpiredURLs(before: 1)
        try catalog.grants.note([id: GrantActivity(lastUsed: 1, requests: 1)])
        _ = try catalog.grants.activity(of: id)
        try catalog.grants.revoke(id)
        try catalog.grants.remove(id)
        let session = SessionRecord(secretHash: [1], user: user.id, created: 1, lastSeen: 1, expires: 1)
        try catalog.sessions.add(session)
        try catalog.sessions.touch(session, at: 2)
        _ = try catalog.sessions.session([1])
        try catalog.sessions.remove([1])
        try catalog.sessions.removeAll(of: user.id)
        try catalog.sessions.removeEnded(before: 1, idleSince: 1)
        var events = AuditFilter()
        (events.project, events.user, events.grant, events.isAllowed) = (project, user.id, id, true)
        let event = AuditEvent(isAllowed: true, operation: "a", resource: "b", source: "c")
        try catalog.audit.add((0..<2).map { AuditRepository.Occurrence(event: event, time: $0, count: 1) })
        _ = try catalog.audit.list(events, before: catalog.audit.list().first?.id)
        try catalog.audit.trim(olderThan: 1, maximumRows: 1)
        try catalog.projects.removeMember(user.id, from: project)
    }
}

/// A database that remembers what it was asked, as if it spoke another dialect where that makes no odds.
private final class RecordingDatabase: SQLDatabase {
    private let base: SQLiteDatabase
    private let dialect: SQLDialect
    private let recorded = Mutex<[String]>([])

    init(_ base: SQLiteDatabase, pretending dialect: SQLDialect) {
        self.base = base
        self.dialect = dialect
    }

    var statements: [String] { recorded.withLock { $0 } }
    var queue: WriteQueue { base.queue }

    func read<T>(_ body: (any SQLConnection) throws -> T) throws -> T {
        try base.read { try body(Connection(base: $0, dialect: dialect, record: record)) }
    }

    func write<T>(_ body: (any SQLConnection) throws -> T) throws -> T {
        try base.write { try body(Connection(base: $0, dialect: dialect, record: record)) }
    }

    func storageProblems() throws -> [String] { [] }
    func close() throws { try base.close() }

    private func record(_ sql: String) {
        recorded.withLock { if !$0.contains(sql) { $0.append(sql) } }
    }

    private struct Connection: SQLConnection {
        let base: any SQLConnection
        let dialect: SQLDialect
        let record: (String) -> Void

        func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
            record(sql)
            return try base.execute(Self.translated(sql), values)
        }

        func query(_ sql: String, _ values: [SQLValue], _ body: (SQLRow) throws -> Void) throws {
            record(sql)
            if sql == SQLDialect.postgresql.countTables {
                return try base.query(SQLDialect.sqlite.countTables, values, body)
            }
            try base.query(sql, values, body)
        }

        /// SQLite has no collation `C` and takes any word for a type.
        private static func translated(_ sql: String) -> String {
            sql.split(separator: " COLLATE \"C\"", omittingEmptySubsequences: false).joined()
        }
    }
}
