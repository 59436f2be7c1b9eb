import SyncClient
import Synchronization

/// What of a folder is left out at the moment: `.syncignore` may change while the folder is synced.
final class CurrentRules: Sendable {
    private let state: Mutex<(rules: FolderRules, modified: Int64?)>
    private let disk: DiskFolder
    private let selected: [String]
    private let local: String

    /// - Parameter local: patterns for this machine alone, in a file beside the state.
    init(_ disk: DiskFolder, selected: [String], local: String) throws {
        self.disk = disk
        self.selected = selected
        self.local = local
        let first = try FolderRules(of: disk, local: local, selected: selected)
        state = Mutex((first, Self.modified(disk)))
    }

    private static func modified(_ disk: DiskFolder) -> Int64? {
        // What cannot be looked at has not changed.
        try? disk.status(FolderRules.fileName)?.changed
    }

    /// Names the rules of the moment.
    var fingerprint: String { state.withLock { $0.rules.fingerprint } }

    func isExcluded(_ path: String, _ isDirectory: Bool) -> Bool {
        state.withLock { $0.rules }.isExcluded(path, isDirectory: isDirectory)
    }

    /// Reads the file again if it changed.
    ///
    /// - Returns: whether it did, so that everything is to be scanned.
    func refresh() -> Bool {
        let modified = Self.modified(disk)
        guard modified != state.withLock({ $0.modified }),
            let rules = try? FolderRules(of: disk, local: local, selected: selected)
        else { return false }
        state.withLock { $0 = (rules, modified) }
        return true
    }
}
