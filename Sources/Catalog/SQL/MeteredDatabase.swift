import Synchronization

/// A database that counts what is asked of it, and how long that takes.
final class MeteredDatabase: SQLDatabase {
    /// What was asked since the beginning.
    struct Tally: Sendable {
        var reads: UInt64 = 0
        var writes: UInt64 = 0
        /// Of all of them together, with what they waited.
        var readTime = Duration.zero
        var writeTime = Duration.zero
    }

    private let base: any SQLDatabase
    private let state = Mutex(Tally())

    init(_ base: any SQLDatabase) { self.base = base }

    var queue: WriteQueue { base.queue }
    var logFailures: UInt64 { base.logFailures }
    var tally: Tally { state.withLock { $0 } }

    func read<T>(_ body: (any SQLConnection) throws -> T) throws -> T {
        let start = ContinuousClock.now
        defer {
            let time = ContinuousClock.now - start
            state.withLock { tally in
                tally.reads += 1
                tally.readTime += time
            }
        }
        return try base.read(body)
    }

    func write<T>(_ body: (any SQLConnection) throws -> T) throws -> T {
        try counted { try base.write(body) }
    }

    func writeAlone<T>(_ body: (any SQLConnection) throws -> T) throws -> T {
        try counted { try base.writeAlone(body) }
    }

    private func counted<T>(_ write: () throws -> T) rethrows -> T {
        let start = ContinuousClock.now
        defer {
            let time = ContinuousClock.now - start
            state.withLock { tally in
                tally.writes += 1
                tally.writeTime += time
            }
        }
        return try write()
    }

    func storageProblems() throws -> [String] { try base.storageProblems() }

    func close() throws { try base.close() }
}
