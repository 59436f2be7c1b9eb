import Dispatch
import NIOPosix
import NodeCore
import Synchronization
import Testing

@testable import NodeServer

/// Everybody may ask whether the node is ready, and each probe costs a sync of the disk.
@Suite struct ReadinessTests {
    /// Counts probes, and has the time of the test.
    private final class Probe: Sendable {
        private let count = Mutex(0)
        private let passed = Mutex(Duration.zero)
        private let start = ContinuousClock.now
        var probes: Int { count.withLock { $0 } }
        var now: ContinuousClock.Instant { start + passed.withLock { $0 } }

        func pass(_ time: Duration) { passed.withLock { $0 += time } }

        func begin() { count.withLock { $0 += 1 } }
    }

    private struct Broken: Error {}

    @Test func whoAsksWhileAProbeRunsGetsItsOutcome() async throws {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let probe = Probe()
        let readiness = Readiness(pool: pool) { probe.begin() }
        // The one thread is held while they come; whoever comes too late for the probe is told what it found.
        let gate = DispatchSemaphore(value: 0)
        pool.submit { _ in gate.wait() }
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 {
                group.addTask { (try? await readiness.outcome().get()) != nil }
            }
            gate.signal()
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(outcomes.count == 100 && !outcomes.contains(false))
        #expect(probe.probes == 1)
        try await pool.shutdownGracefully()
    }

    @Test func anOutcomeHoldsForASecondAndNoLonger() async throws {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let probe = Probe()
        let readiness = Readiness(pool: pool, now: { probe.now }) {
            probe.begin()
            if probe.probes == 2 { throw Broken() }
        }
        try await readiness.outcome().get()
        probe.pass(.milliseconds(999))
        try await readiness.outcome().get()
        #expect(probe.probes == 1)
        probe.pass(.milliseconds(1))
        await #expect(throws: HealthFailure.self) { try await readiness.outcome().get() }
        probe.pass(.milliseconds(1500))
        try await readiness.outcome().get()
        #expect(probe.probes == 3)
        try await pool.shutdownGracefully()
    }
}
