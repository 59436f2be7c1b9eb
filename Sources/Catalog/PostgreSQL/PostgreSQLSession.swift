import CPostgreSQL
import Glibc

/// One connection to a server, in the hands of one thread at a time.
///
/// Statements that give nothing back (`BEGIN`, `SAVEPOINT`, …) are queued and travel with the next one, so
/// that they cost no round trip of their own; libpq's pipeline mode is on all the time. Statements are
/// prepared once and known by their text. Rows are handed on as they arrive and never collected.
///
/// After an error on the socket the session ``isBroken`` and is of no further use.
///
/// Spec: PostgreSQL 15, 34.5 "Pipeline Mode", 34.6 "Retrieving Query Results Row-by-Row".
final class PostgreSQLSession: @unchecked Sendable {
    // Proof of Sendable: a session is never used by two threads at once. `PostgreSQLPool` lends each to one
    // thread and takes it back under its lock; the writing session belongs to the leader of the write queue,
    // of whom there is one, and leadership is handed on under the lock of the queue.
    let handle: OpaquePointer
    let path: String
    let lockKey: Int64
    private let tap: (@Sendable (PostgreSQLMoment) -> Void)?
    private var queued: [String] = []
    private var statements = PreparedStatements(limit: 128)
    private var stream: PostgreSQLRowStream?
    /// Rounds that were sent and whose results nobody has looked at yet.
    private var unreadRounds: [Int] = []
    private(set) var isBroken = false
    /// Why the last statement failed.
    private(set) var failure: PostgreSQLState?
    /// Whether any statement was answered since ``forgetAnswers()``.
    private(set) var hasAnswered = false

    /// Takes over a connection that is set up.
    init(_ handle: OpaquePointer, path: String, lockKey: Int64, tap: (@Sendable (PostgreSQLMoment) -> Void)?)
    {
        self.handle = handle
        self.path = path
        self.lockKey = lockKey
        self.tap = tap
    }

    deinit { PQfinish(handle) }

    /// Whether it has served before, and may have died since.
    var isReused = false

    func forgetAnswers() { hasAnswered = false }

    /// Whether a statement failed and the transaction can only be undone.
    var isTransactionFailed: Bool { PQtransactionStatus(handle) == PQTRANS_INERROR }

    /// Whether the server still holds its end. Costs one system call.
    func isAlive() -> Bool {
        guard !isBroken, PQstatus(handle) == CONNECTION_OK else { return false }
        do { try readOldRounds() } catch { return false }
        var poll = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, 0) != 0 else { return true }
        // Nothing was asked, so it is the end of the connection, or a notice.
        return PQconsumeInput(handle) == 1 && PQstatus(handle) == CONNECTION_OK
            && poll.revents & Int16(POLLHUP) == 0
    }

    // MARK: Statements without results

    /// Sends `sql` together with the next statement.
    func queue(_ sql: String) { queued.append(sql) }

    /// Takes back what was queued and not sent; says whether there was any.
    @discardableResult
    func unqueue(_ sql: String) -> Bool {
        guard queued.last == sql else { return false }
        queued.removeLast()
        return true
    }

    /// Forgets everything that was queued.
    func clearQueue() { queued.removeAll(keepingCapacity: true) }

    /// Sends what is queued and waits for it.
    ///
    /// - Returns: what the server says the last one did, such as `COMMIT`.
    @discardableResult
    func flush() throws(CatalogError) -> String {
        guard !queued.isEmpty else { return "" }
        failure = nil
        try readOldRounds()
        let count = try sendQueue()
        try endRound(count)
        moment(.beforeReceiving, [])
        var tag = ""
        var first: CatalogError?
        for _ in 0..<count {
            let outcome = readPlain()
            tag = outcome.tag
            first = first ?? outcome.error
        }
        do { try readSync() } catch { throw first ?? error }
        if let first { throw first }
        return tag
    }

    /// Sends what is queued; whether it went well is found when the session is used next.
    func flushLater() throws(CatalogError) {
        guard !queued.isEmpty else { return }
        try readOldRounds()
        unreadRounds.append(try sendQueue())
        do { try endRound(0) } catch {
            isBroken = true
            throw error
        }
    }

    // MARK: Statements with results

    /// Runs one statement and gives each row to `body` as it comes.
    ///
    /// `body` may run statements too; the rows that are still to come are then held in memory.
    ///
    /// - Returns: how many rows it changed.
    func run(_ sql: String, _ values: [SQLValue], _ body: (SQLRow) throws -> Void) throws -> Int {
        try send(sql, PostgreSQLParameters(values))
        let stream = PostgreSQLRowStream(self)
        self.stream = stream
        defer { if self.stream === stream { self.stream = nil } }
        var thrown: (any Error)?
        while let row = try stream.next(decoding: thrown == nil) {
            guard thrown == nil else { continue }
            // The rest has to be read all the same before the connection can be used again.
            do { try body(row.get()) } catch { thrown = error }
        }
        if let thrown { throw thrown }
        return stream.changedRows
    }

    private func send(_ sql: String, _ parameters: PostgreSQLParameters) throws(CatalogError) {
        if let stream { stream.hold() }
        try readOldRounds()
        let statement = statements.statement(sql, parameters.types)
        if let dropped = statement.dropped { queued.append("DEALLOCATE \(dropped)") }
        let controls = queued
        failure = nil
        var commands = try sendQueue()
        if statement.isNew {
            let sent = PQsendPrepare(handle, statement.name, sql, Int32(parameters.count), parameters.types)
            try check(sent)
            commands += 1
        }
        let sent = parameters.withPointers { addresses, lengths, formats in
            PQsendQueryPrepared(
                handle, statement.name, Int32(parameters.count), addresses, lengths, formats, 1)
        }
        try check(sent)
        try endRound(commands)
        moment(.beforeReceiving, controls + [sql])
        for _ in 0..<commands {
            let outcome = readPlain()
            guard let error = outcome.error else { continue }
            // What follows was passed over by the server.
            if statement.isNew { statements.forget(sql, parameters.types) }
            skipToSync()
            throw error
        }
        PQsetSingleRowMode(handle)
    }

    private func sendQueue() throws(CatalogError) -> Int {
        let commands = queued
        queued.removeAll(keepingCapacity: true)
        moment(.beforeSending, commands)
        for sql in commands { try check(PQsendQueryParams(handle, sql, 0, nil, nil, nil, nil, 1)) }
        return commands.count
    }

    private func endRound(_ commands: Int) throws(CatalogError) { try check(PQpipelineSync(handle)) }

    private func check(_ result: Int32) throws(CatalogError) {
        guard result != 1 else { return }
        let message = Self.line(PQerrorMessage(handle))
        // What was sent of the round and what was not is no longer known.
        isBroken = true
        throw .connectionLost(path: path, reason: message)
    }

    private func moment(_ kind: PostgreSQLMoment.Kind, _ statements: [String]) {
        tap?(PostgreSQLMoment(kind: kind, statements: statements, socket: PQsocket(handle)))
    }

    // MARK: Reading

    /// Reads the results of one statement that gives no rows.
    private func readPlain() -> (error: CatalogError?, tag: String) {
        var error: CatalogError?
        var tag = ""
        while let result = PQgetResult(handle) {
            defer { PQclear(result) }
            if let failed = self.error(of: result) {
                error = error ?? failed
            } else {
                tag = String(cString: PQcmdStatus(result))
                hasAnswered = true
            }
            if isBroken { break }
        }
        return (error, tag)
    }

    private func readSync() throws(CatalogError) {
        guard !isBroken else { throw .connectionLost(path: path, reason: Self.line(PQerrorMessage(handle))) }
        guard let result = PQgetResult(handle) else { throw lose() }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_PIPELINE_SYNC else { throw lose() }
    }

    /// Passes over results up to the end of the round.
    private func skipToSync() {
        var ends = 0
        while !isBroken {
            guard let result = PQgetResult(handle) else {
                // Each passed-over statement ends with nil; many of them in a row are no answer at all.
                ends += 1
                if ends > 1000 { isBroken = true }
                continue
            }
            defer { PQclear(result) }
            let status = PQresultStatus(result)
            if status == PGRES_PIPELINE_SYNC { return }
            if status == PGRES_FATAL_ERROR { _ = error(of: result) }
            ends = 0
        }
    }

    private func readOldRounds() throws(CatalogError) {
        while let commands = unreadRounds.first {
            unreadRounds.removeFirst()
            var first: CatalogError?
            for _ in 0..<commands { first = first ?? readPlain().error }
            try readSync()
            if let first { throw first }
        }
    }

    private func lose() -> CatalogError {
        isBroken = true
        return .connectionLost(path: path, reason: "the server gave an answer that fits no question")
    }

    /// What a result says of a failure; `nil` if it is none.
    private func error(of result: OpaquePointer) -> CatalogError? {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE, PGRES_EMPTY_QUERY: return nil
        case PGRES_PIPELINE_ABORTED:
            return .server(path: path, state: "25P02", message: "a statement before it failed")
        case PGRES_FATAL_ERROR:
            let code = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? ""
            let state = PostgreSQLState(code: code)
            if PQstatus(handle) != CONNECTION_OK || state.endsTheConnection { isBroken = true }
            failure = failure ?? state
            let text = PQresultErrorField(result, Int32(UInt8(ascii: "M"))) ?? PQresultErrorMessage(result)
            let message = Self.line(text)
            return isBroken
                ? .connectionLost(path: path, reason: message) : state.error(path: path, message: message)
        default: return lose()
        }
    }

    /// A message of libpq in one line.
    static func line(_ text: UnsafePointer<CChar>?) -> String {
        guard let text else { return "no message" }
        let lines = String(cString: text).split(whereSeparator: \.isNewline).map {
            $0.drop { $0 == " " || $0 == "\t" }
        }
        return lines.isEmpty ? "no message" : lines.joined(separator: "; ")
    }

    fileprivate func nextResult() -> OpaquePointer? { isBroken ? nil : PQgetResult(handle) }
    fileprivate func endOfStream() throws(CatalogError) { try readSync() }
    fileprivate func note(_ result: OpaquePointer) -> CatalogError? {
        let failed = error(of: result)
        if failed == nil { hasAnswered = true }
        return failed
    }
}

/// The rows of a statement that is under way.
final class PostgreSQLRowStream {
    private let session: PostgreSQLSession
    private var held: [Result<SQLRow, any Error>] = []
    private var nextHeld = 0
    private var isOver = false
    private var error: CatalogError?
    private(set) var changedRows = 0

    init(_ session: PostgreSQLSession) { self.session = session }

    /// The next row; `nil` behind the last one. Without `decoding` rows come out empty.
    func next(decoding: Bool) throws -> Result<SQLRow, any Error>? {
        if nextHeld < held.count {
            defer { nextHeld += 1 }
            return held[nextHeld]
        }
        if let row = pull(decoding: decoding) { return row }
        if let error { throw error }
        return nil
    }

    /// Reads everything that is still to come, so that the connection is free.
    func hold() { while let row = pull(decoding: true) { held.append(row) } }

    private func pull(decoding: Bool) -> Result<SQLRow, any Error>? {
        guard !isOver else { return nil }
        while let result = session.nextResult() {
            defer { PQclear(result) }
            if PQresultStatus(result) == PGRES_SINGLE_TUPLE {
                guard decoding else { return .success(SQLRow([])) }
                return Result { try SQLRow(result, row: 0) }
            }
            if let failed = session.note(result) {
                error = error ?? failed
            } else {
                changedRows = Int(String(cString: PQcmdTuples(result))) ?? 0
            }
        }
        isOver = true
        do { try session.endOfStream() } catch { self.error = self.error ?? error }
        return nil
    }
}
