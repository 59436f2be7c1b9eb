import BlockStorage
import Catalog
import IPLD
public import Multiformats

/// What a collection of garbage did, or would do.
public struct CollectionReport: Sendable {
    /// Blocks that went, or would go.
    public var blocks = 0
    public var bytes: Int64 = 0
    public var keptBlocks = 0
    /// Unreachable, and within the grace period.
    public var youngBlocks = 0
    public var youngBytes: Int64 = 0
    /// By how much the packs shrank.
    public var freedBytes: Int64 = 0
    public var removedPacks = 0
    public var rewrittenPacks = 0
    public var skippedPacks = 0
    /// Leaves that are kept and not there; what else is kept is known all the same.
    public var missingLeaves = 0
    /// Kept blocks whose bytes are right and not of their codec: they stay, and end what is kept. At most
    /// 100.
    public var unreadableBlocks: [CID] = []

    public init() {}
}

/// A DAG that nothing keeps.
public struct GarbageTree: Sendable {
    public let root: CID
    /// Blocks that go with it, each counted for the first tree that holds it.
    public internal(set) var blocks: Int
    public internal(set) var bytes: Int64
}

/// How to collect.
public struct CollectionOptions: Sendable {
    public var grace: Duration
    public var isDryRun = false
    /// The share of the store that may be dead bytes afterwards.
    public var maximumUnusedShare: Double

    public init(grace: Duration, maximumUnusedShare: Double) {
        self.grace = grace
        self.maximumUnusedShare = maximumUnusedShare
    }
}

extension StorageNode {
    /// Drops blocks that neither pin nor namespace reaches and gives their space back, while everything
    /// else goes on.
    ///
    /// Nothing is dropped if a block with links that one of them needs is damaged or missing: what lies
    /// below it cannot be known. Memory: two bits a block.
    public func collectGarbage(
        _ options: CollectionOptions, cancellation: Cancellation = Cancellation(),
        progress: (String, Int) throws -> Void = { _, _ in }
    ) throws -> CollectionReport {
        var report = CollectionReport()
        let swept = try store.collect(
            grace: options.graceMilliseconds, dryRun: options.isDryRun ? .yes : .no,
            mark: { try markKept(cancellation, &report, progress) },
            dropping: { _, _ in try cancellation.check() })
        report.blocks = swept.blocks
        report.bytes = swept.bytes
        report.keptBlocks = swept.keptBlocks
        report.youngBlocks = swept.youngBlocks
        report.youngBytes = swept.youngBytes
        guard !options.isDryRun else { return report }
        try withdrawUnneeded(options.graceMilliseconds, cancellation)
        let compaction = try store.compact(maximumUnusedShare: options.maximumUnusedShare) {
            try cancellation.check()
            try progress("compacting", 1)
        }
        report.freedBytes = compaction.freedBytes
        report.removedPacks = compaction.removedPacks
        report.rewrittenPacks = compaction.rewrittenPacks
        report.skippedPacks = compaction.skippedPacks
        return report
    }

    /// Marks everything that pins and namespaces reach. What is made meanwhile is found by going over them
    /// until nothing is new.
    private func markKept(
        _ cancellation: Cancellation, _ report: inout CollectionReport,
        _ progress: (String, Int) throws -> Void
    ) throws {
        var marked: Set<PinID> = []
        var trees = NamespaceRepository.RootMarks()
        var isNew = true
        while isNew {
            isNew = false
            try catalog.pins.forEach { pin in
                guard marked.insert(pin.id).inserted else { return }
                isNew = true
                try mark(pin.root, for: .pin(pin), cancellation, &report, progress)
            }
            try catalog.namespaces.forEachRoot(since: &trees) { root in
                isNew = true
                try mark(root.cid, for: .namespace(root.name), cancellation, &report, progress)
            }
        }
    }

    /// What keeps a root.
    private enum Keeper {
        case pin(Pin)
        case namespace(String)

        /// Whether everything below is to be there: pins that are still being filled may lack blocks.
        var isWhole: Bool {
            switch self {
            case .pin(let pin): pin.status == .pinned
            case .namespace: true
            }
        }

        func notWhole(_ reason: String) -> NodeError {
            switch self {
            case .pin(let pin):
                let name = pin.name.isEmpty ? pin.root.description : PathText.printable(pin.name.utf8)
                return .pinNotWhole(pin: name, reason: reason)
            case .namespace(let name):
                return .namespaceNotWhole(namespace: PathText.printable(name.utf8), reason: reason)
            }
        }
    }

    private func mark(
        _ root: CID, for keeper: Keeper, _ cancellation: Cancellation, _ report: inout CollectionReport,
        _ progress: (String, Int) throws -> Void
    ) throws {
        let store = store
        var walker = DAGWalker(root: root) { cid in
            try cancellation.check()
            if cid.isIdentity { return .enter }
            switch try store.mark(cid.multihash) {
            case .newlyMarked: return .enter
            case .markedBefore: return .skip
            case .absent: return .missing
            }
        }
        while true {
            do {
                guard let step = try walker.next(load: store.block) else { return }
                if case .missing(let cid, _) = step, keeper.isWhole {
                    guard !Block.canLink(cid.codec) else {
                        throw keeper.notWhole("block \(cid) is missing")
                    }
                    report.missingLeaves += 1
                }
                try progress("marking", 1)
            } catch DAGWalkError.unreadable(let cid, _) {
                // Its bytes are what was brought in: it stays, and no content may keep others from being
                // collected.
                if report.unreadableBlocks.count < 100 { report.unreadableBlocks.append(cid) }
            } catch let error as BlockStoreError where error.isDamage {
                damage.note(error)
                throw keeper.notWhole("\(error)")
            }
        }
    }

    /// Tells the trees that a collection would drop: each root that nothing else that goes links to, in the
    /// order of the index.
    ///
    /// Memory: eight bits a block.
    public func forEachGarbageTree(
        _ options: CollectionOptions, cancellation: Cancellation = Cancellation(),
        progress: (String, Int) throws -> Void = { _, _ in }, _ body: (GarbageTree) throws -> Void
    ) throws {
        var report = CollectionReport()
        let doomed = store.makeVisitedBlocks()
        let linked = store.makeVisitedBlocks()
        _ = try store.collect(
            grace: options.graceMilliseconds, dryRun: .yes,
            mark: { try markKept(cancellation, &report, progress) },
            dropping: { multihash, _ in
                try cancellation.check()
                guard let cid = try store.storedCID(of: multihash) else { return }
                _ = try doomed.visit(cid)
                for link in linksOfGarbage(cid) where link.multihash != multihash {
                    _ = try linked.visit(link)
                }
            })
        let counted = store.makeVisitedBlocks()
        try store.forEachBlock { multihash, _ in
            try cancellation.check()
            guard try doomed.contains(multihash), try !linked.contains(multihash),
                let root = try store.storedCID(of: multihash)
            else { return true }
            var tree = GarbageTree(root: root, blocks: 0, bytes: 0)
            var stack = [root]
            while let cid = stack.popLast() {
                guard try doomed.contains(cid.multihash), try counted.visit(cid) == .newlyMarked else {
                    continue
                }
                tree.blocks += 1
                tree.bytes += Int64(try store.size(of: cid) ?? 0)
                stack.append(contentsOf: linksOfGarbage(cid))
            }
            try body(tree)
            return true
        }
    }

    /// A block that is damaged or not of its codec names none: what lay below it is then told as trees of
    /// its own.
    private func linksOfGarbage(_ cid: CID) -> [CID] {
        guard Block.canLink(cid.codec), let block = try? store.block(cid) else { return [] }
        return (try? block.links()) ?? []
    }
}

extension CollectionOptions {
    fileprivate var graceMilliseconds: UInt64 {
        let (seconds, attoseconds) = grace.components
        return UInt64(clamping: seconds) &* 1000 &+ UInt64(attoseconds / 1_000_000_000_000_000)
    }
}
