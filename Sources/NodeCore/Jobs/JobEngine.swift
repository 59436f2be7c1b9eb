import BlockStorage
public import Catalog
import Foundation
import Synchronization

/// Does the jobs of one node, one after another in each lane, on threads of its own.
///
/// A job that was running when the process ended, or when ``stop()`` was called, begins anew at the next
/// ``start()``: what is done must be the same if it is done again. A job that ends its process again and
/// again fails at the fifth time.
public final class JobEngine: Sendable {
    /// How often a job is begun at most.
    public static let maximumAttempts: Int64 = 5
    /// How long jobs that ended are kept.
    public static let retention = Duration.seconds(7 * 86400)
    /// Progress is written down so often; whoever asks in between is told what is in memory.
    private static let noteInterval = Duration.seconds(2)

    /// Kinds of jobs that wait for one another.
    public struct Lane: Sendable {
        public let threads: Int
        let kinds: [String: @Sendable (JobContext) throws -> String]

        /// - Parameter kinds: by kind, what does a job and returns its result as JSON.
        public init(threads: Int, kinds: [String: @Sendable (JobContext) throws -> String]) {
            self.threads = threads
            self.kinds = kinds
        }
    }

    private let catalog: CatalogDatabase
    private let node: String
    private let lanes: [Lane]
    private let failure: @Sendable (any Error) -> JobFailure
    private let onError: @Sendable (any Error) -> Void
    private let state = Monitor(State())

    private struct State {
        var isStopping = false
        var threads = 0
        /// Grows with every job that was added; a thread that has seen the newest may sleep.
        var additions: UInt64 = 0
        var running: [JobID: JobContext] = [:]
        /// Grows with every job that ended, for those who wait for one.
        var ends: UInt64 = 0
        var tallies: [String: Tally] = [:]
    }

    /// What became of the jobs of a kind since the start.
    public struct Tally: Hashable, Sendable {
        public var running = 0
        /// By how they ended.
        public var ended: [JobState: Int] = [:]
        /// How long those that ended were worked on, together.
        public var time = Duration.zero

        public init() {}
    }

    /// By kind; every kind that this engine does is there.
    public var tallies: [String: Tally] {
        var tallies = Dictionary(
            uniqueKeysWithValues: Set(lanes.flatMap(\.kinds.keys)).map { ($0, Tally()) })
        let (ended, running) = state.with { ($0.tallies, $0.running.values.map(\.job.kind)) }
        tallies.merge(ended) { $1 }
        for kind in running { tallies[kind, default: Tally()].running += 1 }
        return tallies
    }

    /// - Parameters:
    ///   - node: the id of the data directory where the catalog has several.
    ///   - failure: what is kept of an error.
    ///   - onError: is told of errors of the catalog, after which a job is tried again.
    public init(
        catalog: CatalogDatabase, node: String, lanes: [Lane],
        failure: @escaping @Sendable (any Error) -> JobFailure,
        onError: @escaping @Sendable (any Error) -> Void
    ) {
        self.catalog = catalog
        self.node = node
        self.lanes = lanes
        self.failure = failure
        self.onError = onError
    }

    /// Takes up what was left, and begins.
    public func start() throws {
        try catalog.jobs.requeueRunning(node: node)
        let (seconds, _) = Self.retention.components
        let limit = Int64(Date().timeIntervalSince1970 * 1000) - seconds * 1000
        try catalog.jobs.removeEnded(before: limit)
        for (index, lane) in lanes.enumerated() {
            for number in 0..<lane.threads {
                state.with { $0.threads += 1 }
                let thread = Thread { self.run(lane) }
                thread.name = "nacre-job-\(index)-\(number)"
                thread.stackSize = 1 << 20
                thread.start()
            }
        }
    }

    /// Breaks off what is running, which begins anew at the next start, and returns when nothing runs.
    public func stop() {
        state.with { state in
            state.isStopping = true
            for context in state.running.values { context.cancellation.cancel() }
        }
        state.signalAll()
        state.wait { $0.threads == 0 ? .done(()) : .waiting }
    }

    /// Adds a job.
    public func submit(_ draft: JobDraft) throws -> Job {
        var draft = draft
        draft.node = node
        let job = try catalog.jobs.add(draft)
        state.with { $0.additions += 1 }
        state.signalAll()
        return job
    }

    /// The job of that id with its newest progress, if there is one.
    public func job(_ id: JobID) throws -> Job? { try catalog.jobs.job(id).map(current) }

    /// The job as it is at this moment.
    public func current(_ job: Job) -> Job {
        guard let context = state.with({ $0.running[job.id] }), !job.state.isFinal else { return job }
        return job.with(progress: context.progress)
    }

    /// Waits until a job has ended, but no longer than `patience`.
    ///
    /// - Returns: the job as it is then; `nil` if there is none.
    public func wait(for id: JobID, patience: Duration) throws -> Job? {
        let end = ContinuousClock.now + patience
        while true {
            let ends = state.with { $0.ends }
            guard let job = try job(id), !job.state.isFinal else { return try job(id) }
            let left = end - .now
            guard left > .zero else { return job }
            let isOver = state.wait(atMost: left) { state in
                state.ends != ends || state.isStopping ? .done(state.isStopping) : .waiting
            }
            if isOver == true { return try self.job(id) }
        }
    }

    /// Asks for the end of a job.
    public func cancel(_ id: JobID) throws -> Job? {
        let job = try catalog.jobs.requestCancel(id)
        state.with { $0.running[id]?.cancellation.cancel() }
        state.with { $0.ends += 1 }
        state.signalAll()
        return job.map(current)
    }

    // MARK: A thread

    private func run(_ lane: Lane) {
        let kinds = Set(lane.kinds.keys)
        defer {
            state.with { $0.threads -= 1 }
            state.signalAll()
        }
        while true {
            let (isStopping, additions) = state.with { ($0.isStopping, $0.additions) }
            if isStopping { return }
            do {
                if let job = try catalog.jobs.claim(node: node, kinds: kinds) {
                    try perform(job, lane)
                    continue
                }
            } catch {
                onError(error)
                // The catalog may be away for a while: it is asked again, not as fast as possible.
                _ = state.wait(atMost: .seconds(1)) { $0.isStopping ? .done(()) : .waiting }
                continue
            }
            state.wait { $0.isStopping || $0.additions != additions ? .done(()) : .waiting }
        }
    }

    private func perform(_ job: Job, _ lane: Lane) throws {
        guard job.attempts <= Self.maximumAttempts else {
            return try end(
                job, .failed, JobProgress(),
                failure: JobFailure(
                    code: "too-many-attempts",
                    detail: "the node ended \(Self.maximumAttempts) times while it did this"))
        }
        let context = JobContext(job: job, interval: Self.noteInterval) { [catalog, onError] progress in
            do { try catalog.jobs.note(progress, of: job.id) } catch { onError(error) }
        }
        let isStopping = state.with { state in
            state.running[job.id] = context
            return state.isStopping
        }
        if isStopping { context.cancellation.cancel() }
        // What was asked for between the claim and this line.
        if try catalog.jobs.job(job.id)?.isCancelRequested == true { context.cancellation.cancel() }
        defer { state.with { _ = $0.running.removeValue(forKey: job.id) } }
        do {
            guard let work = lane.kinds[job.kind] else { return try catalog.jobs.requeue(job.id) }
            let result = try work(context)
            try end(job, .done, context.progress, result: result)
        } catch is CancelledError {
            if try catalog.jobs.job(job.id)?.isCancelRequested == true {
                try end(job, .cancelled, context.progress)
            } else {
                try catalog.jobs.requeue(job.id)
            }
        } catch {
            try end(job, .failed, context.progress, failure: failure(error))
        }
    }

    private func end(
        _ job: Job, _ final: JobState, _ progress: JobProgress, result: String? = nil,
        failure: JobFailure? = nil
    ) throws {
        try catalog.jobs.finish(job.id, final, progress: progress, result: result, failure: failure)
        state.with { state in
            state.ends += 1
            var tally = state.tallies[job.kind] ?? Tally()
            tally.ended[final, default: 0] += 1
            if let context = state.running[job.id] { tally.time += ContinuousClock.now - context.begin }
            state.tallies[job.kind] = tally
        }
        state.signalAll()
    }
}

/// What the work of a job gets: its request, a flag to look at, and somebody to tell how far it is.
public final class JobContext: Sendable {
    public let job: Job
    public let cancellation = Cancellation()
    let begin = ContinuousClock.now
    private let interval: Duration
    private let note: @Sendable (JobProgress) -> Void
    private let state: Mutex<(progress: JobProgress, noted: ContinuousClock.Instant)>

    init(job: Job, interval: Duration, note: @escaping @Sendable (JobProgress) -> Void) {
        self.job = job
        self.interval = interval
        self.note = note
        state = Mutex((JobProgress(), .now))
    }

    public var progress: JobProgress { state.withLock { $0.progress } }

    /// Says of how much the work consists, where that is known.
    public func setTotal(items: Int64? = nil, bytes: Int64? = nil) {
        state.withLock { state in
            state.progress.totalItems = items
            state.progress.totalBytes = bytes
        }
    }

    /// Counts what was done.
    public func advance(items: Int = 0, bytes: Int = 0) {
        let due = state.withLock { state -> JobProgress? in
            state.progress.items += Int64(items)
            state.progress.bytes += Int64(bytes)
            let now = ContinuousClock.now
            guard now - state.noted >= interval else { return nil }
            state.noted = now
            return state.progress
        }
        if let due { note(due) }
    }
}
