import Digests
import IPLD
public import Multiformats
public import SyncProtocol

/// The calls by which files are read that are not in the journal yet.
public protocol PrefetchSource: Sendable {
    /// Files that other devices are sending now.
    ///
    /// - Parameter cursor: up to where the journal was read.
    func inflight(after cursor: SyncCursor) throws(SyncServerError) -> [InflightFile]
    func leaves(of root: CID, base: CID?) throws(SyncServerError) -> LeafEdit
    func retrieve(_ cids: [CID]) throws(SyncServerError) -> RetrievedBlocks
}

/// Reads what other devices are sending into a ``PrefetchCache``, a few leaves at a time.
///
/// Decides nothing about the folder: it only spares the engine a wait once an entry of the journal names what
/// was read. For one thread.
public struct Prefetcher {
    private let source: any PrefetchSource
    private let cache: PrefetchCache
    private let disk: any FolderFileSystem
    private let content: any ContentReading
    private let blocks: any LocalBlockSource
    private let environment: SyncEnvironment
    private let maximumBytes: Int
    /// Bytes that are asked for at once: what came in half a second or so, since a call that is under way is
    /// the longest that the folder's own calls have to share the line with.
    private var batchBytes: Int
    private let known: (InflightFile) -> Known?

    /// What the folder says of a file that is being sent.
    public struct Known: Sendable {
        /// The content that is here now.
        public var base: CID?

        public init(base: CID?) { self.base = base }
    }

    /// - Parameters:
    ///   - maximumBytes: the most that are asked for at once.
    ///   - blocks: finds leaves that need not be read.
    ///   - known: what is here of a file; `nil` if it would not be taken.
    public init(
        _ source: any PrefetchSource, into cache: PrefetchCache, disk: any FolderFileSystem,
        content: any ContentReading, blocks: any LocalBlockSource, environment: SyncEnvironment,
        maximumBytes: Int, known: @escaping (InflightFile) -> Known?
    ) {
        self.source = source
        self.cache = cache
        self.disk = disk
        self.content = content
        self.blocks = blocks
        self.environment = environment
        self.maximumBytes = maximumBytes
        batchBytes = min(Self.firstBytes, maximumBytes)
        self.known = known
    }

    private static let firstBytes = 512 * 1024
    /// Where a line is so slow that a call brings no more, it brings one leaf.
    private static let minimumBytes = 64 * 1024

    /// Reads what arrived by now, as long as it may.
    ///
    /// - Parameter mayGoOn: is asked before every call; the journal comes first.
    /// - Returns: whether it came to its end.
    public mutating func read(
        after cursor: SyncCursor, while mayGoOn: () -> Bool
    ) throws(SyncServerError) -> Bool {
        guard mayGoOn() else { return false }
        let files = try source.inflight(after: cursor)
        cache.show(files, at: environment.steadyClock())
        for file in files {
            guard let known = known(file) else { continue }
            guard mayGoOn() else { return false }
            guard try begin(file, known) else { continue }
            while true {
                guard mayGoOn() else { return false }
                guard try readSome(of: file) else { break }
            }
        }
        return true
    }

    /// Gets the list of leaves of a file that is new.
    ///
    /// - Returns: whether it is to be read.
    private func begin(_ file: InflightFile, _ known: Known) throws(SyncServerError) -> Bool {
        if cache.leaves(of: file.root) != nil { return true }
        let base = known.base.flatMap { base in content.cachedLeaves(of: base).map { (base, $0) } }
        let edit: LeafEdit
        do throws(SyncServerError) {
            edit = try source.leaves(of: file.root, base: base?.0)
        } catch {
            // It may have ended a moment ago.
            if case .refused = error { return false }
            throw error
        }
        let old = edit.base == nil ? [] : base.flatMap { $0.0 == edit.base ? $0.1 : nil }
        guard let old, let leaves = LeafLists.apply(edit, to: old), leaves.count == file.leaves,
            (try? LeafLists.root(of: leaves)) == file.root,
            leaves.reduce(Int64(0), { $0 + Int64($1.bytes) }) == file.size
        else { return false }
        guard
            cache.begin(file, leaves, name: environment.randomName(), at: environment.steadyClock())
        else { return false }
        // The engine needs the list as well.
        content.remember(leaves, of: file.root)
        return true
    }

    /// - Returns: whether there may be more.
    private mutating func readSome(of file: InflightFile) throws(SyncServerError) -> Bool {
        let wanted = cache.wanted(of: file, bytes: batchBytes) { blocks.find($0) != nil }
        let bytes = wanted.reduce(0) { $0 + $1.bytes }
        // Room for the file itself comes first.
        guard !wanted.isEmpty, cache.makeRoom(bytes, for: file.root),
            let free = try? disk.freeBytes(), free - Int64(bytes) >= file.size
        else { return false }
        let asked = Dictionary(wanted.map { ($0.cid, $0.bytes) }) { first, _ in first }
        let begin = environment.steadyClock()
        let answer = try source.retrieve(wanted.map(\.cid))
        adapt(to: environment.steadyClock() - begin)
        let good = answer.blocks.filter {
            asked[$0.cid] == $0.bytes.count && (try? $0.cid.verify($0.bytes)) != nil
        }
        guard !good.isEmpty else { return false }
        do throws(FileError) {
            try cache.keep(good, of: file.root)
        } catch {
            // A disk that takes nothing more now does so later.
            return false
        }
        return true
    }

    /// - Parameter milliseconds: how long a call took.
    private mutating func adapt(to milliseconds: Int64) {
        if milliseconds < 250 {
            batchBytes = min(2 * batchBytes, maximumBytes)
        } else if milliseconds > 1000 {
            batchBytes = max(batchBytes / 2, min(Self.minimumBytes, maximumBytes))
        }
    }
}
