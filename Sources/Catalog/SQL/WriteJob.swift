import Dispatch

/// A closure that waits to be run in a transaction that it shares with others.
package final class WriteJob: @unchecked Sendable {
    // Proof of Sendable: a job is touched by the thread that made it until it is queued and after
    // `wait` has returned, and by the leader of the queue between; the lock of the queue and the semaphore
    // put the two in order. The closure runs while its owner waits, so what it captures is used by one
    // thread at a time as well.
    private var body: ((any SQLConnection) throws -> Void)?
    private let wake = DispatchSemaphore(value: 0)
    /// Whether the job wants a transaction of its own, however long it takes.
    package let isAlone: Bool
    /// What the closure, or else the transaction, threw.
    package private(set) var error: (any Error)?
    /// Whether the job was woken to lead the queue.
    var leads = false

    init(isAlone: Bool, _ body: @escaping (any SQLConnection) throws -> Void) {
        self.isAlone = isAlone
        self.body = body
    }

    /// Runs the closure; again if the transaction is tried again.
    package func run(_ connection: any SQLConnection) throws {
        error = nil
        do { try body?(connection) } catch {
            self.error = error
            throw error
        }
    }

    /// The transaction came to nothing: a job that went well did not.
    package func fail(_ error: any Error) { if self.error == nil { self.error = error } }

    /// The closure went well, and cannot be kept all the same.
    package func refuse(_ error: any Error) { self.error = error }

    /// Lets go of the closure, which must not outlive the call that it was given to; others may hold the job
    /// for a moment longer.
    func forgetBody() { body = nil }

    func wait() { wake.wait() }
    func signal() { wake.signal() }
}
