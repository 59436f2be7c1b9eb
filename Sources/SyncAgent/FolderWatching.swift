import Foundation
import SyncClient
import Synchronization

/// Tells a mailbox of changes on the disk, on a thread of its own, until it is stopped.
final class FolderWatching: Sendable {
    private let watcher: FolderWatcher
    private let degradation = Mutex<String?>(nil)

    /// Why not all changes are told of; `nil` if they are.
    var problem: String? { degradation.withLock { $0 } }

    /// - Returns: `nil` where the system tells of no changes at all.
    init?(_ folder: DiskFolder, options: FolderWatcher.Options, _ mailbox: Mailbox) {
        guard let watcher = try? FolderWatcher(folder, options: options) else { return nil }
        self.watcher = watcher
        let thread = Thread { [weak self] in
            while true {
                let event = watcher.next(timeout: 60_000_000_000)
                switch event {
                case .changed(let paths): mailbox.noteChanges(paths)
                case .everything: mailbox.noteChanges(nil)
                case .degraded:
                    self?.degradation.withLock {
                        $0 =
                            "the system has no more watches (fs.inotify.max_user_watches); raise their number"
                    }
                    mailbox.noteChanges(nil)
                case .timeout: break
                case .stopped: return
                }
            }
        }
        thread.name = "nacre-watch"
        thread.start()
    }

    func stop() { watcher.stop() }
}
