import Catalog
import Dispatch
import Synchronization

/// One lock for each namespace of which a snapshot is being made: one for the newest state, and one for
/// earlier versions. Held by threads that may block.
final class SnapshotLocks: Sendable {
    struct Key: Hashable {
        let namespace: NamespaceID
        let isPast: Bool
    }

    fileprivate struct Entry {
        let semaphore = DispatchSemaphore(value: 1)
        var users = 0
    }

    fileprivate struct State {
        var entries: [Key: Entry] = [:]
        /// Snapshots that are being made for readers, and those of earlier versions among them.
        var readers = 0
        var pastReaders = 0
    }

    /// So many threads make snapshots for readers at once, and fewer of them of earlier versions, which anybody
    /// can ask for in any number. Threads that answer are at least twice as many (`NodeServer`).
    private static let maximumReaders = 2
    private static let maximumPastReaders = 1

    private let state = Mutex(State())

    func withLock<T>(_ key: Key, _ body: () throws -> T) rethrows -> T {
        let semaphore = state.withLock { $0.enter(key) }
        return try hold(semaphore, key, body)
    }

    /// Does it for a reader if nobody else is at it, and not too much is done for readers.
    ///
    /// - Returns: `nil` if it was not done; nothing waited then.
    func tryLock<T>(_ key: Key, _ body: () throws -> T) rethrows -> T? {
        let semaphore: DispatchSemaphore? = state.withLock { state in
            guard state.entries[key] == nil, state.readers < Self.maximumReaders,
                !key.isPast || state.pastReaders < Self.maximumPastReaders
            else { return nil }
            state.readers += 1
            state.pastReaders += key.isPast ? 1 : 0
            return state.enter(key)
        }
        guard let semaphore else { return nil }
        defer {
            state.withLock { state in
                state.readers -= 1
                state.pastReaders -= key.isPast ? 1 : 0
            }
        }
        return try hold(semaphore, key, body)
    }

    private func hold<T>(
        _ semaphore: DispatchSemaphore, _ key: Key, _ body: () throws -> T
    ) rethrows -> T {
        semaphore.wait()
        defer {
            semaphore.signal()
            state.withLock { $0.leave(key) }
        }
        return try body()
    }
}

extension SnapshotLocks.State {
    fileprivate mutating func enter(_ key: SnapshotLocks.Key) -> DispatchSemaphore {
        var entry = entries[key] ?? SnapshotLocks.Entry()
        entry.users += 1
        entries[key] = entry
        return entry.semaphore
    }

    fileprivate mutating func leave(_ key: SnapshotLocks.Key) {
        entries[key]?.users -= 1
        if entries[key]?.users == 0 { entries[key] = nil }
    }
}
