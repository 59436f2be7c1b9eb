public import Catalog
import NodeCore
public import NodeMessages

extension LocalNode {
    /// The job of that id as the catalog has it, if it is there to be seen.
    public func job(_ id: String) throws -> Job? {
        guard let job = try node.catalog.jobs.job(JobID(text: id)), seesAll || job.project == project else {
            return nil
        }
        return job
    }

    /// A page of jobs, newest first.
    ///
    /// - Parameter current: brings a job to what it is at this moment.
    func jobs(
        state: String?, cursor: String?, limit: Int, _ current: (Job) -> Job
    ) throws -> PageMessage<JobMessage<JSONValue>> {
        var filter = JobFilter()
        filter.project = seesAll ? nil : project
        filter.states = try state.map { text in
            guard let state = JobState(rawValue: text) else {
                throw NodeFailure(
                    .invalid, code: "invalid-value",
                    detail: "a state is queued, running, done, failed or cancelled")
            }
            return [state]
        }
        let limit = min(max(limit, 1), JobRepository.maximumPage)
        let jobs = try node.catalog.jobs.list(
            filter, after: try cursor.map { try JobID(text: $0) }, limit: limit)
        return PageMessage(
            items: jobs.map { JobMessage(current($0)) },
            next: jobs.count < limit ? nil : jobs.last?.id.text)
    }

    public func forEachJob(state: String?, _ body: (JobMessage<JSONValue>) throws -> Void) throws {
        var next: String?
        repeat {
            let page = try jobs(state: state, cursor: next, limit: JobRepository.maximumPage) { $0 }
            for job in page.items { try body(job) }
            next = page.next
        } while next != nil
    }

    /// In a directory that no node serves nothing goes on, so that nothing is waited for.
    public func job(_ id: String, waitSeconds: Int) throws -> JobMessage<JSONValue> {
        guard let job = try job(id) else { throw NodeFailure(jobAbsent: id) }
        if waitSeconds > 0, !job.state.isFinal {
            throw NodeFailure(
                .conflict, code: "job-waits",
                detail: "job \(job.id) goes on when the node runs: start it (`nacre serve`)")
        }
        return JobMessage(job)
    }

    /// Ends a job that no node does at the moment.
    public func cancelJob(_ id: String) throws -> JobMessage<JSONValue> {
        guard let job = try job(id) else { throw NodeFailure(jobAbsent: id) }
        if job.state.isFinal { throw NodeFailure(ended: job) }
        var after = try node.catalog.jobs.requestCancel(job.id)
        // What was under way when its node ended is over now, unless another node of the catalog does it.
        if after?.state == .running, job.node == node.catalogID {
            try node.catalog.jobs.requeue(job.id)
            after = try node.catalog.jobs.job(job.id)
        }
        return JobMessage(after ?? job)
    }
}

extension NodeFailure {
    /// There is no such job to be seen.
    init(jobAbsent id: String) {
        self.init(
            .notFound, code: "job-not-found", detail: "there is no job \(id.prefix(100)) to be seen")
    }

    /// The job is over, so that nothing can end it.
    init(ended job: Job) {
        self.init(
            .conflict, code: "job-ended",
            detail: "job \(job.id) is \(job.state.rawValue) already: there is nothing to cancel")
    }
}
