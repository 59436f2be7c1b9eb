import Foundation

/// The one session of a process that writes, and what a transaction on it looks like.
final class PostgreSQLWriter: @unchecked Sendable {
    // Proof of Sendable: `session` is touched by `transact` alone, which one thread at a time calls (the
    // leader of the write queue), and by `close`, both under `lock`.
    private var session: PostgreSQLSession?
    private var isClosed = false
    private let lock = NSLock()
    private let url: PostgreSQLURL
    private let options: PostgreSQLOptions

    init(_ url: PostgreSQLURL, _ options: PostgreSQLOptions) throws(CatalogError) {
        self.url = url
        self.options = options
        session = try PostgreSQLSession.connect(url, options)
    }

    func close() {
        lock.lock()
        defer { lock.unlock() }
        isClosed = true
        session = nil
    }

    /// Runs jobs in one transaction and commits it, as often as others get in the way. On return every
    /// job without an error is durable.
    func transact(_ jobs: [WriteJob]) {
        lock.lock()
        defer { lock.unlock() }
        var tries = 0
        while true {
            tries += 1
            do throws(Interruption) {
                return try attempt(jobs)
            } catch {
                if error.mayTryAgain, tries < PostgreSQLDatabase.maximumTries {
                    // Whoever got in the way tries again too: not at the same moment.
                    usleep(UInt32.random(in: 0...(5_000 << UInt32(tries))))
                    continue
                }
                for job in jobs { job.fail(error.error) }
                return
            }
        }
    }

    /// A transaction that came to nothing.
    private struct Interruption: Error {
        let error: CatalogError
        let mayTryAgain: Bool
    }

    private func attempt(_ jobs: [WriteJob]) throws(Interruption) {
        let session = try begin(isAlone: jobs.contains(where: \.isAlone))
        let connection = PostgreSQLConnection(session: session)
        var isNeeded = false
        for job in jobs {
            if jobs.count > 1 { session.queue(Self.savepoint) }
            let succeeded = run(job, connection)
            if session.isBroken { throw lost(session, job.error) }
            if session.failure?.isWorthAnotherTry == true {
                rollBack(session)
                throw Interruption(error: .busy(path: url.description), mayTryAgain: true)
            }
            isNeeded = isNeeded || succeeded
            guard jobs.count > 1 else { break }
            if succeeded {
                if !session.unqueue(Self.savepoint) { session.queue(Self.release) }
            } else if !session.unqueue(Self.savepoint) {
                session.queue("ROLLBACK TO " + Self.savepointName)
                session.queue(Self.release)
            }
        }
        guard isNeeded else { return rollBack(session) }
        try commit(session)
    }

    private static let savepointName = "job"
    private static let savepoint = "SAVEPOINT " + savepointName
    private static let release = "RELEASE " + savepointName

    /// Begins, and waits until no other node writes.
    private func begin(isAlone: Bool) throws(Interruption) -> PostgreSQLSession {
        let isReused = session != nil
        let session = try ready()
        session.forgetAnswers()
        session.clearQueue()
        session.queue("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        if isAlone {
            session.queue("SET LOCAL statement_timeout = 0")
            session.queue("SET LOCAL lock_timeout = 0")
        }
        // Read committed: statements behind this one see everything that was committed before it returned.
        session.queue("SELECT pg_catalog.pg_advisory_xact_lock(\(session.lockKey))")
        do throws(CatalogError) {
            try session.flush()
            return session
        } catch {
            if session.isBroken {
                self.session = nil
                // It died while it was idle.
                throw Interruption(error: error, mayTryAgain: isReused && !session.hasAnswered)
            }
            let mayTryAgain = session.failure?.isWorthAnotherTry == true
            rollBack(session)
            throw Interruption(error: error, mayTryAgain: mayTryAgain)
        }
    }

    private func ready() throws(Interruption) -> PostgreSQLSession {
        if isClosed { throw Interruption(error: .closed(path: url.description), mayTryAgain: false) }
        if let session, session.isAlive() { return session }
        session = nil
        do throws(CatalogError) {
            let made = try PostgreSQLSession.connect(url, options)
            session = made
            return made
        } catch {
            throw Interruption(error: error, mayTryAgain: false)
        }
    }

    /// Whether the job went well.
    private func run(_ job: WriteJob, _ connection: PostgreSQLConnection) -> Bool {
        do { try job.run(connection) } catch { return false }
        guard connection.session.isTransactionFailed else { return true }
        job.refuse(
            CatalogError.server(
                path: url.description, state: "25P02", message: "a statement failed and the change went on"))
        return false
    }

    private func commit(_ session: PostgreSQLSession) throws(Interruption) {
        session.queue("COMMIT")
        do throws(CatalogError) {
            // A transaction in which something failed answers so and is undone.
            guard try session.flush() == "COMMIT" else {
                throw CatalogError.server(
                    path: url.description, state: "25P02", message: "the transaction was undone")
            }
        } catch {
            if session.isBroken {
                self.session = nil
                throw Interruption(error: .outcomeUnknown(path: url.description), mayTryAgain: false)
            }
            let mayTryAgain = session.failure?.isWorthAnotherTry == true
            rollBack(session)
            throw Interruption(error: error, mayTryAgain: mayTryAgain)
        }
    }

    private func lost(_ session: PostgreSQLSession, _ error: (any Error)?) -> Interruption {
        self.session = nil
        let reason = error as? CatalogError ?? .connectionLost(path: url.description, reason: "it broke")
        return Interruption(error: reason, mayTryAgain: false)
    }

    private func rollBack(_ session: PostgreSQLSession) {
        session.clearQueue()
        session.queue("ROLLBACK")
        // A session that cannot even do this is given up; the server undoes what it began.
        do { try session.flush() } catch { self.session = nil }
    }
}
