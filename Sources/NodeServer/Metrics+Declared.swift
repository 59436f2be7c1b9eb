/// Counters that are there from the start with the value 0, so that who writes rules sees the first event
/// as an increase: all whose labels are known beforehand.
extension Metrics {
    func declareAll() {
        for route in RouteTable.routes.map(\.pattern) + ["none", "origin"] {
            for name in [
                "nacre_http_response_bytes_total", "nacre_http_broken_off_total",
                "nacre_http_hot_answers_total",
            ] { add(name, ["route": route], by: 0) }
        }
        for status in ["200", "503"] {
            add(
                "nacre_http_requests_total",
                ["route": "/health/ready", "method": "GET", "status": status], by: 0)
        }
        for reason in ["overall", "address"] {
            add("nacre_http_refused_total", ["reason": reason], by: 0)
            add("nacre_http_connections_refused_total", ["reason": reason], by: 0)
        }
        let openings = ["opening", "handshake", "tls-without-certificate", "http-instead-of-tls"]
        for reason in openings + ConnectionGuard.reasons {
            add("nacre_http_dropped_total", ["reason": reason], by: 0)
        }
        for chore in Housekeeper.Chore.names { add("nacre_chores_failed_total", ["chore": chore], by: 0) }
        for reason in ["full", "collector"] { add("nacre_spans_dropped_total", ["reason": reason], by: 0) }
        for name in [
            "nacre_spans_sent_total", "nacre_names_renewed_total",
            "nacre_history_entries_dropped_total", "nacre_names_not_renewed_total",
            "nacre_names_followed_total", "nacre_names_not_followed_total",
            "nacre_names_unresolved_total",
        ] { add(name, by: 0) }
    }
}
