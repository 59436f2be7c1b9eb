import Dispatch
import Glibc
import Synchronization

/// Groups the writes of many threads into few transactions, since a commit costs a sync of the disk however
/// little it holds.
///
/// A thread that comes while nobody writes leads: it runs its own closure and those of the threads that
/// wait, each behind a savepoint of its own, in one transaction, and wakes them after the commit. Whoever
/// came meanwhile is led by the first of them. So a single writer waits for nobody, and the busier the
/// catalog is, the more closures share a sync.
///
/// Bounded: beyond ``Limits/waiting`` threads the next ones wait before they are queued.
package final class WriteQueue: Sendable {
    /// How many closures share a transaction unless said otherwise.
    package static let defaultGroup = 64

    package struct Limits: Sendable {
        /// How many closures one transaction holds.
        package var group = WriteQueue.defaultGroup
        /// How many closures wait.
        package var waiting = 1024

        package init() {}
    }

    private struct State {
        var waiting: [WriteJob] = []
        var isLed = false
        /// The thread that runs closures now.
        var leader: pthread_t?
        var tally = Tally()
    }

    private let limits: Limits
    private let state = Mutex(State())
    private let places: DispatchSemaphore

    package init(_ limits: Limits = Limits()) {
        self.limits = limits
        places = DispatchSemaphore(value: max(1, limits.waiting))
    }

    /// What went through since the beginning.
    package struct Tally: Sendable {
        /// Transactions.
        package var groups: UInt64 = 0
        /// Closures in them.
        package var jobs: UInt64 = 0
    }

    package var tally: Tally { state.withLock { $0.tally } }

    /// How many closures wait for a transaction.
    package var waiting: Int { state.withLock { $0.waiting.count } }

    /// Runs `body` in a transaction, perhaps together with others and on another thread, while this one
    /// waits.
    ///
    /// - Parameters:
    ///   - isAlone: shares the transaction with nobody.
    ///   - transact: runs jobs in one transaction, sees that ``WriteJob/error`` is set for each that
    ///     is not kept, and returns when the others are durable. Called by one thread at a time.
    package func run<T>(
        isAlone: Bool = false, _ body: (any SQLConnection) throws -> T, transact: ([WriteJob]) -> Void
    ) throws -> T {
        var value: T?
        let error: (any Error)? = withoutActuallyEscaping(body) { body in
            let job = WriteJob(isAlone: isAlone) { value = try body($0) }
            places.wait()
            defer {
                job.forgetBody()
                places.signal()
            }
            var leads = enter(job)
            if !leads {
                job.wait()
                leads = job.leads
            }
            if leads { lead(job, transact) }
            return job.error
        }
        if let error { throw error }
        // `transact` runs each job, or sets its error: anything else is a mistake of ours, and what was
        // written is not known then.
        guard let value else { preconditionFailure("a job ends with a value or an error") }
        return value
    }

    /// Queues a job; whether its thread is to lead.
    private func enter(_ job: WriteJob) -> Bool {
        state.withLock { state in
            precondition(
                state.leader.map { pthread_equal($0, pthread_self()) == 0 } ?? true,
                "a closure that writes must not enter the database again")
            state.waiting.append(job)
            if state.isLed { return false }
            state.isLed = true
            return true
        }
    }

    private func lead(_ own: WriteJob, _ transact: ([WriteJob]) -> Void) {
        let group = state.withLock { state in
            var count = 1
            while count < min(limits.group, state.waiting.count), !state.waiting[0].isAlone,
                !state.waiting[count].isAlone
            { count += 1 }
            let group = Array(state.waiting.prefix(count))
            state.waiting.removeFirst(group.count)
            state.tally.groups += 1
            state.tally.jobs += UInt64(group.count)
            state.leader = pthread_self()
            return group
        }
        transact(group)
        let next = state.withLock { state in
            state.leader = nil
            let next = state.waiting.first
            next?.leads = true
            state.isLed = next != nil
            return next
        }
        next?.signal()
        for job in group where job !== own { job.signal() }
    }
}
