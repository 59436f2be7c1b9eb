import BlockStorage
import Catalog
import Namespaces
import NodeCore
import NodeService
import SyncProtocol

/// What the sync protocol has to say of itself. Every series is there from the start.
extension NodeGauges {
    var syncGauges: [Metrics.Gauge] {
        let counts = hub.tally.counts
        let inflight = hub.inflight.figures
        func gauge(
            _ name: String, _ value: Int64, _ labels: KeyValuePairs<String, String> = [:]
        ) -> Metrics.Gauge { Metrics.Gauge(name: "nacre_sync_" + name, labels: labels, value: Double(value)) }
        var gauges = [
            gauge("commits_total", counts.commits),
            gauge("journal_entries_total", counts.journalEntries),
            gauge("needed_blocks_total", counts.neededBlocks),
            gauge("absent_blocks_total", counts.absentBlocks),
            gauge("entries_total", counts.listed, ["call": "list"]),
            gauge("entries_total", counts.snapshotted, ["call": "snapshot"]),
            gauge("wakeups_total", counts.wakeUps),
            gauge("rate_limited_total", counts.overRate, ["reason": "rate"]),
            gauge("rate_limited_total", counts.overStreams, ["reason": "streams"]),
            gauge("waits", counts.waits),
            gauge("inflight_files", Int64(inflight.offers)),
            gauge("inflight_bytes", inflight.bytes),
        ]
        if let open = try? node.catalog.conflicts.openCount() {
            gauges.append(gauge("conflicts_open", open))
        }
        let unsettled = node.namespaces.feed.longestUnsettledMilliseconds
        gauges.append(
            Metrics.Gauge(name: "nacre_sync_unsettled_seconds", value: Double(unsettled) / 1000))
        for kind in SyncOperation.Kind.allCases {
            for outcome in CommitResult.Outcome.allCases {
                gauges.append(
                    gauge(
                        "operations_total", counts.operations[SyncTally.Operation(kind, outcome)] ?? 0,
                        ["kind": kind.rawValue, "outcome": outcome.rawValue]))
            }
        }
        for conflict in ChangeConflict.allCases {
            gauges.append(
                gauge(
                    "conflicts_total", counts.conflicts[conflict.rawValue] ?? 0,
                    ["reason": conflict.rawValue]))
        }
        for reason in ConflictName.Reason.allCases {
            gauges.append(
                gauge(
                    "conflict_copies_total", counts.conflictCopies[reason] ?? 0, ["reason": reason.code]))
        }
        for (what, moved) in [
            ("stored", counts.stored), ("duplicate", counts.duplicate), ("refused", counts.refused),
            ("retrieved", counts.retrieved),
        ] {
            gauges.append(gauge("blocks_total", moved.blocks, ["what": what]))
            gauges.append(gauge("block_bytes_total", moved.bytes, ["what": what]))
        }
        return gauges + deviceGauges
    }

    /// When devices were seen last, and how far they are behind. A page has a line for each series, so that
    /// those seen longest ago have none where there are many.
    private var deviceGauges: [Metrics.Gauge] {
        let devices = (try? node.catalog.devices.list()) ?? []
        let seen = devices.filter { $0.revoked == nil }
            .map { (id: $0.id, project: $0.project, time: max($0.lastSeen, hub.devices.lastSeen($0))) }
            .sorted { ($1.time, $0.id) < ($0.time, $1.id) }.prefix(Self.maximumDevices)
        guard !seen.isEmpty else { return [] }
        let behind = (try? hub.devices.entriesBehind(node.catalog)) ?? [:]
        return seen.map { device in
            Metrics.Gauge(
                name: "nacre_sync_device_last_seen_seconds", labels: ["device": device.id],
                value: Double(device.time / 1000))
        }
            + seen.compactMap { device in
                // One that never asked for a journal is not behind.
                behind[DeviceDesk.Key(project: device.project, id: device.id)].map {
                    Metrics.Gauge(
                        name: "nacre_sync_device_behind_entries", labels: ["device": device.id],
                        value: Double($0))
                }
            }
    }

    private static let maximumDevices = 100

    /// How the memory of verified blocks serves.
    var cacheGauges: [Metrics.Gauge] {
        let cache = node.store.verifiedCache
        func gauge(
            _ name: String, _ value: Double, _ labels: KeyValuePairs<String, String> = [:]
        ) -> Metrics.Gauge { Metrics.Gauge(name: "nacre_block_cache_" + name, labels: labels, value: value) }
        return [
            gauge("reads_total", Double(cache.hits), ["outcome": "hit"]),
            gauge("reads_total", Double(cache.misses), ["outcome": "miss"]),
            gauge("blocks", Double(cache.used)),
            gauge("capacity_blocks", Double(cache.capacity)),
        ]
    }
}
