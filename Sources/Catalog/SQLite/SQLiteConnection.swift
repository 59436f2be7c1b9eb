import Foundation
import GRDB

/// A connection that GRDB lends for one transaction.
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
            try statement.execute(arguments: StatementArguments(values.map(\.databaseValue)))
            return database.changesCount
        } catch let error as DatabaseError {
            throw CatalogError(error, path: path)
        }
    }

    func query(_ sql: String, _ values: [SQLValue], _ body: (SQLRow) throws -> Void) throws {
        do {
            let statement = try database.cachedStatement(sql: Self.numbered(sql))
            let arguments = StatementArguments(values.map(\.databaseValue))
            let rows = try Row.fetchCursor(statement, arguments: arguments)
            while let row = try rows.next() {
                try body(SQLRow(row.databaseValues.map(SQLValue.init)))
            }
        } catch let error as DatabaseError {
            throw CatalogError(error, path: path)
        }
    }

    /// `$1` as `?1`: SQLite takes `$1` for a name, and numbers names by where they first stand.
    static func numbered(_ sql: String) -> String {
        var bytes = Array(sql.utf8)
        for index in bytes.indices.dropLast()
        where bytes[index] == UInt8(ascii: "$") && (48...57).contains(bytes[index + 1]) {
            bytes[index] = UInt8(ascii: "?")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension SQLValue {
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let number): number.databaseValue
        case .real(let number): number.databaseValue
        case .text(let text): text.databaseValue
        case .blob(let bytes): Data(bytes).databaseValue
        }
    }

    fileprivate init(_ value: DatabaseValue) {
        switch value.storage {
        case .null: self = .null
        case .int64(let number): self = .integer(number)
        case .double(let number): self = .real(number)
        case .string(let text): self = .text(text)
        case .blob(let data): self = .blob([UInt8](data))
        }
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
