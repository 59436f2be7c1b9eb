import BlockStorage
import Catalog
import Glibc
import NodeCore
import NodeService

/// What the node, its stores and the process have to say of themselves, for `/metrics`.
struct NodeGauges {
    let node: StorageNode
    let jobs: JobEngine
    let hub: SyncHub
    let startSeconds: Double

    /// Reads counters that are kept; nothing is scanned.
    func all(_ load: OperationsDoor.Load) -> [Metrics.Gauge] {
        let statistics = node.store.statistics()
        var gauges = [
            Metrics.Gauge(name: "nacre_http_requests_in_flight", value: Double(load.requests)),
            Metrics.Gauge(name: "nacre_http_connections", value: Double(load.connections)),
            Metrics.Gauge(name: "nacre_http_waiting_bytes", value: Double(load.waitingBytes)),
            Metrics.Gauge(name: "nacre_blocks", value: Double(statistics.blocks)),
            Metrics.Gauge(name: "nacre_block_bytes", value: Double(statistics.liveBytes)),
            Metrics.Gauge(name: "nacre_packs", value: Double(statistics.packs)),
            Metrics.Gauge(name: "nacre_blocks_damaged", value: Double(node.damage.known().count)),
            Metrics.Gauge(
                name: "nacre_blocks_found_damaged_total", value: Double(node.damage.foundCount)),
            Metrics.Gauge(name: "process_start_time_seconds", value: startSeconds),
            Metrics.Gauge(name: "nacre_build_info", labels: ["version": NacreVersion.text], value: 1),
        ]
        if let free = try? DiskFileSystem().availableBytes(at: node.directory) {
            let beyondReserve = free - node.configuration.reserveBytes
            gauges.append(Metrics.Gauge(name: "nacre_disk_free_bytes", value: Double(max(0, beyondReserve))))
        }
        // Kept by every change of a pin; a catalog that is away takes only these from the page.
        if let counters = try? node.catalog.pins.counters() {
            for visibility in PinVisibility.allCases {
                gauges.append(
                    Metrics.Gauge(
                        name: "nacre_pins", labels: ["visibility": visibility.rawValue],
                        value: Double(counters.byVisibility[visibility] ?? 0)))
            }
        }
        gauges.append(Metrics.Gauge(name: "nacre_sync_listeners", value: Double(load.listeners)))
        gauges += catalogGauges + jobGauges + syncGauges + cacheGauges + Self.process
        return gauges
    }

    private var catalogGauges: [Metrics.Gauge] {
        guard let figures = try? node.catalog.statistics() else { return [] }
        func gauge(_ name: String, _ value: Double) -> Metrics.Gauge {
            Metrics.Gauge(name: "nacre_catalog_" + name, value: value)
        }
        return [
            gauge("reads_total", Double(figures.reads)),
            gauge("read_seconds_total", figures.readTime / .seconds(1)),
            gauge("writes_total", Double(figures.writes)),
            gauge("write_seconds_total", figures.writeTime / .seconds(1)),
            gauge("write_groups_total", Double(figures.writeGroups)),
            gauge("writes_waiting", Double(figures.writesWaiting)),
            gauge("bytes", Double(figures.bytes)),
            gauge("log_failures_total", Double(figures.logFailures)),
        ]
    }

    private var jobGauges: [Metrics.Gauge] {
        let queued = try? node.catalog.jobs.queued(node: node.catalogID)
        var gauges: [Metrics.Gauge] = []
        for (kind, tally) in jobs.tallies.sorted(by: { $0.key < $1.key }) {
            if let queued {
                gauges.append(
                    Metrics.Gauge(
                        name: "nacre_jobs", labels: ["kind": kind, "state": "queued"],
                        value: Double(queued[kind] ?? 0)))
            }
            gauges.append(
                Metrics.Gauge(
                    name: "nacre_jobs", labels: ["kind": kind, "state": "running"],
                    value: Double(tally.running)))
            for state in JobState.allCases where state.isFinal {
                gauges.append(
                    Metrics.Gauge(
                        name: "nacre_jobs_ended_total", labels: ["kind": kind, "state": state.rawValue],
                        value: Double(tally.ended[state] ?? 0)))
            }
            gauges.append(
                Metrics.Gauge(
                    name: "nacre_job_seconds_total", labels: ["kind": kind],
                    value: tally.time / .seconds(1)))
        }
        return gauges
    }

    private static var process: [Metrics.Gauge] {
        var gauges: [Metrics.Gauge] = []
        if let resident = residentBytes {
            gauges.append(Metrics.Gauge(name: "process_resident_memory_bytes", value: Double(resident)))
        }
        if let count = openDescriptors {
            gauges.append(Metrics.Gauge(name: "process_open_fds", value: Double(count)))
        }
        var usage = rusage()
        if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            let seconds = [usage.ru_utime, usage.ru_stime].reduce(0.0) {
                $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
            }
            gauges.append(Metrics.Gauge(name: "process_cpu_seconds_total", value: seconds))
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            gauges.append(Metrics.Gauge(name: "process_max_fds", value: Double(limit.rlim_cur)))
        }
        return gauges
    }

    private static var residentBytes: Int? {
        guard let file = fopen("/proc/self/statm", "r") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 256)
        guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map {
            $0 * Int(sysconf(Int32(_SC_PAGESIZE)))
        }
    }

    private static var openDescriptors: Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Itself, and the two that every directory has.
        return count - 3
    }
}
