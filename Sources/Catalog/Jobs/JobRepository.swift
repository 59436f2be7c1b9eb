/// The jobs of the catalog.
///
/// Thread-safe and synchronous. A change that returned survives power loss. A job is begun by one node
/// only: ``claim(node:kinds:)`` moves it from `queued` to `running` in one transaction.
public struct JobRepository: Sendable {
    let database: any SQLDatabase
    let ids: RecordIDGenerator<Job>
    let now: @Sendable () -> Int64

    /// The most jobs of one page.
    public static let maximumPage = 1000

    /// Adds a job, which waits then.
    ///
    /// - Throws: `metaTooLarge` if the request is larger than ``Job/maximumRequestBytes``.
    public func add(_ draft: JobDraft) throws -> Job {
        guard draft.request.utf8.count <= Job.maximumRequestBytes else {
            throw CatalogError.metaTooLarge(
                bytes: draft.request.utf8.count, maximum: Job.maximumRequestBytes)
        }
        let time = now()
        let job = Job(
            id: ids.next(now: time), node: draft.node, project: draft.project, kind: draft.kind,
            request: draft.request, state: .queued, progress: JobProgress(), result: nil, failure: nil,
            isCancelRequested: false, attempts: 0, created: time, started: nil, finished: nil)
        try database.write { connection -> Void in
            try connection.execute(
                "INSERT INTO jobs (\(JobRow.columns)) VALUES (\(SealedColumns.placeholders(JobRow.count)))",
                JobRow.values(job))
        }
        return job
    }

    /// The job of that id, if there is one.
    public func job(_ id: JobID) throws -> Job? {
        try database.read { try find(id, $0) }
    }

    /// A page of jobs, newest first.
    ///
    /// - Parameter after: the id of the last job of the page before.
    public func list(_ filter: JobFilter = JobFilter(), after: JobID? = nil, limit: Int = 100) throws -> [Job]
    {
        var condition = filter.condition()
        if let after { condition.require("id < ?", .text(after.text)) }
        let limit = min(max(limit, 1), Self.maximumPage)
        return try database.read { connection in
            try connection.rows(
                "SELECT \(JobRow.columns) FROM jobs\(condition.clause) ORDER BY id DESC LIMIT \(limit)",
                condition.values
            ).map(JobRow.job)
        }
    }

    /// How many jobs of each kind wait for their turn.
    public func queued(node: String) throws -> [String: Int] {
        try database.read { connection in
            var counts: [String: Int] = [:]
            try connection.query(
                "SELECT kind, count(*) FROM jobs WHERE node = $1 AND state = $2 GROUP BY kind",
                [.text(node), .text(JobState.queued.rawValue)]
            ) { try counts[$0.text(0)] = Int(clamping: $0.integer(1)) }
            return counts
        }
    }

    /// Begins the oldest job that waits.
    ///
    /// - Returns: the job, `running` now; `nil` if none of these kinds waits.
    public func claim(node: String, kinds: Set<String>) throws -> Job? {
        try database.write { connection in
            var condition = SQLCondition()
            condition.require("node = ?", .text(node))
            condition.require("state = ?", .text(JobState.queued.rawValue))
            condition.require("kind", in: kinds.sorted().map { .text($0) })
            let row = try connection.firstRow(
                "SELECT \(JobRow.columns) FROM jobs\(condition.clause) ORDER BY id LIMIT 1",
                condition.values)
            guard let job = try row.map(JobRow.job) else { return nil }
            var begun = JobRow.Change(job)
            begun.state = .running
            begun.attempts += 1
            begun.started = now()
            return try write(begun, over: job, connection)
        }
    }

    /// Notes how far a job has come; one that is not running stays as it is.
    public func note(_ progress: JobProgress, of id: JobID) throws {
        try change(id) { job in
            guard job.state == .running else { return nil }
            var change = JobRow.Change(job)
            change.progress = progress
            return change
        }
    }

    /// Ends a job: with a result, a failure, or cancelled.
    public func finish(
        _ id: JobID, _ state: JobState, progress: JobProgress, result: String? = nil,
        failure: JobFailure? = nil
    ) throws {
        try change(id) { job in
            guard !job.state.isFinal else { return nil }
            var change = JobRow.Change(job)
            change.state = state
            change.progress = progress
            change.result = result
            change.failure = failure
            change.finished = now()
            return change
        }
    }

    /// Lets jobs wait again that were running when their node ended.
    ///
    /// - Returns: how many there were.
    @discardableResult
    public func requeueRunning(node: String) throws -> Int {
        var filter = JobFilter()
        filter.node = node
        filter.states = [.running]
        var count = 0
        while true {
            let page = try list(filter, limit: Self.maximumPage)
            for job in page { try requeue(job.id) }
            count += page.count
            if page.count < Self.maximumPage { return count }
        }
    }

    /// Lets a job wait again, which is running.
    public func requeue(_ id: JobID) throws {
        try change(id) { job in
            guard job.state == .running else { return nil }
            var change = JobRow.Change(job)
            change.state = job.isCancelRequested ? .cancelled : .queued
            if change.state == .cancelled { change.finished = now() }
            return change
        }
    }

    /// Asks for the end of a job: one that waits ends at once, one that runs when its node sees it.
    ///
    /// - Returns: the job as it is then; `nil` if there is none.
    @discardableResult
    public func requestCancel(_ id: JobID) throws -> Job? {
        try change(id) { job in
            guard !job.state.isFinal else { return nil }
            var change = JobRow.Change(job)
            change.isCancelRequested = true
            if job.state == .queued {
                change.state = .cancelled
                change.finished = now()
            }
            return change
        }
    }

    /// Removes jobs that ended before `time` (Unix milliseconds).
    @discardableResult
    public func removeEnded(before time: Int64) throws -> Int {
        try database.write { connection in
            try connection.execute("DELETE FROM jobs WHERE finished < $1", [.integer(time)])
        }
    }

    /// - Parameter body: `nil` leaves the job as it is.
    @discardableResult
    private func change(_ id: JobID, _ body: (Job) -> JobRow.Change?) throws -> Job? {
        try database.write { connection in
            guard let job = try find(id, connection) else { return nil }
            guard let change = body(job) else { return job }
            return try write(change, over: job, connection)
        }
    }

    private func write(_ change: JobRow.Change, over job: Job, _ connection: any SQLConnection) throws -> Job
    {
        let new = change.applied(to: job)
        try connection.execute(
            """
            UPDATE jobs SET state = $6, items = $7, total_items = $8, bytes = $9, total_bytes = $10,
                result = $11, failure_code = $12, failure = $13, cancel = $14, attempts = $15,
                started = $17, finished = $18, seal = $19
            WHERE id = $1 AND node = $2 AND (project = $3 OR project IS NULL) AND kind = $4 AND request = $5
                AND created = $16
            """, JobRow.values(new))
        return new
    }

    private func find(_ id: JobID, _ connection: any SQLConnection) throws -> Job? {
        try connection.firstRow("SELECT \(JobRow.columns) FROM jobs WHERE id = $1", [.text(id.text)])
            .map(JobRow.job)
    }
}

extension JobFilter {
    fileprivate func condition() -> SQLCondition {
        var condition = SQLCondition()
        if let node { condition.require("node = ?", .text(node)) }
        if let project { condition.require("project = ?", .text(project.rawValue)) }
        if let kind { condition.require("kind = ?", .text(kind)) }
        if let states {
            condition.require("state", in: states.map(\.rawValue).sorted().map { .text($0) })
        }
        return condition
    }
}
