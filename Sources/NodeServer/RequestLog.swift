import Logging

/// What is told of one request when its answer has been sent: to the log and to the metrics. Neither holds
/// a path, which may be somebody's secret, nor anything of the header.
struct RequestLog {
    let id: String
    let method: String
    let route: String
    let status: Int
    let address: String
    let start: ContinuousClock.Instant

    func finish(bytes: Int, failure: (any Error)?, _ logger: Logger, _ metrics: Metrics) {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let known = Self.methods.contains(method) ? method : "other"
        metrics.add(
            "nacre_http_requests_total", ["route": route, "method": known, "status": String(status)])
        metrics.observe("nacre_http_request_seconds", ["route": route], seconds: seconds)
        if bytes > 0 { metrics.add("nacre_http_response_bytes_total", ["route": route], by: Double(bytes)) }
        if failure != nil { metrics.add("nacre_http_broken_off_total", ["route": route]) }
        let level: Logger.Level = failure == nil ? .debug : .info
        guard logger.logLevel <= level else { return }
        var line: Logger.Metadata = [
            "request": "\(id)", "method": "\(known)", "route": "\(route)", "status": "\(status)",
            "bytes": "\(bytes)", "milliseconds": "\((seconds * 100_000).rounded() / 100)",
            "address": "\(address)",
        ]
        if let failure { line["failure"] = "\(failure)" }
        logger.log(level: level, "answered", metadata: line)
    }

    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
}
