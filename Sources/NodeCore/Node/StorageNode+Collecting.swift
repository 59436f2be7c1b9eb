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
    /// Roots of the trees that go: blocks that nothing else that goes links to. Only on request.
    public var trees: [GarbageTree] = []

    public init() {}
}

/// A DAG that nothing keeps.
public struct GarbageTree: Sendable {
    public let root: CID
    /// Blocks that go with it, each counted for the first tree that holds it.
    public let blocks: Int
    public let bytes: Int64
}

/// How to collect.
public struct CollectionOptions: Sendable {
    public var grace: Duration
    public var isDryRun = false
    public var listsTrees = false
    /// The share of the store that may be dead bytes afterwards.
    public var maximumUnusedShare: Double

    public init(grace: Duration, maximumUnusedShare: Double) {
        self.grace = grace
        self.maximumUnusedShare = maximumUnusedShare
    }
}

extension StorageNode {
    /// Drops blocks that no pin reaches and gives their space back, while everything else goes on.
    ///
    /// Nothing is dropped if a block that a pin needs is damaged or missing: what lies below it cannot be
    /// known. Memory: two bits a block; with `listsTrees`, also a digest for each link of what goes.
    public func collectGarbage(
        _ options: CollectionOptions, cancellation: Cancellation = Cancellation(),
        progress: (String, Int) throws -> Void = { _, _ in }
    ) throws -> CollectionReport {
        var report = CollectionReport()
        var doomed: [Multihash] = []
        let (seconds, attoseconds) = options.grace.components
        let grace = UInt64(clamping: seconds) &* 1000 &+ UInt64(attoseconds / 1_000_000_000_000_000)
        let swept = try store.collect(
            grace: grace, dryRun: options.isDryRun || options.listsTrees ? .yes : .no,
            mark: { try markPins(cancellation, progress) },
            dropping: { multihash, _ in
                try cancellation.check()
                if options.listsTrees { doomed.append(multihash) }
            })
        if options.listsTrees {
            report.trees = try trees(of: doomed, cancellation)
            if !options.isDryRun {
                var rest = options
                rest.listsTrees = false
                let trees = report.trees
                report = try collectGarbage(rest, cancellation: cancellation, progress: progress)
                report.trees = trees
                return report
            }
        }
        report.blocks = swept.blocks
        report.bytes = swept.bytes
        report.keptBlocks = swept.keptBlocks
        report.youngBlocks = swept.youngBlocks
        report.youngBytes = swept.youngBytes
        guard !options.isDryRun else { return report }
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

    /// Marks everything that pins reach. Pins that are made meanwhile are found by going over them until
    /// nothing is new.
    private func markPins(_ cancellation: Cancellation, _ progress: (String, Int) throws -> Void) throws {
        var marked: Set<PinID> = []
        var isNew = true
        while isNew {
            isNew = false
            try catalog.pins.forEach { pin in
                guard marked.insert(pin.id).inserted else { return }
                isNew = true
                try mark(pin, cancellation, progress)
            }
        }
    }

    private func mark(_ pin: Pin, _ cancellation: Cancellation, _ progress: (String, Int) throws -> Void)
        throws
    {
        let store = store
        var walker = DAGWalker(root: pin.root) { cid in
            try cancellation.check()
            if cid.isIdentity { return .enter }
            switch try store.mark(cid.multihash) {
            case .newlyMarked: return .enter
            case .markedBefore: return .skip
            case .absent: return .missing
            }
        }
        while let step = try walker.next(load: store.block) {
            // Pins that are still being filled may lack blocks.
            if case .missing(let cid, _) = step, pin.status == .pinned {
                throw NodeError.incomplete(root: pin.root, missing: cid, count: 1)
            }
            try progress("marking", 1)
        }
    }

    /// The roots among blocks that go, with what goes with each.
    private func trees(of doomed: [Multihash], _ cancellation: Cancellation) throws -> [GarbageTree] {
        let all = Set(doomed)
        var linked: Set<Multihash> = []
        var cids: [Multihash: CID] = [:]
        for multihash in doomed {
            try cancellation.check()
            guard let cid = try store.storedCID(of: multihash) else { continue }
            cids[multihash] = cid
            guard Block.canLink(cid.codec), let block = try? store.block(cid), let links = try? block.links()
            else { continue }
            for link in links where link.multihash != multihash { linked.insert(link.multihash) }
        }
        var counted: Set<Multihash> = []
        var trees: [GarbageTree] = []
        for multihash in doomed where !linked.contains(multihash) {
            guard let root = cids[multihash] else { continue }
            var blocks = 0
            var bytes: Int64 = 0
            var stack = [root]
            while let cid = stack.popLast() {
                guard all.contains(cid.multihash), counted.insert(cid.multihash).inserted else { continue }
                blocks += 1
                bytes += Int64(try store.size(of: cid) ?? 0)
                if Block.canLink(cid.codec), let block = try? store.block(cid), let links = try? block.links()
                {
                    stack.append(contentsOf: links)
                }
            }
            trees.append(GarbageTree(root: root, blocks: blocks, bytes: bytes))
        }
        return trees
    }
}
