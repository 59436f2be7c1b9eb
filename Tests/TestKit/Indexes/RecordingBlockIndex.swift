public import BlockStorage
import Synchronization

/// An index that remembers at which moment of a recording each batch was written and synced.
///
/// Every write and sync is a moment of its own in the recording, so that the power can go between a sync of
/// a pack and the batch that follows it.
public final class RecordingBlockIndex: BlockIndex {
    private struct Entry {
        let moment: Int
        /// `nil` for a bare sync.
        let batch: IndexBatch?
        let isSynced: Bool
    }
    private let memory: MemoryBlockIndex
    private let recording: RecordingFileSystem
    private let log = Mutex<[Entry]>([])
    private let initial: IndexBatch

    /// - Parameter memory: what the index holds at the beginning counts as durable.
    public init(_ recording: RecordingFileSystem, startingFrom memory: MemoryBlockIndex = MemoryBlockIndex())
        throws
    {
        self.recording = recording
        self.memory = memory
        var initial = IndexBatch()
        try memory.scan(prefix: [], from: []) { key, value in
            initial.put([UInt8](key), [UInt8](value))
            return true
        }
        self.initial = initial
    }

    public func value(of key: [UInt8]) throws -> [UInt8]? { try memory.value(of: key) }

    public func write(_ batch: IndexBatch, sync: Bool) throws {
        try log.withLock { log in
            try memory.write(batch, sync: sync)
            recording.note("index: write \(batch.changes.count) changes\(sync ? ", synced" : "")")
            log.append(Entry(moment: recording.operationCount, batch: batch, isSynced: sync))
        }
    }

    public func scan(
        prefix: [UInt8], from start: [UInt8],
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        try memory.scan(prefix: prefix, from: start, body)
    }

    public func sync() throws {
        log.withLock { log in
            recording.note("index: sync")
            log.append(Entry(moment: recording.operationCount, batch: nil, isSynced: true))
        }
    }

    public func close() throws {}

    /// The index as the power cut leaves it: everything synced before, and of what came after it nothing,
    /// everything, or what came first.
    public func afterCrash(_ image: CrashImage) throws -> MemoryBlockIndex {
        let entries = log.withLock { log in log.filter { $0.moment <= image.operationCount } }
        let durable = (entries.lastIndex { $0.isSynced } ?? -1) + 1
        let kept: Int
        switch image.variant {
        case .everything, .namesLost: kept = entries.count
        case .onlySynced: kept = durable
        case .tornWrite(let seed), .reordered(let seed):
            var random = SeededRandom(seed: seed ^ 0x1DE8)
            kept = random.number(durable...entries.count)
        }
        let index = MemoryBlockIndex()
        try index.write(initial, sync: true)
        for batch in entries.prefix(kept).compactMap(\.batch) { try index.write(batch, sync: true) }
        return index
    }
}
