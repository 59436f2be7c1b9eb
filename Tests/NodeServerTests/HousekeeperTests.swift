import Logging
import NIOPosix
import NodeCore
import Synchronization
import Testing

@testable import NodeServer

@Suite struct HousekeeperTests {
    private struct Mishap: Error {}

    @Test func choresGoOnAfterAFailureWhichIsCounted() async throws {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        let metrics = Metrics()
        let turns = Mutex(0)
        let (others, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let chores = [
            Housekeeper.Chore(name: "failing", every: .milliseconds(1)) {
                let turn = turns.withLock { turns in
                    turns += 1
                    return turns
                }
                if turn == 5 { continuation.finish() }
                throw Mishap()
            }
        ]
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let housekeeper = Housekeeper(chores: chores, pool: pool, logger: logger, metrics: metrics)
        let work = Task { await housekeeper.run() }
        for await _ in others {}
        work.cancel()
        await work.value
        #expect(metrics.text(gauges: []).contains("nacre_chores_failed_total{chore=\"failing\"}"))
        try await pool.shutdownGracefully()
    }
}

@Suite struct TraceExporterTests {
    @Test func whatDoesNotFitIsDroppedAndCounted() throws {
        let metrics = Metrics()
        var options = TraceExporter.Options()
        options.maximumWaiting = 2
        let exporter = TraceExporter(
            to: try #require(CollectorURL("http://127.0.0.1:1")), share: 1, options: options,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, metrics: metrics)
        for _ in 0..<5 {
            exporter.record(
                RequestSpan(
                    context: exporter.context(for: nil), method: "GET", route: "/", status: 200, bytes: 0,
                    isBrokenOff: false, requestID: "", start: 0, end: 1))
        }
        #expect(metrics.text(gauges: []).contains("nacre_spans_dropped_total{reason=\"full\"} 3"))
    }
}
