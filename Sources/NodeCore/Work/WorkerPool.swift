import BlockStorage
import Foundation

/// A few threads of its own for reading, hashing and storing, so that nothing blocks the cooperative pool.
///
/// The number of threads is the bound on the work that goes on at once; the bound on what waits is the
/// caller's, who holds a ``Pending`` for each task it submitted.
final class WorkerPool: Sendable {
    private let state: Monitor<State>
    let threads: Int

    private struct State {
        var tasks: [@Sendable () -> Void] = []
        /// Tasks before this one are done or being done; kept so that taking one costs nothing.
        var next = 0
        var isClosed = false
    }

    init(threads: Int) {
        precondition(threads > 0, "a pool without threads would never do anything")
        self.threads = threads
        let state = Monitor(State())
        self.state = state
        for number in 0..<threads {
            let thread = Thread { Self.run(state) }
            thread.name = "nacre-worker-\(number)"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    deinit {
        state.with { $0.isClosed = true }
        state.signalAll()
    }

    /// Runs `work` on one of the threads.
    func submit<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) -> Pending<Value> {
        let pending = Pending<Value>()
        state.with { $0.tasks.append { pending.fulfil(Result(catching: work)) } }
        state.signalOne()
        return pending
    }

    private static func run(_ state: Monitor<State>) {
        while let task = takeTask(state) { task() }
    }

    private static func takeTask(_ state: Monitor<State>) -> (@Sendable () -> Void)? {
        state.wait { state in
            if state.next < state.tasks.count {
                let task = state.tasks[state.next]
                state.next += 1
                if state.next > 64 || state.next == state.tasks.count {
                    state.tasks.removeFirst(state.next)
                    state.next = 0
                }
                return .done(task)
            }
            return state.isClosed ? .done(nil) : .waiting
        }
    }
}

/// The result of a task that a worker does.
final class Pending<Value: Sendable>: Sendable {
    private let result = Monitor<Result<Value, any Error>?>(nil)

    /// Waits for the result.
    func value() throws -> Value {
        try result.wait { $0.map { .done($0) } ?? .waiting }.get()
    }

    /// Whether ``value()`` would return at once.
    var isDone: Bool { result.with { $0 != nil } }

    fileprivate func fulfil(_ value: Result<Value, any Error>) {
        result.with { $0 = value }
        result.signalAll()
    }
}
