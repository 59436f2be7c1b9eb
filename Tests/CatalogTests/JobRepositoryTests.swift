import Catalog
import TestKit
import Testing

/// Jobs in the catalog. On both engines alike.
@Suite struct JobRepositoryTests {
    private func draft(_ kind: String = "verify", project: ProjectID? = .default) -> JobDraft {
        JobDraft(kind: kind, request: "{}", project: project)
    }

    @Test(arguments: Engine.all) func aJobIsBegunOnceByWhoeverIsFirst(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        let first = try catalog.jobs.add(draft())
        let second = try catalog.jobs.add(draft())
        _ = try catalog.jobs.add(draft("other"))
        #expect(try catalog.jobs.claim(node: "elsewhere", kinds: ["verify"]) == nil)
        let claimed = try catalog.jobs.claim(node: "", kinds: ["verify"])
        #expect(claimed?.id == first.id && claimed?.state == .running && claimed?.attempts == 1)
        #expect(try catalog.jobs.claim(node: "", kinds: ["verify"])?.id == second.id)
        #expect(try catalog.jobs.claim(node: "", kinds: ["verify"]) == nil)
    }

    @Test(arguments: Engine.all) func progressAndResultAreKeptAndTheEndIsFinal(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        let job = try catalog.jobs.add(draft(project: nil))
        _ = try catalog.jobs.claim(node: "", kinds: ["verify"])
        let half = JobProgress(items: 3, bytes: 50, totalBytes: 100)
        try catalog.jobs.note(half, of: job.id)
        #expect(try catalog.jobs.job(job.id)?.progress == half)
        #expect(half.fraction == 0.5)
        try catalog.jobs.finish(job.id, .done, progress: half, result: "{\"a\":1}")
        let done = try #require(try catalog.jobs.job(job.id))
        #expect(done.state == .done && done.result == "{\"a\":1}" && done.finished == 5000)
        try catalog.jobs.note(JobProgress(items: 9), of: job.id)
        try catalog.jobs.finish(job.id, .failed, progress: half, failure: JobFailure(code: "x", detail: "y"))
        #expect(try catalog.jobs.requestCancel(job.id) == done)
        #expect(try catalog.jobs.job(job.id) == done)
    }

    @Test(arguments: Engine.all) func whatWasRunningWaitsAgainUnlessItWasToEnd(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        let goesOn = try catalog.jobs.add(draft())
        let ends = try catalog.jobs.add(draft())
        let waits = try catalog.jobs.add(draft())
        _ = try catalog.jobs.claim(node: "", kinds: ["verify"])
        _ = try catalog.jobs.claim(node: "", kinds: ["verify"])
        #expect(try catalog.jobs.requestCancel(ends.id)?.state == .running)
        #expect(try catalog.jobs.requestCancel(waits.id)?.state == .cancelled)
        #expect(try catalog.jobs.requeueRunning(node: "") == 2)
        #expect(try catalog.jobs.job(goesOn.id)?.state == .queued)
        #expect(try catalog.jobs.job(ends.id)?.state == .cancelled)
        #expect(try catalog.jobs.claim(node: "", kinds: ["verify"])?.attempts == 2)
        #expect(try catalog.problems().isEmpty)
    }

    @Test(arguments: Engine.all) func listsArePagedAndFiltered(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        let other = ProjectID(rawValue: "other")
        let ids = try (0..<7).map { try catalog.jobs.add(draft(project: $0 % 2 == 0 ? .default : other)).id }
        var filter = JobFilter()
        #expect(try catalog.jobs.list(filter, limit: 3).map(\.id) == [ids[6], ids[5], ids[4]])
        #expect(
            try catalog.jobs.list(filter, after: ids[4], limit: 9).map(\.id) == [
                ids[3], ids[2], ids[1], ids[0],
            ])
        filter.project = other
        #expect(try catalog.jobs.list(filter).map(\.id) == [ids[5], ids[3], ids[1]])
        filter.states = [.done]
        #expect(try catalog.jobs.list(filter).isEmpty)
        try catalog.jobs.finish(ids[1], .cancelled, progress: JobProgress())
        #expect(try catalog.jobs.removeEnded(before: 5000) == 0)
        #expect(try catalog.jobs.removeEnded(before: 5001) == 1)
        #expect(try catalog.jobs.job(ids[1]) == nil)
    }

    @Test func aRequestThatIsTooLargeIsRefused() throws {
        let catalog = try Engine.sqlite.catalog(at: 5000)
        let large = JobDraft(
            kind: "x", request: String(repeating: "a", count: Job.maximumRequestBytes + 1), project: nil)
        #expect(throws: CatalogError.self) { try catalog.jobs.add(large) }
    }

    @Test(arguments: Engine.all) func projectsHaveNumbersOfTheirOwn(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        let (a, b) = (ProjectID(rawValue: "a"), ProjectID(rawValue: "b"))
        #expect(try catalog.projects.scope(of: a) == 1)
        #expect(try catalog.projects.scope(of: b) == 2)
        #expect(try catalog.projects.scope(of: a) == 1)
    }
}
