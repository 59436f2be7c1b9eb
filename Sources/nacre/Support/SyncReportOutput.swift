import Foundation
import NodeCore
import SyncProtocol

/// How the state of a node's namespaces is printed.
enum SyncReportOutput {
    static func write(_ report: SyncReport, json: Bool, to out: inout StandardOutput) throws {
        if json {
            try out.write(bytes: try WireForm.json.encode(report.value(.json)))
            return try out.write("\n")
        }
        for namespace in report.namespaces { try write(namespace, to: &out) }
        if let node = report.node { try write(node, to: &out) }
    }

    private static func write(_ namespace: NamespaceReport, to out: inout StandardOutput) throws {
        let info = namespace.info
        try out.write(line: "\(info.name) \(info.head) \(info.nodes) \(info.bytes)")
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let names = Dictionary(grouping: namespace.devices, by: \.name)
        for device in namespace.devices {
            let wait = device.behindMilliseconds.map { " for " + age($0) } ?? ""
            let state = device.behind == 0 ? "has everything" : "\(device.behind) behind" + wait
            // Machines of one name are told apart by their ids.
            let id = (names[device.name]?.count ?? 0) > 1 ? " (\(shown(device.device)))" : ""
            try out.write(
                line: "  \(shown(device.name))\(id) \(state), seen \(ago(device.lastSeen, now))")
        }
        for lease in namespace.leases {
            let left = max(0, lease.expires - now) / 60_000 + 1
            try out.write(
                line:
                    "  \(shown(lease.deviceName ?? lease.device)) works on \(lease.path.map { "/" + shown($0) } ?? "\(lease.node)") "
                    + "(\(lease.mode), \(left) min)")
        }
        if namespace.conflicts > 0 { try out.write(line: "  \(namespace.conflicts) conflicts are open") }
        if let waiting = namespace.unsettledMilliseconds {
            try out.write(line: "  changes wait \(waiting) ms for their snapshot")
        }
    }

    static func shown(_ name: String) -> String { PathText.printable(name.utf8) }

    /// How long ago a moment was, in Unix milliseconds both.
    static func ago(_ moment: Int64, _ now: Int64) -> String { age(now - moment) + " ago" }

    /// Milliseconds as people say them.
    private static func age(_ milliseconds: Int64) -> String {
        let seconds = max(0, milliseconds) / 1000
        switch seconds {
        case ..<120: return "\(seconds) s"
        case ..<7200: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3600) h"
        default: return "\(seconds / 86_400) days"
        }
    }

    static func write(_ device: DeviceInfo, now: Int64, json: Bool, to out: inout StandardOutput) throws {
        if json {
            try out.write(bytes: try WireForm.json.encode(device.value(.json)))
            return try out.write("\n")
        }
        let state = device.isRevoked ? "removed" : "seen " + ago(device.lastSeen, now)
        let platform = device.platform.isEmpty ? "" : ", " + shown(device.platform)
        try out.write(line: "\(device.id) \(shown(device.name)) \(state)\(platform)")
    }

    private static func write(_ node: NodeFigures, to out: inout StandardOutput) throws {
        let came = node.storedBlocks + node.duplicateBlocks
        let share = came == 0 ? 0 : 100 * node.duplicateBlocks / came
        let reads = node.cacheHits + node.cacheMisses
        let hits = reads == 0 ? 0 : 100 * node.cacheHits / reads
        let lines = [
            ("commits", "\(node.commits), \(node.journalEntries) entries, \(node.conflicts) conflicts"),
            ("received", "\(node.storedBlocks) blocks, \(node.storedBytes) bytes"),
            ("held before", "\(node.duplicateBlocks) blocks, \(node.duplicateBytes) bytes (\(share) %)"),
            ("sent", "\(node.retrievedBlocks) blocks, \(node.retrievedBytes) bytes"),
            ("waiting", "\(node.waits) clients, \(node.catalogWritesWaiting) changes of the catalog"),
            ("told", "\(node.wakeUps) clients that waited"),
            ("block cache", "\(node.cacheUsed) of \(node.cacheCapacity), \(hits) % hits"),
        ]
        for (label, value) in lines { try out.write(line: Columns.padded(label, 14) + value) }
    }
}
