/// A connection in the middle of a transaction: what repositories speak to.
///
/// Valid only within the closure that it was given to, on that thread. After a statement of a change failed,
/// all that is left is to throw: PostgreSQL lets nothing else follow.
package protocol SQLConnection {
    var dialect: SQLDialect { get }

    /// Runs one statement, with `$1` standing for the first value.
    ///
    /// - Returns: how many rows it changed.
    @discardableResult
    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int

    /// Runs one statement and gives each row to `body` as it comes.
    ///
    /// `body` may use the connection; PostgreSQL then holds the rows that are still to come in memory.
    func query(_ sql: String, _ values: [SQLValue], _ body: (SQLRow) throws -> Void) throws
}

extension SQLConnection {
    /// Runs one statement without values.
    @discardableResult
    package func execute(_ sql: String) throws -> Int { try execute(sql, []) }

    /// All rows, for results that the statement itself limits.
    package func rows(_ sql: String, _ values: [SQLValue] = []) throws -> [SQLRow] {
        var rows: [SQLRow] = []
        try query(sql, values) { rows.append($0) }
        return rows
    }

    /// The first row, if there is one.
    package func firstRow(_ sql: String, _ values: [SQLValue] = []) throws -> SQLRow? {
        try rows(sql, values).first
    }

    /// Whether there is a table of that name.
    package func hasTable(_ name: String) throws -> Bool {
        try firstRow(dialect.countTables, [.text(name)])?.integer(0) != 0
    }
}

/// A database behind the catalog: SQLite, the embedded default, or PostgreSQL.
///
/// Thread-safe and synchronous. Closures must not enter the database again: they use the connection they
/// are given.
package protocol SQLDatabase: Sendable {
    /// Where writes wait for their transaction.
    var queue: WriteQueue { get }

    /// How often its log could not be folded into its file since it was opened; 0 where there is none.
    var logFailures: UInt64 { get }

    /// Runs `body` on one state of the database.
    func read<T>(_ body: (any SQLConnection) throws -> T) throws -> T

    /// Runs `body` in a transaction, of which its part is undone if it throws. When the call returns, what was
    /// written survives power loss.
    ///
    /// There is one writer at a time, among all processes that use the database: what `body` has read stays
    /// true until it is done. It may share the transaction with others, run on another thread while this one
    /// waits, and be run again when the transaction has to be tried again. So it takes no locks that are
    /// held around a call of `write`, and leaves nothing behind outside but what running it again replaces.
    func write<T>(_ body: (any SQLConnection) throws -> T) throws -> T

    /// As ``write(_:)``, in a transaction of its own, and however long it takes: for steps of the schema.
    func writeAlone<T>(_ body: (any SQLConnection) throws -> T) throws -> T

    /// What is wrong with the files or pages of the database itself; empty if they are sound. Reads all.
    func storageProblems() throws -> [String]

    /// Writes out what is pending and closes. The database cannot be used after it.
    func close() throws
}

extension SQLDatabase {
    package var logFailures: UInt64 { 0 }

    package func writeAlone<T>(_ body: (any SQLConnection) throws -> T) throws -> T { try write(body) }
}
