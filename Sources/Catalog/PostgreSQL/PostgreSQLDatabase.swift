import Foundation

/// A catalog in PostgreSQL, shared by any number of processes, through blocking libpq.
///
/// Who owns what: one session writes and belongs to the leader of the write queue; the pool has the others,
/// which read. Every transaction that writes takes an advisory lock of the catalog first, so that there is one
/// writer among all nodes, as in SQLite, and what it reads stays true until it commits; readers see one
/// committed state and wait for nobody. `write` returns when the server has synced the commit
/// (`synchronous_commit` is never `off`). A connection that breaks is replaced at the next call.
package final class PostgreSQLDatabase: SQLDatabase {
    private let url: PostgreSQLURL
    private let options: PostgreSQLOptions
    private let pool: PostgreSQLPool
    package let queue: WriteQueue
    private let writer: PostgreSQLWriter

    /// How often a transaction is tried that others got in the way of.
    static let maximumTries = 5

    /// Connects once, so that what is wrong with the address is known.
    ///
    /// - Throws: `cannotOpen`.
    package init(_ url: PostgreSQLURL, options: PostgreSQLOptions = PostgreSQLOptions()) throws {
        self.url = url
        self.options = options
        pool = PostgreSQLPool(url, options, limit: max(1, options.connections - 1))
        var limits = WriteQueue.Limits()
        limits.group = options.maximumGroup
        queue = WriteQueue(limits)
        writer = try PostgreSQLWriter(url, options)
    }

    package func read<T>(_ body: (any SQLConnection) throws -> T) throws -> T {
        // Before anything was answered, a connection that died while it was idle can be left for another.
        while true {
            var mayTryAgain = false
            do {
                return try pool.with { session in
                    session.forgetAnswers()
                    let isReused = session.isReused
                    session.isReused = true
                    session.queue("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    defer { mayTryAgain = session.isBroken && !session.hasAnswered && isReused }
                    let result = Result { try body(PostgreSQLConnection(session: session)) }
                    session.endRead()
                    return try result.get()
                }
            } catch CatalogError.connectionLost where mayTryAgain {
                continue
            }
        }
    }

    package func write<T>(_ body: (any SQLConnection) throws -> T) throws -> T {
        try queue.run(body) { writer.transact($0) }
    }

    package func writeAlone<T>(_ body: (any SQLConnection) throws -> T) throws -> T {
        try queue.run(isAlone: true, body) { writer.transact($0) }
    }

    /// The server checks its own files.
    package func storageProblems() throws -> [String] { [] }

    package func close() throws {
        pool.close()
        writer.close()
    }
}

extension PostgreSQLSession {
    /// Ends a transaction that only read. Nothing waits for the answer.
    fileprivate func endRead() {
        guard !isBroken else { return clearQueue() }
        // Nothing was asked, so nothing was begun.
        if unqueue("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") { return }
        clearQueue()
        queue("ROLLBACK")
        // A connection that fails here is found broken by whoever takes it next.
        try? flushLater()
    }
}
