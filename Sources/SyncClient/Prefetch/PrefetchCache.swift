import Digests
import IPLD
import Multiformats
import Synchronization
import SyncProtocol

/// Leaves of files that other devices are sending, read ahead of the journal: one file in
/// `.nacre/prefetch` for each, with the leaves where they will be in the file that they are of.
///
/// Not for keeping: whatever is there when it begins is removed, nothing is synced to the disk, and whoever
/// takes leaves from it gets them verified. What cannot be written or read is as good as not there.
/// Thread-safe: one thread fills it while another reads. Memory: some 80 bytes a leaf, 20 MiB at most.
public final class PrefetchCache: Sendable {
    /// What was done since the start.
    public struct Counters: Hashable, Sendable {
        /// Leaves that were read ahead.
        public var blocks = 0
        public var bytes: Int64 = 0
        /// Of those, bytes that became part of a file of the folder.
        public var bytesUsed: Int64 = 0
    }

    /// A file in the making.
    private struct Entry {
        let path: String
        let leaves: [Leaf]
        let offsets: [Int64]
        /// Leaves that are in the file, and those that are in the folder.
        var isHeld: [Bool]
        var isNeedless: [Bool]
        var bytes: Int64 = 0
        /// Milliseconds. Nobody shows it any more then.
        var deadline: Int64
        /// Rises with each use.
        var used: UInt64
    }

    private struct State {
        var entries: [CID: Entry] = [:]
        /// Where leaves are that are held.
        var places: [CID: (root: CID, index: Int)] = [:]
        var bytes: Int64 = 0
        var uses: UInt64 = 0
        var counters = Counters()
    }

    static let directory = SyncNames.ownDirectory + "/prefetch"
    /// Of all files together.
    private static let maximumLeaves = 2 * SyncLimits.maximumInflightLeaves
    /// So long after it was not shown any more a file may still be asked for: the entry of the journal that
    /// names it is on its way. Milliseconds.
    private static let patience: Int64 = 10_000

    private let disk: any FolderFileSystem
    private let budget: Int64
    private let state = Mutex(State())

    /// - Parameter budget: bytes on the disk.
    public init(disk: any FolderFileSystem, budget: Int64) {
        self.disk = disk
        self.budget = budget
        clear()
    }

    public var counters: Counters { state.withLock { $0.counters } }
    /// Bytes on the disk.
    public var bytes: Int64 { state.withLock { $0.bytes } }

    /// Removes everything.
    public func clear() {
        state.withLock { state in
            (state.entries, state.places, state.bytes) = ([:], [:], 0)
        }
        // A folder without one has nothing to be removed.
        guard let files = try? disk.list(Self.directory) else { return }
        for file in files {
            if let name = file.name { try? disk.removeFile(Self.directory + "/" + name) }
        }
    }

    // MARK: Filling

    /// Takes note of what is shown at a moment: what is not is removed after a while.
    func show(_ files: [InflightFile], at now: Int64) {
        let shown = Dictionary(files.map { ($0.root, $0) }) { first, _ in first }
        state.withLock { state in
            for root in state.entries.keys {
                guard let deadline = state.entries[root]?.deadline else { continue }
                state.entries[root]?.deadline =
                    shown[root].map { now + Int64($0.seconds) * 1000 + Self.patience }
                    ?? min(deadline, now + Self.patience)
            }
        }
    }

    /// Removes what was not shown for long.
    ///
    /// - Returns: when there is something to be removed next; `nil` for never.
    public func expire(at now: Int64) -> Int64? {
        let (gone, next) = state.withLock { state in
            let gone = state.entries.filter { $0.value.deadline <= now }.map(\.key)
            return (gone, state.entries.values.filter { $0.deadline > now }.map(\.deadline).min())
        }
        for root in gone { remove(root) }
        return next
    }

    /// The leaves of a file that it has begun with.
    func leaves(of root: CID) -> [Leaf]? { state.withLock { $0.entries[root]?.leaves } }

    /// Begins with a file.
    ///
    /// - Returns: whether there is room for it.
    func begin(_ file: InflightFile, _ leaves: [Leaf], name: String, at now: Int64) -> Bool {
        var offsets: [Int64] = []
        offsets.reserveCapacity(leaves.count)
        var offset: Int64 = 0
        for leaf in leaves {
            offsets.append(offset)
            offset += Int64(leaf.bytes)
        }
        let path = Self.directory + "/" + name
        // It may be there already; without one nothing can be made in it.
        try? disk.makeDirectory(Self.directory)
        guard (try? disk.create(path)) != nil else { return false }
        let isTaken = state.withLock { state in
            let all = state.entries.values.reduce(0) { $0 + $1.leaves.count }
            guard all + leaves.count <= Self.maximumLeaves, state.entries[file.root] == nil else {
                return false
            }
            state.uses += 1
            state.entries[file.root] = Entry(
                path: path, leaves: leaves, offsets: offsets,
                isHeld: [Bool](repeating: false, count: leaves.count),
                isNeedless: [Bool](repeating: false, count: leaves.count),
                deadline: now + Int64(file.seconds) * 1000 + Self.patience, used: state.uses)
            return true
        }
        if !isTaken { try? disk.removeFile(path) }
        return isTaken
    }

    /// The next leaves of a file that arrived and are not at hand: so many bytes, but one at least.
    ///
    /// - Parameter isAtHand: whether the folder has a leaf; asked once for each.
    func wanted(of file: InflightFile, bytes maximum: Int, isAtHand: (CID) -> Bool) -> [Leaf] {
        let (found, places) = state.withLock { ($0.entries[file.root], $0.places) }
        guard let entry = found, entry.leaves.count == file.leaves else { return [] }
        var needless: [Int] = []
        var wanted: [Leaf] = []
        var chosen: Set<CID> = []
        var bytes = 0
        for (index, leaf) in entry.leaves.enumerated()
        where file.hasArrived(index) && !entry.isHeld[index] && !entry.isNeedless[index] {
            if leaf.bytes == 0 || places[leaf.cid] != nil || isAtHand(leaf.cid) {
                needless.append(index)
                continue
            }
            guard wanted.isEmpty || bytes + leaf.bytes <= maximum else { break }
            guard chosen.insert(leaf.cid).inserted else { continue }
            wanted.append(leaf)
            bytes += leaf.bytes
            guard wanted.count < SyncLimits.maximumBlocks / 4 else { break }
        }
        if !needless.isEmpty {
            state.withLock { state in
                for index in needless { state.entries[file.root]?.isNeedless[index] = true }
            }
        }
        return wanted
    }

    /// Makes room for more of a file: others that were not used for longest go.
    ///
    /// - Returns: whether there is.
    func makeRoom(_ bytes: Int, for root: CID) -> Bool {
        while true {
            let oldest: CID? = state.withLock { state in
                guard state.bytes + Int64(bytes) > budget else { return nil }
                return state.entries.filter { $0.key != root }.min { $0.value.used < $1.value.used }?.key
                    ?? root
            }
            guard let oldest else { return true }
            guard oldest != root else { return false }
            remove(oldest)
        }
    }

    /// Keeps blocks of a file that were verified, each where it is in it first.
    ///
    /// - Throws: what the disk says.
    func keep(_ blocks: [Block], of root: CID) throws(FileError) {
        guard let entry = state.withLock({ $0.entries[root] }) else { return }
        var contents = Dictionary(blocks.map { ($0.cid, $0.bytes) }) { first, _ in first }
        for (index, leaf) in entry.leaves.enumerated() where !entry.isHeld[index] {
            guard let content = contents.removeValue(forKey: leaf.cid), content.count == leaf.bytes else {
                continue
            }
            try content.span.bytes.withUnsafeBytes { (bytes) throws(FileError) in
                try disk.write(bytes, to: entry.path, at: entry.offsets[index])
            }
            state.withLock { state in
                guard state.entries[root]?.isHeld[index] == false else { return }
                state.uses += 1
                state.entries[root]?.isHeld[index] = true
                state.entries[root]?.bytes += Int64(leaf.bytes)
                state.entries[root]?.used = state.uses
                state.bytes += Int64(leaf.bytes)
                state.places[leaf.cid] = (root, index)
                state.counters.blocks += 1
                state.counters.bytes += Int64(leaf.bytes)
            }
        }
    }

    func remove(_ root: CID) {
        let path: String? = state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: root) else { return nil }
            state.bytes -= entry.bytes
            for (index, leaf) in entry.leaves.enumerated() where entry.isHeld[index] {
                if state.places[leaf.cid]?.root == root { state.places[leaf.cid] = nil }
            }
            return entry.path
        }
        // What cannot be removed now is removed when the next run begins.
        if let path { try? disk.removeFile(path) }
    }

    // MARK: Taking

    /// Those of the leaves that are held, verified. What lies together is read at once.
    func contents(of leaves: [Leaf]) -> [CID: [UInt8]] {
        struct Run {
            var path: String
            var start: Int64
            var leaves: [Leaf]
            var bytes: Int
        }
        let runs: [Run] = state.withLock { state in
            guard !state.places.isEmpty else { return [] }
            var runs: [Run] = []
            var end: Int64 = 0
            var seen: Set<CID> = []
            for leaf in leaves where leaf.bytes > 0 {
                guard let place = state.places[leaf.cid], let entry = state.entries[place.root],
                    entry.leaves[place.index].bytes == leaf.bytes, seen.insert(leaf.cid).inserted
                else { continue }
                let start = entry.offsets[place.index]
                if let last = runs.last, last.path == entry.path, end == start,
                    last.bytes < SyncLimits.maximumLeafBytes
                {
                    runs[runs.count - 1].leaves.append(leaf)
                    runs[runs.count - 1].bytes += leaf.bytes
                } else {
                    runs.append(Run(path: entry.path, start: start, leaves: [leaf], bytes: leaf.bytes))
                }
                end = start + Int64(leaf.bytes)
            }
            return runs
        }
        var found: [CID: [UInt8]] = [:]
        for run in runs {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: run.bytes, alignment: 64)
            defer { buffer.deallocate() }
            guard (try? disk.read(run.path, at: run.start, into: buffer)) == run.bytes else { continue }
            var offset = 0
            for leaf in run.leaves {
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[offset..<offset + leaf.bytes])
                offset += leaf.bytes
                guard (try? leaf.cid.verify(bytes)) != nil else { continue }
                found[leaf.cid] = [UInt8](bytes)
            }
        }
        let bytes = found.values.reduce(Int64(0)) { $0 + Int64($1.count) }
        if bytes > 0 { state.withLock { $0.counters.bytesUsed += bytes } }
        return found
    }

    /// Removes the file of which these are the leaves: it is in the folder.
    func finish(_ leaves: [Leaf]) {
        guard let first = leaves.first else { return }
        let roots = state.withLock { state in
            state.entries.filter { $0.value.leaves.first == first && $0.value.leaves == leaves }.map(\.key)
        }
        for root in roots { remove(root) }
    }
}
