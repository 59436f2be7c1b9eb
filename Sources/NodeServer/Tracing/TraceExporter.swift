import HTTPSupport
import Logging
import NIOCore
import NodeCore
import Synchronization

/// Sends spans to a collector, in batches, without ever holding up a request.
///
/// What waits is bounded: beyond that spans are counted and dropped. A batch is sent once; a collector
/// that is away costs its spans and a line in the log when that begins and when it ends.
final class TraceExporter: Sendable {
    /// How much waits, and how it is sent.
    struct Options: Sendable {
        var maximumWaiting = 4096
        var batch = 512
        var every = Duration.seconds(5)
        /// From connecting to the head of the answer.
        var timeout = TimeAmount.seconds(10)
    }

    private struct State {
        var waiting: [RequestSpan] = []
        var isReachable = true
    }

    private let collector: CollectorURL
    private let share: Double
    private let options: Options
    private let group: any EventLoopGroup
    private let logger: Logger
    private let metrics: Metrics
    private let state = Mutex(State())

    /// - Parameter share: of the traces that begin here, from 0 to 1.
    init(
        to collector: CollectorURL, share: Double, options: Options = Options(), group: any EventLoopGroup,
        logger: Logger, metrics: Metrics
    ) {
        self.collector = collector
        self.share = share
        self.options = options
        self.group = group
        self.logger = logger
        self.metrics = metrics
    }

    func context(for traceparent: String?) -> TraceContext {
        var random = SystemRandomNumberGenerator()
        return TraceContext(continuing: traceparent, share: share, &random)
    }

    func record(_ span: RequestSpan) {
        let isTaken = state.withLock { state in
            guard state.waiting.count < options.maximumWaiting else { return false }
            state.waiting.append(span)
            return true
        }
        if !isTaken { metrics.add("nacre_spans_dropped_total", ["reason": "full"]) }
    }

    /// Sends what waits now and then; when the task is cancelled, what waits then once more.
    func run() async {
        while !Task.isCancelled {
            // Cancelled while it waits: what waits is sent, and the loop ends.
            try? await Task.sleep(for: options.every)
            await sendAll()
        }
    }

    private func sendAll() async {
        while true {
            let batch = state.withLock { state in
                let batch = Array(state.waiting.prefix(options.batch))
                state.waiting.removeFirst(batch.count)
                return batch
            }
            guard !batch.isEmpty else { return }
            // A node that stops does not wait long for a collector that is away.
            let timeout = Task.isCancelled ? .seconds(1) : options.timeout
            do {
                let status = try await CollectorConnection(to: collector, timeout: timeout)
                    .post(Self.document(batch), on: group.next())
                guard (200..<300).contains(status) else { throw CollectorError.refused(status: status) }
                metrics.add("nacre_spans_sent_total", by: Double(batch.count))
                note(failure: nil)
            } catch {
                metrics.add("nacre_spans_dropped_total", ["reason": "collector"], by: Double(batch.count))
                note(failure: error)
                if Task.isCancelled { return }
            }
        }
    }

    private func note(failure: (any Error)?) {
        let was = state.withLock { state in
            defer { state.isReachable = failure == nil }
            return state.isReachable
        }
        if let failure, was {
            logger.warning(
                "spans are lost", metadata: ["collector": "\(collector)", "error": "\(failure)"])
        } else if failure == nil, !was {
            logger.notice("spans are sent again", metadata: ["collector": "\(collector)"])
        }
    }

    /// Spec: opentelemetry-proto, `ExportTraceServiceRequest` in JSON.
    static func document(_ spans: [RequestSpan]) -> String {
        let resource =
            "{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"nacre\"}},"
            + "{\"key\":\"service.version\",\"value\":{\"stringValue\":\(JSONText.quoted(NacreVersion.text))}}]}"
        let all = spans.map(\.json).joined(separator: ",")
        return "{\"resourceSpans\":[{\"resource\":\(resource),"
            + "\"scopeSpans\":[{\"scope\":{\"name\":\"nacre\"},\"spans\":[\(all)]}]}]}"
    }
}
