import Foundation
import SyncClient
import TreeValues

/// Why an item waited when a folder was synced last. Kept in the state of the folder under a key; what
/// needs no more than its turn is not among it, since the trees say that.
struct KeptItem: Codable, Hashable {
    static let key = "items"

    let path: String
    let code: String
    let reason: String

    init?(_ item: FolderReport.Item) {
        guard PendingWork(rawValue: item.code) == nil else { return nil }
        (path, code, reason) = (item.path, item.code, item.reason)
    }

    /// `nil` for none.
    static func text(of items: [KeptItem]) throws -> String? {
        items.isEmpty ? nil : String(decoding: try JSONEncoder().encode(items), as: UTF8.self)
    }

    /// What cannot be read was written by another version: the trees say the rest.
    static func items(in text: String?) -> [KeptItem] {
        text.flatMap { try? JSONDecoder().decode([KeptItem].self, from: Data($0.utf8)) } ?? []
    }
}

/// What is known of a folder that no process syncs, by its state alone: as it was when it was looked at last.
/// Nothing is changed, and neither the folder nor the node is looked at.
struct RestingFolder {
    private let record: FolderRecord
    private let state: SQLiteSyncState
    private let localRules: String

    /// - Returns: `nil` where it was never synced.
    /// - Throws: `SyncStateError`: `inUse` where a process syncs it after all.
    init?(_ record: FolderRecord, home: AgentHome) throws {
        let directory = home.stateDirectory(of: record.id)
        let path = directory + "/state.sqlite"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        self.record = record
        state = try SQLiteSyncState(reading: path, root: try NodeID(text: record.root))
        localRules = (try? String(contentsOfFile: directory + "/ignore", encoding: .utf8)) ?? ""
    }

    func close() throws { try state.close() }

    /// Fills in what waits, and conflict copies.
    func describe(_ report: inout FolderReport) throws {
        let maximum = FolderReport.maximumListed
        var kept = KeptItem.items(in: try state.value(KeptItem.key))
        let reasons = Set(kept.map { ExactPath($0.path) })
        report.conflicts = FolderReport.conflicts(try state.openConflicts(limit: maximum), in: record)
        var pending = 0
        var others: [FolderReport.Item] = []
        var named: Set<ExactPath> = []
        let rules = try policy()
        try Planner(rules).forEachPending(in: state) { states in
            pending += 1
            guard named.count + others.count < maximum else { return true }
            let path = try state.shownPath(of: states)
            if reasons.contains(ExactPath(path)) {
                named.insert(ExactPath(path))
            } else if let reason = states.pendingWork.map(rules.reason(of:)) {
                others.append(FolderReport.Item(path, reason.code, reason.description))
            }
            return true
        }
        // What no tree has could not be read, or has a name that cannot be carried; pipes do not count.
        let unknown = kept.count { !named.contains(ExactPath($0.path)) }
        kept = Array(kept.prefix(maximum))
        report.items = kept.map { FolderReport.Item($0.path, $0.code, $0.reason) }
        report.items += others.prefix(maximum - kept.count)
        report.pending = max(pending, min(pending + unknown, report.last?.pending ?? .max))
        if report.pending > report.items.count { report.moreItems = report.pending - report.items.count }
    }

    /// As the folder was synced with; without its own list where it is not there.
    private func policy() throws -> SyncPolicy {
        let rules: FolderRules
        if let disk = try? DiskFolder(record.path, volume: try state.value(OpenFolder.volumeKey)) {
            rules = try FolderRules(of: disk, local: localRules, selected: record.only)
        } else {
            rules = FolderRules(local: localRules, selected: record.only)
        }
        return SyncPolicy(
            mode: try OpenFolder.mode(record.mode), ignoresCaseRemotely: record.ignoresCase, conflictTag: "",
            isExcluded: { rules.isExcluded($0, isDirectory: $1) })
    }
}

extension FolderReport {
    /// The most items, and conflict copies, that a report names.
    static let maximumListed = 100

    /// - Returns: `nil` for none.
    static func conflicts(_ found: [OpenConflict], in folder: FolderRecord) -> [Conflict]? {
        guard !found.isEmpty else { return nil }
        return found.sorted { ExactPath($0.path) < ExactPath($1.path) }.map { conflict in
            Conflict(
                path: conflict.path, original: conflict.original, since: conflict.made,
                command: "nacre sync resolve " + ShellText.quoted(folder.path + "/" + conflict.path)
                    + " --keep file")
        }
    }
}

extension FolderReport.Item {
    fileprivate init(_ path: String, _ code: String, _ reason: String) {
        self.init(path: path, code: code, reason: reason, attempts: 0, retryIn: 0)
    }
}
