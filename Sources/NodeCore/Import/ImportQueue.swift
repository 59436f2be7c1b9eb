import UnixFS

/// Steps of a walk in order, with their files on the way through the workers.
///
/// Files are gathered into batches across directories; a step leaves the queue when everything before it has
/// left and its batch is done. Bounded in steps and in batches.
struct ImportQueue {
    enum Finished {
        case file(name: [UInt8], ImportFrame, SmallFileBatch.Result)
        case symlink(name: [UInt8], target: [UInt8], UnixFSMetadata?, ImportFrame)
        case end(ImportFrame)
    }

    private enum Entry {
        case file(name: [UInt8], ImportFrame, Batch, index: Int)
        case other(Finished)
    }

    /// A batch that fills, runs, is done.
    private final class Batch {
        var requests: [SmallFileBatch.Request] = []
        var pending: Pending<[SmallFileBatch.Result]>?
        var results: [SmallFileBatch.Result]?
    }

    private let pool: WorkerPool
    private let batches: SmallFileBatch
    private var entries: [Entry?] = []
    private var first = 0
    private var filling = Batch()
    private var running: [Batch] = []

    init(pool: WorkerPool, batches: SmallFileBatch) {
        self.pool = pool
        self.batches = batches
    }

    /// Enough is under way to keep every worker busy.
    var isFull: Bool {
        running.count > pool.threads + 2 || entries.count - first > 64 * SmallFileBatch.maximumFiles
    }

    mutating func append(_ step: TreeWalk.Step) throws {
        switch step {
        case .file(let name, let frame):
            entries.append(.file(name: name, frame, filling, index: filling.requests.count))
            filling.requests.append(SmallFileBatch.Request(directory: frame.handle, name: name))
            if filling.requests.count == SmallFileBatch.maximumFiles { start() }
        case .symlink(let name, let target, let metadata, let frame):
            entries.append(.other(.symlink(name: name, target: target, metadata, frame)))
        case .end(let frame):
            entries.append(.other(.end(frame)))
        }
    }

    /// The first step with its result; waits for it if need be.
    mutating func popFirst() throws -> Finished? {
        guard first < entries.count, let entry = entries[first] else { return nil }
        entries[first] = nil
        first += 1
        if first >= 4096 {
            entries.removeFirst(first)
            first = 0
        }
        switch entry {
        case .other(let finished):
            return finished
        case .file(let name, let frame, let batch, let index):
            if batch === filling { start() }
            if batch.results == nil, let pending = batch.pending {
                batch.results = try pending.value()
                running.removeAll { $0 === batch }
            }
            guard let results = batch.results, index < results.count else { return nil }
            return .file(name: name, frame, results[index])
        }
    }

    /// Waits for what still runs, when nobody wants its results any more.
    mutating func settle() {
        for batch in running { _ = try? batch.pending?.value() }
        running.removeAll()
    }

    private mutating func start() {
        guard !filling.requests.isEmpty else { return }
        let batch = filling
        filling = Batch()
        let (batches, requests) = (batches, batch.requests)
        batch.pending = pool.submit { try batches.run(requests) }
        batch.requests = []
        running.append(batch)
    }
}
