import Glibc
import Logging
import NodeCore

/// What is told of one request when its answer has been sent: to the log and to the metrics. Neither holds
/// a path, which may be somebody's secret, nor anything of the header.
struct RequestLog {
    let id: String
    let method: String
    let route: String
    let status: Int
    let address: String
    let start: ContinuousClock.Instant
    /// Which requests have a line at the level info; all have one at debug.
    let logging: RequestLogging
    /// What the request is told of as a part of, if it is.
    var trace: (context: TraceContext, exporter: TraceExporter)?

    func finish(bytes: Int, failure: (any Error)?, _ logger: Logger, _ metrics: Metrics) {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let known = Self.methods.contains(method) ? method : "other"
        metrics.add(
            "nacre_http_requests_total", ["route": route, "method": known, "status": String(status)])
        metrics.observe("nacre_http_request_seconds", ["route": route], seconds: seconds)
        if bytes > 0 { metrics.add("nacre_http_response_bytes_total", ["route": route], by: Double(bytes)) }
        if failure != nil { metrics.add("nacre_http_broken_off_total", ["route": route]) }
        if let (context, exporter) = trace {
            let end = Self.now()
            exporter.record(
                RequestSpan(
                    context: context, method: known, route: route, status: status, bytes: bytes,
                    isBrokenOff: failure != nil, requestID: id,
                    start: end &- UInt64(max(0, seconds * 1_000_000_000)), end: end))
        }
        let isError = status >= 500 || failure != nil
        let level: Logger.Level = logging == .all || logging == .errors && isError ? .info : .debug
        guard logger.logLevel <= level else { return }
        var line: Logger.Metadata = [
            "request": "\(id)", "method": "\(known)", "route": "\(route)", "status": "\(status)",
            "bytes": "\(bytes)", "milliseconds": "\((seconds * 100_000).rounded() / 100)",
            "address": "\(address)",
        ]
        if let trace { line["trace"] = "\(trace.context.trace)" }
        if let failure { line["failure"] = "\(failure)" }
        logger.log(level: level, "answered", metadata: line)
    }

    /// Nanoseconds since 1970.
    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(max(0, time.tv_sec)) &* 1_000_000_000 &+ UInt64(max(0, time.tv_nsec))
    }

    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
}
