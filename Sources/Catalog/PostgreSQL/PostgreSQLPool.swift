import Foundation

/// The connections of a process that read: few, kept open, and each lent to one thread at a time.
///
/// A connection that was idle is checked before it is lent; one that the server gave up is replaced.
final class PostgreSQLPool: @unchecked Sendable {
    // Proof of Sendable: `idle`, `open` and `isClosed` are touched only while `condition` is locked.
    private let condition = NSCondition()
    private var idle: [PostgreSQLSession] = []
    private var open = 0
    private var isClosed = false
    private let url: PostgreSQLURL
    private let options: PostgreSQLOptions
    private let limit: Int

    init(_ url: PostgreSQLURL, _ options: PostgreSQLOptions, limit: Int) {
        self.url = url
        self.options = options
        self.limit = limit
    }

    /// Lends a connection to `body`.
    ///
    /// - Throws: `busy` if none came free in time, `cannotOpen`.
    func with<R>(_ body: (PostgreSQLSession) throws -> R) throws -> R {
        let session = try take()
        defer { giveBack(session) }
        return try body(session)
    }

    /// Closes what is idle now, and what is lent when it comes back.
    func close() {
        condition.lock()
        isClosed = true
        open -= idle.count
        idle.removeAll()
        condition.broadcast()
        condition.unlock()
    }

    private func take() throws(CatalogError) -> PostgreSQLSession {
        // One that died stays counted, since another takes its place.
        if let session = try reserve(), session.isAlive() { return session }
        do { return try PostgreSQLSession.connect(url, options) } catch {
            condition.lock()
            open -= 1
            condition.signal()
            condition.unlock()
            throw error
        }
    }

    /// Takes an idle connection, or the right to make one (`nil`).
    private func reserve() throws(CatalogError) -> PostgreSQLSession? {
        condition.lock()
        defer { condition.unlock() }
        let deadline = Date(timeIntervalSinceNow: TimeInterval(options.waitTimeout.wholeMilliseconds) / 1000)
        while true {
            if isClosed { throw .closed(path: url.description) }
            // The one used last is the one most likely to be alive, and lets the others be closed.
            if let session = idle.popLast() { return session }
            if open < limit {
                open += 1
                return nil
            }
            guard condition.wait(until: deadline) else { throw .busy(path: url.description) }
        }
    }

    private func giveBack(_ session: PostgreSQLSession) {
        condition.lock()
        defer { condition.unlock() }
        if isClosed || session.isBroken {
            open -= 1
        } else {
            idle.append(session)
        }
        condition.signal()
    }
}
