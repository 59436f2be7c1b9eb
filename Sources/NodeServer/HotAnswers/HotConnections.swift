import Logging
import NIOCore

/// What all connections of HTTP/1 share to answer from memory, and its numbers in the metrics.
final class HotConnections: Sendable {
    private let answers: HotAnswers
    private let settings: CurrentSettings
    private let logger: Logger
    private let isTraced: Bool

    /// - Parameter isTraced: whether requests may have to be told of to a collector: then all of them take
    ///   the ordinary way.
    init(settings: CurrentSettings, logger: Logger, metrics: Metrics, isTraced: Bool) {
        let answers = HotAnswers(settings: settings)
        self.answers = answers
        self.settings = settings
        self.logger = logger
        self.isTraced = isTraced
        metrics.beforeReading {
            for (series, tally) in answers.takeTallies() { metrics.add(tally, of: series) }
        }
    }

    /// The handlers for one connection.
    ///
    /// - Parameter takesFiles: without TLS.
    func handlers(takesFiles: Bool) -> [any RemovableChannelHandler] {
        guard !isTraced else { return [] }
        let current = settings.value
        return [
            HotLaneGate { [self] channel in
                let address = channel.remoteAddress?.ipAddress ?? ""
                return HotLane(
                    answers: answers,
                    peer: current.proxies.contains(address) ? .trustedProxy : .stranger,
                    ordinaryInterval: .milliseconds(current.options.idleSeconds * 500), takesFiles: takesFiles
                ) { [logger, settings] in
                    // Answers from memory have no line of their own in the log.
                    logger.logLevel > .debug && !settings.logsAllRequests
                }
            }
        ]
    }
}

extension Metrics {
    /// Counts what was answered from memory like what was answered otherwise.
    fileprivate func add(_ tally: HotAnswers.Tally, of series: HotAnswer.Series) {
        add(
            "nacre_http_requests_total",
            ["route": series.route, "method": series.method, "status": String(series.status)],
            by: Double(tally.count))
        add("nacre_http_hot_answers_total", ["route": series.route], by: Double(tally.count))
        observeShort(
            "nacre_http_request_seconds", ["route": series.route], count: tally.count, seconds: tally.seconds)
        if tally.bytes > 0 {
            add("nacre_http_response_bytes_total", ["route": series.route], by: Double(tally.bytes))
        }
    }
}
