import GRDB
import GRDBSQLite
import Synchronization

/// A connection that GRDB lends for one transaction.
///
/// Statements that read and change rows are bound and stepped directly: a commit of a synced folder is
/// thousands of them, and values in between cost more than the rows. Everything else goes through GRDB,
/// which has to know of it.
struct SQLiteConnection: SQLConnection {
    private let database: Database
    private let path: String

    init(_ database: Database, path: String) {
        self.database = database
        self.path = path
    }

    var dialect: SQLDialect { .sqlite }

    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
        do {
            let statement = try database.cachedStatement(sql: Self.numbered(sql))
            guard Self.isAboutRows(sql) else {
                precondition(values.isEmpty, "only statements about rows have parameters")
                try statement.execute()
                return database.changesCount
            }
            try run(statement, values) { _ in }
            return database.changesCount
        } catch let error as DatabaseError {
            throw CatalogError(error, path: path)
        }
    }

    func query(_ sql: String, _ values: [SQLValue], _ body: (SQLRow) throws -> Void) throws {
        do {
            let statement = try database.cachedStatement(sql: Self.numbered(sql))
            try run(statement, values) { handle in
                let count = sqlite3_column_count(handle)
                var row: [SQLValue] = []
                row.reserveCapacity(Int(count))
                for column in 0..<count { row.append(Self.value(handle, column)) }
                try body(SQLRow(row))
            }
        } catch let error as DatabaseError {
            throw CatalogError(error, path: path)
        }
    }

    private static func isAboutRows(_ sql: String) -> Bool {
        ["INSERT", "UPDATE", "DELETE", "SELECT", "WITH"].contains { sql.hasPrefix($0) }
    }

    // MARK: Running

    /// Binds, and steps to the end. The statement holds no lock and no value afterwards.
    private func run(
        _ statement: Statement, _ values: [SQLValue], _ body: (OpaquePointer) throws -> Void
    ) throws {
        let handle = statement.sqliteStatement
        defer {
            sqlite3_reset(handle)
            sqlite3_clear_bindings(handle)
        }
        guard Int(sqlite3_bind_parameter_count(handle)) == values.count else {
            throw DatabaseError(
                resultCode: .SQLITE_MISUSE,
                message: "\(values.count) values for \(sqlite3_bind_parameter_count(handle)) parameters",
                sql: statement.sql)
        }
        for (index, value) in values.enumerated() { Self.bind(value, handle, Int32(index + 1)) }
        while true {
            let code = sqlite3_step(handle)
            switch code {
            case SQLITE_ROW: try body(handle)
            case SQLITE_DONE: return
            default:
                throw DatabaseError(
                    resultCode: ResultCode(rawValue: sqlite3_extended_errcode(database.sqliteConnection)),
                    message: database.lastErrorMessage, sql: statement.sql)
            }
        }
    }

    /// SQLite copies the value at once.
    private static var transient: sqlite3_destructor_type {
        unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }

    private static func bind(_ value: SQLValue, _ handle: OpaquePointer, _ index: Int32) {
        switch value {
        case .null: sqlite3_bind_null(handle, index)
        case .integer(let number): sqlite3_bind_int64(handle, index, number)
        case .real(let number): sqlite3_bind_double(handle, index, number)
        case .text(var text):
            text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { characters in
                    // A pointer to nothing would be NULL, and not an empty text.
                    guard let start = characters.baseAddress else {
                        sqlite3_bind_text(handle, index, "", 0, transient)
                        return
                    }
                    sqlite3_bind_text64(
                        handle, index, start, UInt64(characters.count), transient, UInt8(SQLITE_UTF8))
                }
            }
        case .blob(let bytes):
            bytes.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress, !bytes.isEmpty else {
                    sqlite3_bind_zeroblob(handle, index, 0)
                    return
                }
                sqlite3_bind_blob64(handle, index, start, UInt64(bytes.count), transient)
            }
        }
    }

    private static func value(_ handle: OpaquePointer, _ column: Int32) -> SQLValue {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(handle, column))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(handle, column))
        case SQLITE_TEXT:
            guard let start = sqlite3_column_text(handle, column) else { return .null }
            let count = Int(sqlite3_column_bytes(handle, column))
            return .text(String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
        case SQLITE_BLOB:
            let count = Int(sqlite3_column_bytes(handle, column))
            guard count > 0, let start = sqlite3_column_blob(handle, column) else { return .blob([]) }
            return .blob([UInt8](UnsafeRawBufferPointer(start: start, count: count)))
        default: return .null
        }
    }

    // MARK: Parameters

    /// Statements that were numbered before: there are a few hundred.
    private static let known = Mutex<[String: String]>([:])
    private static let maximumKnown = 4096

    /// `$1` as `?1`: SQLite takes `$1` for a name, and numbers names by where they first stand.
    static func numbered(_ sql: String) -> String {
        if let found = known.withLock({ $0[sql] }) { return found }
        var bytes = Array(sql.utf8)
        for index in bytes.indices.dropLast()
        where bytes[index] == UInt8(ascii: "$") && (48...57).contains(bytes[index + 1]) {
            bytes[index] = UInt8(ascii: "?")
        }
        let numbered = String(decoding: bytes, as: UTF8.self)
        known.withLock { known in
            // Lists of values make statements of any length: these are not kept.
            if known.count < maximumKnown, sql.utf8.count < 4096 { known[sql] = numbered }
        }
        return numbered
    }
}

extension CatalogError {
    /// What an error of SQLite means here.
    init(_ error: DatabaseError, path: String, opening: Bool = false) {
        let message = error.message ?? "no message"
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .damaged(path: path, detail: message)
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy(path: path)
        case .SQLITE_FULL: self = .storageFull(path: path)
        // The index of the log beside the file, which only a full disk keeps from growing.
        case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE:
            self = .storageFull(path: path)
        case .SQLITE_READONLY: self = .readOnly(path: path)
        case .SQLITE_CONSTRAINT
        where [.SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY].contains(error.extendedResultCode):
            self = .notUnique(message: message)
        case .SQLITE_CANTOPEN: self = .cannotOpen(path: path, reason: message)
        default:
            self =
                opening
                ? .cannotOpen(path: path, reason: message)
                : .failed(path: path, code: Int(error.extendedResultCode.rawValue), message: message)
        }
    }
}
