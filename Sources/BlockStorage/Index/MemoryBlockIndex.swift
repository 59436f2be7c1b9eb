import Synchronization

/// An index in memory, for tests: it remembers which writes were synced, so that a crash can be played.
public final class MemoryBlockIndex: BlockIndex {
    private struct State {
        var entries: [[UInt8]: [UInt8]] = [:]
        /// Batches in order, and how many of them are sure to survive.
        var log: [IndexBatch] = []
        var syncedBatches = 0
    }

    private let state: Mutex<State>

    public init() { state = Mutex(State()) }

    private init(replaying log: [IndexBatch]) {
        var state = State()
        for batch in log { Self.apply(batch, to: &state.entries) }
        state.log = log
        state.syncedBatches = log.count
        self.state = Mutex(state)
    }

    /// How many batches were written, and how many of them were synced.
    public var batchCounts: (written: Int, synced: Int) {
        state.withLock { ($0.log.count, $0.syncedBatches) }
    }

    /// The index as a crash may leave it: with the first `batches` batches, at least all that were synced.
    public func afterCrash(keepingBatches batches: Int) -> MemoryBlockIndex {
        let log = state.withLock { Array($0.log.prefix(max($0.syncedBatches, min(batches, $0.log.count)))) }
        return MemoryBlockIndex(replaying: log)
    }

    public func value(of key: [UInt8]) throws -> [UInt8]? { state.withLock { $0.entries[key] } }

    public func write(_ batch: IndexBatch, sync: Bool) throws {
        state.withLock { state in
            Self.apply(batch, to: &state.entries)
            state.log.append(batch)
            if sync { state.syncedBatches = state.log.count }
        }
    }

    public func scan(
        prefix: [UInt8], from start: [UInt8],
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        let entries = state.withLock { state in
            state.entries.filter { $0.key.starts(with: prefix) && !$0.key.lexicographicallyPrecedes(start) }
        }
        for (key, value) in entries.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let goesOn = try key.withUnsafeBytes { key in try value.withUnsafeBytes { try body(key, $0) } }
            if !goesOn { return }
        }
    }

    public func sync() throws { state.withLock { $0.syncedBatches = $0.log.count } }

    public func close() throws {}

    private static func apply(_ batch: IndexBatch, to entries: inout [[UInt8]: [UInt8]]) {
        for change in batch.changes {
            switch change {
            case .put(let key, let value): entries[key] = value
            case .remove(let key): entries[key] = nil
            }
        }
    }
}
