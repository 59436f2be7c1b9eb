import Catalog
import Foundation
import NodeCore
import Synchronization
import TestKit
import Testing

/// Jobs: done, failed, broken off, gone on with.
@Suite struct JobEngineTests {
    private struct Broken: Error, CustomStringConvertible {
        var description: String { "it broke" }
    }

    /// Gates that a test opens for a job.
    private final class Gate: Sendable {
        private let isOpen = Atomic<Bool>(false)
        func open() { isOpen.store(true, ordering: .releasing) }
        func wait(_ context: JobContext) throws {
            while !isOpen.load(ordering: .acquiring) {
                try context.cancellation.check()
                usleep(1000)
            }
        }
    }

    private func engine(
        _ catalog: CatalogDatabase, threads: Int = 1,
        _ work: @escaping @Sendable (JobContext) throws -> String
    ) -> JobEngine {
        JobEngine(
            catalog: catalog, node: "", lanes: [.init(threads: threads, kinds: ["work": work])],
            failure: { JobFailure(code: "broken", detail: "\($0)") }, onError: { _ in })
    }

    private func draft(_ request: String = "1") -> JobDraft {
        JobDraft(kind: "work", request: request, project: nil)
    }

    private func end(_ engine: JobEngine, _ id: JobID) throws -> Job {
        let job = try #require(try engine.wait(for: id, patience: .seconds(60)))
        #expect(job.state.isFinal)
        return job
    }

    @Test func aJobIsDoneAndItsResultKept() throws {
        let catalog = try CatalogDatabase.inMemory()
        let engine = engine(catalog) { context in
            context.setTotal(items: 4)
            context.advance(items: 4)
            return "\"" + context.job.request + "\""
        }
        try engine.start()
        defer { engine.stop() }
        let job = try end(engine, try engine.submit(draft("hello")).id)
        #expect(job.state == .done && job.result == "\"hello\"")
        #expect(job.progress == JobProgress(items: 4, totalItems: 4))
    }

    @Test func aJobThatFailsSaysWhyAndTheNextIsDone() throws {
        let catalog = try CatalogDatabase.inMemory()
        let engine = engine(catalog) { context in
            if context.job.request == "bad" { throw Broken() }
            return "1"
        }
        try engine.start()
        defer { engine.stop() }
        let bad = try engine.submit(draft("bad"))
        let good = try engine.submit(draft())
        #expect(try end(engine, bad.id).failure == JobFailure(code: "broken", detail: "it broke"))
        #expect(try end(engine, good.id).state == .done)
    }

    @Test func progressIsSeenWhileItRunsAndACancelEndsIt() throws {
        let catalog = try CatalogDatabase.inMemory()
        let gate = Gate()
        let engine = engine(catalog) { context in
            context.advance(items: 5)
            try gate.wait(context)
            return "1"
        }
        try engine.start()
        defer { engine.stop() }
        let running = try engine.submit(draft())
        let waiting = try engine.submit(draft())
        while try engine.job(running.id)?.progress.items != 5 { usleep(1000) }
        #expect(try engine.wait(for: running.id, patience: .milliseconds(20))?.state == .running)
        #expect(try engine.cancel(waiting.id)?.state == .cancelled)
        _ = try engine.cancel(running.id)
        #expect(try end(engine, running.id).state == .cancelled)
        #expect(try catalog.jobs.job(waiting.id)?.attempts == 0)
    }

    @Test func aStopBreaksOffAndTheNextStartGoesOn() throws {
        let catalog = try CatalogDatabase.inMemory()
        let gate = Gate()
        let first = engine(catalog) { context in
            context.advance(items: 1)
            try gate.wait(context)
            return "\"first\""
        }
        try first.start()
        let job = try first.submit(draft())
        while try first.job(job.id)?.progress.items != 1 { usleep(1000) }
        first.stop()
        #expect(try catalog.jobs.job(job.id)?.state == .queued)
        let second = engine(catalog) { _ in "\"second\"" }
        try second.start()
        defer { second.stop() }
        let done = try end(second, job.id)
        #expect(done.result == "\"second\"" && done.attempts == 2)
    }

    @Test func aJobThatEndsItsProcessAgainAndAgainFails() throws {
        let catalog = try CatalogDatabase.inMemory()
        let job = try catalog.jobs.add(draft())
        // As after so many kills: begun, and never ended.
        for _ in 0..<JobEngine.maximumAttempts {
            _ = try catalog.jobs.claim(node: "", kinds: ["work"])
            try catalog.jobs.requeueRunning(node: "")
        }
        let engine = engine(catalog) { _ in "1" }
        try engine.start()
        defer { engine.stop() }
        #expect(try end(engine, job.id).failure?.code == "too-many-attempts")
    }

    @Test(arguments: [UInt64(1), 2]) func everyJobIsDoneExactlyOnceByManyThreads(seed: UInt64) throws {
        let catalog = try CatalogDatabase.inMemory()
        let counts = Mutex<[String: Int]>([:])
        let engine = engine(catalog, threads: 4) { context in
            counts.withLock { $0[context.job.request, default: 0] += 1 }
            return "1"
        }
        try engine.start()
        defer { engine.stop() }
        let ids = try (0..<200).map { try engine.submit(draft(String($0))).id }
        for id in ids { #expect(try end(engine, id).state == .done) }
        #expect(counts.withLock { $0.count == 200 && $0.values.allSatisfy { $0 == 1 } })
    }
}
