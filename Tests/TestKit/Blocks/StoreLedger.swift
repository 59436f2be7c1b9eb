public import IPLD
public import Multiformats
import Synchronization

/// What a store acknowledged in the course of a workload, with the moment: what a test may hold it to later.
///
/// The moment is the number of disk operations made so far, as ``RecordingFileSystem`` counts them.
public final class StoreLedger: Sendable {
    private struct Entry {
        let block: Block
        /// From which moment the block must be there; `nil` until it is acknowledged.
        var since: Int?
        /// From which moment it may be gone.
        var until: Int?
    }
    private let entries = Mutex<[Multihash: Entry]>([:])
    private let clock: @Sendable () -> Int

    /// - Parameter clock: the number of operations made so far; always 0 where moments do not matter.
    public init(clock: @escaping @Sendable () -> Int = { 0 }) { self.clock = clock }

    /// The blocks are about to be put.
    public func willPut(_ blocks: [Block]) {
        entries.withLock { entries in
            for block in blocks where entries[block.cid.multihash] == nil {
                entries[block.cid.multihash] = Entry(block: block)
            }
        }
    }

    /// A commit returned, so every block put before it is durable.
    public func didCommit(_ blocks: [Block]) {
        let now = clock()
        entries.withLock { entries in
            for block in blocks {
                var entry = entries[block.cid.multihash] ?? Entry(block: block)
                if entry.since == nil || entry.until != nil { entry.since = now }
                entry.until = nil
                entries[block.cid.multihash] = entry
            }
        }
    }

    /// The blocks are about to be removed, or nobody needs them from here on.
    public func willRemove(_ cids: [CID]) {
        let now = clock()
        entries.withLock { entries in
            for cid in cids where entries[cid.multihash]?.until == nil { entries[cid.multihash]?.until = now }
        }
    }

    /// Every block ever put.
    public var all: [Block] { entries.withLock { $0.values.map(\.block) } }

    /// The blocks that must be there if the power went after `moment` operations.
    public func required(at moment: Int = 0) -> [Block] {
        entries.withLock { entries in
            entries.values.filter { entry in
                guard let since = entry.since, since <= moment else { return false }
                return entry.until.map { moment < $0 } ?? true
            }.map(\.block)
        }
    }

    /// What is wrong with a store that was opened again: acknowledged blocks that are gone, and blocks that
    /// come back as something else. Empty if all is well.
    public func complaints(about source: some BlockSource, at moment: Int = 0) -> [String] {
        var complaints: [String] = []
        let required = Set(required(at: moment).map(\.cid))
        for block in all {
            let found: Block?
            do {
                found = try source.block(block.cid)
            } catch {
                // Of a block that was never acknowledged an error is as good an answer as none.
                if required.contains(block.cid) {
                    complaints.append("\(block.cid) was acknowledged: \(error)")
                }
                continue
            }
            if let found, found.bytes != block.bytes {
                complaints.append("\(block.cid) came back with other bytes")
            } else if found == nil, required.contains(block.cid) {
                complaints.append("\(block.cid) was acknowledged and is gone")
            }
        }
        return complaints
    }
}
