import HTTPSupport

/// One request as a span of a trace.
struct RequestSpan: Sendable {
    let context: TraceContext
    let method: String
    /// The pattern, never the path: that may be somebody's secret.
    let route: String
    let status: Int
    let bytes: Int
    let isBrokenOff: Bool
    let requestID: String
    /// Nanoseconds since 1970.
    let start: UInt64
    let end: UInt64

    /// Spec: opentelemetry-proto, `trace.proto`, in its JSON encoding; attributes by the semantic conventions
    /// for HTTP servers.
    var json: String {
        var fields = [
            "\"traceId\":\"\(context.trace)\"", "\"spanId\":\"\(context.span)\"",
            "\"name\":\(JSONText.quoted("\(method) \(route)"))",
            "\"kind\":2", "\"startTimeUnixNano\":\"\(start)\"", "\"endTimeUnixNano\":\"\(end)\"",
        ]
        if let parent = context.parent { fields.append("\"parentSpanId\":\"\(parent)\"") }
        let attributes = [
            Self.text("http.request.method", method), Self.text("http.route", route),
            Self.number("http.response.status_code", status), Self.number("http.response.body.size", bytes),
            Self.text("nacre.request_id", requestID),
        ]
        fields.append("\"attributes\":[\(attributes.joined(separator: ","))]")
        // An error of the client is none of the server.
        if isBrokenOff || status >= 500 { fields.append("\"status\":{\"code\":2}") }
        return "{\(fields.joined(separator: ","))}"
    }

    private static func text(_ key: String, _ value: String) -> String {
        "{\"key\":\"\(key)\",\"value\":{\"stringValue\":\(JSONText.quoted(value))}}"
    }

    private static func number(_ key: String, _ value: Int) -> String {
        "{\"key\":\"\(key)\",\"value\":{\"intValue\":\"\(value)\"}}"
    }
}
