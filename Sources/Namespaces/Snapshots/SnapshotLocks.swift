import Catalog
import Dispatch
import Synchronization

/// One lock for each namespace of which a snapshot is being made. Held by threads that may block.
final class SnapshotLocks: Sendable {
    private struct Entry {
        let semaphore = DispatchSemaphore(value: 1)
        var users = 0
    }

    private let entries = Mutex<[NamespaceID: Entry]>([:])

    func withLock<T>(_ namespace: NamespaceID, _ body: () throws -> T) rethrows -> T {
        let semaphore = entries.withLock { entries in
            entries[namespace, default: Entry()].users += 1
            return entries[namespace]?.semaphore
        }
        semaphore?.wait()
        defer {
            semaphore?.signal()
            entries.withLock { entries in
                entries[namespace]?.users -= 1
                if entries[namespace]?.users == 0 { entries[namespace] = nil }
            }
        }
        return try body()
    }
}
