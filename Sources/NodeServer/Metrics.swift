import Synchronization

/// Counters, gauges and histograms in the text format of Prometheus.
///
/// Series are made when they are first used; labels come from fixed sets (route patterns, methods, classes
/// of statuses), so that their number is bounded.
final class Metrics: Sendable {
    private struct State {
        var counters: [Series: Double] = [:]
        var histograms: [Series: Histogram] = [:]
    }

    private struct Series: Hashable {
        let name: String
        /// As it stands between the braces.
        let labels: String
    }

    private struct Histogram {
        var buckets = [UInt64](repeating: 0, count: Metrics.bounds.count)
        var count: UInt64 = 0
        var sum = 0.0
    }

    /// Upper bounds of the buckets, in seconds.
    private static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]

    private let state = Mutex(State())
    private let collectors = Mutex<[@Sendable () -> Void]>([])

    /// Adds to a counter.
    func add(_ name: String, _ labels: KeyValuePairs<String, String> = [:], by amount: Double = 1) {
        let series = Series(name: name, labels: Self.text(labels))
        state.withLock { $0.counters[series, default: 0] += amount }
    }

    /// Puts a duration into a histogram.
    func observe(_ name: String, _ labels: KeyValuePairs<String, String>, seconds: Double) {
        let series = Series(name: name, labels: Self.text(labels))
        state.withLock { state in
            var histogram = state.histograms[series] ?? Histogram()
            histogram.count += 1
            histogram.sum += seconds
            for (index, bound) in Self.bounds.enumerated() where seconds <= bound {
                histogram.buckets[index] += 1
            }
            state.histograms[series] = histogram
        }
    }

    /// Counts many durations that all lie below the first bound.
    func observeShort(
        _ name: String, _ labels: KeyValuePairs<String, String>, count: UInt64, seconds: Double
    ) {
        let series = Series(name: name, labels: Self.text(labels))
        state.withLock { state in
            var histogram = state.histograms[series] ?? Histogram()
            histogram.count += count
            histogram.sum += seconds
            for index in histogram.buckets.indices { histogram.buckets[index] += count }
            state.histograms[series] = histogram
        }
    }

    /// Called before the metrics are read: for who counts elsewhere.
    func beforeReading(_ body: @escaping @Sendable () -> Void) {
        collectors.withLock { $0.append(body) }
    }

    /// Everything as text, with gauges that are taken now.
    ///
    /// - Parameter gauges: name, labels and value.
    func text(gauges: [Gauge]) -> String {
        for collect in collectors.withLock({ $0 }) { collect() }
        let (counters, histograms) = state.withLock { ($0.counters, $0.histograms) }
        var text = ""
        for (name, all) in Dictionary(grouping: counters, by: \.key.name).sorted(by: { $0.key < $1.key }) {
            text += Self.head(name, "counter")
            for (series, value) in all.sorted(by: { $0.key.labels < $1.key.labels }) {
                text += Self.line(name, series.labels, value)
            }
        }
        for (name, all) in Dictionary(grouping: gauges, by: \.name).sorted(by: { $0.key < $1.key }) {
            text += Self.head(name, name.hasSuffix("_total") ? "counter" : "gauge")
            for gauge in all { text += Self.line(name, Self.text(gauge.labels), gauge.value) }
        }
        for (name, all) in Dictionary(grouping: histograms, by: \.key.name).sorted(by: { $0.key < $1.key }) {
            text += Self.head(name, "histogram")
            for (series, histogram) in all.sorted(by: { $0.key.labels < $1.key.labels }) {
                let prefix = series.labels.isEmpty ? "" : series.labels + ","
                for (bound, count) in zip(Self.bounds, histogram.buckets) {
                    text += Self.line(name + "_bucket", "\(prefix)le=\"\(bound)\"", Double(count))
                }
                text += Self.line(name + "_bucket", "\(prefix)le=\"+Inf\"", Double(histogram.count))
                text += Self.line(name + "_sum", series.labels, histogram.sum)
                text += Self.line(name + "_count", series.labels, Double(histogram.count))
            }
        }
        // What has not happened yet is there by name, so that who writes rules sees that it exists.
        let seen = Set(counters.keys.map(\.name) + gauges.map(\.name) + histograms.keys.map(\.name))
        for name in Self.help.keys.sorted() where !seen.contains(name) {
            let type =
                name.hasSuffix("_total") ? "counter" : name.hasSuffix("_seconds") ? "histogram" : "gauge"
            text += Self.head(name, type)
        }
        return text
    }

    /// A value that is taken when somebody asks.
    struct Gauge {
        let name: String
        var labels: KeyValuePairs<String, String> = [:]
        let value: Double
    }

    private static func head(_ name: String, _ type: String) -> String {
        "# HELP \(name) \(help[name] ?? name)\n# TYPE \(name) \(type)\n"
    }

    private static func line(_ name: String, _ labels: String, _ value: Double) -> String {
        let number = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
        return "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(number)\n"
    }

    private static func text(_ labels: KeyValuePairs<String, String>) -> String {
        labels.map { name, value in
            let escaped = value.flatMap {
                ["\\", "\""].contains($0) ? ["\\", $0] : $0 == "\n" ? ["\\", "n"] : [$0]
            }
            return "\(name)=\"\(String(escaped))\""
        }.joined(separator: ",")
    }

    private static let help = [
        "nacre_http_requests_total": "Requests by route, method and status.",
        "nacre_http_request_seconds": "Time from the head of a request to the end of its answer.",
        "nacre_http_response_bytes_total": "Bytes of bodies that were sent, by route.",
        "nacre_http_hot_answers_total":
            "Answers that were given from memory, by route; they are counted among all.",
        "nacre_http_broken_off_total": "Answers that ended early, by route.",
        "nacre_http_dropped_total":
            "Connections that were closed because nothing went on, by what was waited for.",
        "nacre_http_refused_total": "Requests that were refused because too much was under way.",
        "nacre_http_requests_in_flight": "Requests that are worked on.",
        "nacre_http_connections": "Connections that are open.",
        "nacre_http_waiting_bytes": "Bytes of bodies in memory that their clients have not taken.",
        "nacre_http_connections_refused_total":
            "Connections that were refused because there were too many, overall or of one address.",
        "nacre_chores_failed_total": "Times that regular work failed, by which.",
        "nacre_history_entries_dropped_total":
            "Changes in namespaces whose content the policy does not keep any more.",
        "nacre_names_renewed_total": "Names that were signed anew before they ended.",
        "nacre_names_not_renewed_total": "Times that a name could not be signed anew.",
        "nacre_names_followed_total": "New heads of namespaces that were published under names that follow.",
        "nacre_names_not_followed_total": "Times that such a head could not be published.",
        "nacre_names_unresolved_total": "Requests for names that lead nowhere: not failures of this node.",
        "nacre_catalog_reads_total": "Reads of the catalog.",
        "nacre_catalog_read_seconds_total": "What reads of the catalog took together.",
        "nacre_catalog_writes_total": "Changes of the catalog.",
        "nacre_catalog_write_seconds_total":
            "What changes of the catalog took together, from the call until they were durable.",
        "nacre_catalog_write_groups_total": "Transactions that changes of the catalog shared.",
        "nacre_catalog_writes_waiting": "Changes that wait for a transaction.",
        "nacre_catalog_bytes": "What the catalog has on its disk.",
        "nacre_catalog_log_failures_total":
            "How often the catalog's log of changes could not be folded into its file.",
        "nacre_jobs": "Jobs that wait or run, by kind.",
        "nacre_jobs_ended_total": "Jobs that ended since the start, by kind and how.",
        "nacre_job_seconds_total": "How long jobs that ended were worked on together, by kind.",
        "nacre_sync_commits_total": "Commits to namespaces by the sync protocol.",
        "nacre_sync_journal_entries_total": "Journal entries that they made.",
        "nacre_sync_operations_total": "Operations of commits, by kind and outcome.",
        "nacre_sync_conflicts_total": "Operations that were based on something else, by what was in the way.",
        "nacre_sync_conflict_copies_total": "Conflict copies that devices made and sent, by why.",
        "nacre_sync_needed_blocks_total": "Blocks that clients were asked to send.",
        "nacre_sync_absent_blocks_total": "Blocks that clients asked for and that are not to be had.",
        "nacre_sync_blocks_total": "Blocks that came or went by the sync protocol, by what became of them.",
        "nacre_sync_block_bytes_total": "Bytes of the blocks that came or went by the sync protocol.",
        "nacre_sync_entries_total": "Entries that lists and snapshots gave.",
        "nacre_sync_unsettled_seconds":
            "Age of the oldest change that waits for the snapshot of its namespace; 0 for none.",
        "nacre_sync_device_last_seen_seconds": "When a device called last, in Unix seconds.",
        "nacre_sync_device_behind_entries":
            "Changes that a device has not heard of, in all namespaces that it syncs.",
        "nacre_sync_conflicts_open": "Conflicts that nobody has decided, in all namespaces.",
        "nacre_sync_waits": "Clients that wait for changes.",
        "nacre_sync_inflight_files": "Files that are being sent and that others read ahead.",
        "nacre_sync_inflight_bytes": "Bytes of such files that are here.",
        "nacre_sync_listeners": "Clients that listen to changes.",
        "nacre_sync_wakeups_total": "Clients that waited and were told of a change.",
        "nacre_sync_rate_limited_total": "Calls that were refused since their device asks for too much.",
        "nacre_block_cache_reads_total": "Reads of blocks, by whether they were verified before.",
        "nacre_block_cache_blocks": "Blocks that are remembered as verified.",
        "nacre_block_cache_capacity_blocks": "Blocks that can be remembered as verified.",
        "nacre_spans_sent_total": "Spans of requests that a collector took.",
        "nacre_spans_dropped_total": "Spans of requests that were lost, by why.",
        "nacre_blocks": "Blocks in the store.",
        "nacre_block_bytes": "Bytes of the blocks in the store.",
        "nacre_packs": "Packs in the store.",
        "nacre_blocks_damaged": "Blocks that were found damaged and are not mended yet; 1000 at most.",
        "nacre_blocks_found_damaged_total": "Blocks that were found damaged since the start.",
        "nacre_pins": "Pins by visibility.",
        "nacre_disk_free_bytes": "Free bytes on the disk of the data directory, beyond the reserve.",
        "process_resident_memory_bytes": "Resident memory.",
        "process_open_fds": "Open file descriptors.",
        "process_max_fds": "File descriptors that the process may have open.",
        "process_cpu_seconds_total": "Processor time in user and system mode.",
        "process_start_time_seconds": "When the process began, in seconds since 1970.",
        "nacre_build_info": "The version that runs.",
    ]
}
