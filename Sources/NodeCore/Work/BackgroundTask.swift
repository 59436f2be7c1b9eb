/// One task at a time on a thread of its own.
public final class BackgroundTask {
    private let pool = WorkerPool(threads: 1)
    private var pending: Pending<Void>?

    public init() {}

    /// Whether a task was started whose end nobody has seen yet.
    public var isRunning: Bool { pending != nil }

    /// Starts a task; the one before must have been waited for.
    public func start(_ work: @escaping @Sendable () throws -> Void) {
        precondition(pending == nil, "the task before has not been waited for")
        pending = pool.submit(work)
    }

    /// Whether the task has ended; if so it is over, and its error is thrown.
    public func isDone() throws -> Bool {
        guard let pending, pending.isDone else { return false }
        self.pending = nil
        try pending.value()
        return true
    }

    /// Waits for the task, if one was started, and throws its error.
    public func wait() throws {
        guard let pending else { return }
        self.pending = nil
        try pending.value()
    }
}
