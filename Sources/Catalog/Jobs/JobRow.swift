/// Jobs as rows, and back.
enum JobRow {
    static let columns = """
        id, node, project, kind, request, state, items, total_items, bytes, total_bytes, result, \
        failure_code, failure, cancel, attempts, created, started, finished, seal
        """
    static let count = 19

    static func values(_ job: Job) -> [SQLValue] {
        SealedColumns.values([
            .text(job.id.text), .text(job.node), .optional(job.project?.rawValue), .text(job.kind),
            .text(job.request), .text(job.state.rawValue), .integer(job.progress.items),
            .optional(job.progress.totalItems), .integer(job.progress.bytes),
            .optional(job.progress.totalBytes), .optional(job.result), .optional(job.failure?.code),
            .optional(job.failure?.detail), .integer(job.isCancelRequested ? 1 : 0), .integer(job.attempts),
            .integer(job.created), .optional(job.started), .optional(job.finished),
        ])
    }

    static func job(_ row: SQLRow) throws(CatalogError) -> Job {
        try SealedColumns.read(row, table: "jobs") { row in
            guard let state = JobState(rawValue: try row.text(5)) else { return nil }
            let failure = try row.optionalText(11).map { code in
                JobFailure(code: code, detail: try row.optionalText(12) ?? "")
            }
            return Job(
                id: try JobID(text: row.text(0)), node: try row.text(1),
                project: try row.optionalText(2).map { ProjectID(rawValue: $0) }, kind: try row.text(3),
                request: try row.text(4), state: state,
                progress: JobProgress(
                    items: try row.integer(6), totalItems: try row.optionalInteger(7),
                    bytes: try row.integer(8), totalBytes: try row.optionalInteger(9)),
                result: try row.optionalText(10), failure: failure,
                isCancelRequested: try row.integer(13) != 0, attempts: try row.integer(14),
                created: try row.integer(15), started: try row.optionalInteger(16),
                finished: try row.optionalInteger(17))
        }
    }

    /// What may change of a job.
    struct Change {
        var state: JobState
        var progress: JobProgress
        var result: String?
        var failure: JobFailure?
        var isCancelRequested: Bool
        var attempts: Int64
        var started: Int64?
        var finished: Int64?

        init(_ job: Job) {
            (state, progress, result, failure) = (job.state, job.progress, job.result, job.failure)
            (isCancelRequested, attempts) = (job.isCancelRequested, job.attempts)
            (started, finished) = (job.started, job.finished)
        }

        func applied(to job: Job) -> Job {
            Job(
                id: job.id, node: job.node, project: job.project, kind: job.kind, request: job.request,
                state: state, progress: progress, result: result, failure: failure,
                isCancelRequested: isCancelRequested, attempts: attempts, created: job.created,
                started: started, finished: finished)
        }
    }

    static func create(_ connection: any SQLConnection) throws {
        let text = connection.dialect.textType
        let states = JobState.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS jobs (
                id \(text) NOT NULL PRIMARY KEY,
                node \(text) NOT NULL,
                project \(text),
                kind \(text) NOT NULL,
                request \(text) NOT NULL,
                state \(text) NOT NULL CHECK (state IN (\(states))),
                items BIGINT NOT NULL,
                total_items BIGINT,
                bytes BIGINT NOT NULL,
                total_bytes BIGINT,
                result \(text),
                failure_code \(text),
                failure \(text),
                cancel BIGINT NOT NULL,
                attempts BIGINT NOT NULL,
                created BIGINT NOT NULL,
                started BIGINT,
                finished BIGINT,
                seal BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute("CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (node, state, id)")
        try connection.execute("CREATE INDEX IF NOT EXISTS jobs_by_project ON jobs (project, id)")
        try connection.execute("CREATE INDEX IF NOT EXISTS jobs_by_end ON jobs (finished)")
    }
}
