import BlockStorage
import CAR
import HTTPSupport
import IPLD
import Multiformats
import NodeCore
import UnixFS

/// The sections of a CAR, one or a few leaves at a time: first the blocks that prove the path, then what
/// lies below.
///
/// Memory: the links on the way down, 16 MiB of small leaves, and a bit for each block of the store unless blocks
/// may repeat.
final class CARWalk {
    private let source: ScopedBlockSource
    private var output: [BodyPiece] = []
    private var written: Set<Multihash> = []
    private let repeatsBlocks: Bool
    private var isWalking = false
    private var rest: Rest

    /// What comes behind the path.
    private enum Rest {
        case nothing
        case file(UnixFSFileCursor)
        case directory(DirectoryBlocks)
        case dag(DAGWalker, VisitedBlocks)
    }

    init(
        source: ScopedBlockSource, resolved: ResolvedPath, root: CID, _ wanted: CARRequest,
        maximumRepeatedBlocks: Int
    ) throws {
        self.source = source
        repeatsBlocks = wanted.repeatsBlocks
        rest = .nothing
        output = [.bytes(CARv1.header(roots: [root])[...])]
        for block in resolved.pathBlocks.dropLast(resolved.pathBlocks.last?.cid == resolved.cid ? 1 : 0) {
            append(block)
        }
        switch wanted.scope {
        case .block: append(resolved.block)
        case .entity: try beginEntity(resolved.block, wanted)
        case .all:
            var budget = DAGWalker.Budget()
            if repeatsBlocks { budget.blocks = maximumRepeatedBlocks }
            isWalking = true
            let visited = source.makeVisitedBlocks()
            let repeats = repeatsBlocks
            rest = .dag(
                DAGWalker(root: resolved.cid, budget: budget) { cid in
                    if repeats || cid.isIdentity { return .enter }
                    switch try visited.visit(cid) {
                    case .newlyMarked: return .enter
                    case .markedBefore: return .skip
                    case .absent: return .missing
                    }
                }, visited)
        }
    }

    /// The next few pieces; `nil` at the end.
    ///
    /// - Throws: `blockNotFound` where the DAG is not whole: the stream is broken off then.
    func next() throws -> [BodyPiece]? {
        while output.isEmpty {
            guard try fill() else { return nil }
        }
        defer { output = [] }
        return output
    }

    private func beginEntity(_ block: Block, _ wanted: CARRequest) throws {
        append(block)
        guard let stat = try? UnixFSStat.ifUnixFS(block) else { return }
        switch stat.kind {
        case .file, .raw:
            let reader = try UnixFSFileReader(source: source, root: block)
            if let range = try wanted.range(in: reader.size), !range.isEmpty {
                rest = .file(try reader.cursor(range))
            }
        case .shardedDirectory:
            var blocks = DirectoryBlocks(try DirectoryReader(source: source, root: block))
            _ = try blocks.next()
            rest = .directory(blocks)
        case .directory, .symlink: break
        }
    }

    /// Makes some output.
    ///
    /// - Returns: `false` at the end.
    private func fill() throws -> Bool {
        switch rest {
        case .nothing: return false
        case .file(var cursor):
            rest = .nothing
            var leaves: [UnixFSFileCursor.Leaf] = []
            var last: Block?
            while leaves.count < 16, last == nil, let step = try cursor.nextStep() {
                switch step {
                case .block(let block): last = block
                case .leaf(let leaf): leaves.append(leaf)
                }
            }
            guard last != nil || !leaves.isEmpty else { return false }
            let places = try source.places(of: leaves.map(\.cid), .section)
            for (leaf, place) in zip(leaves, places) { try place.map(leaf.check) }
            try append(leaves.map(\.cid), places)
            if let last { append(last) }
            rest = .file(cursor)
        case .directory(var blocks):
            guard let block = try blocks.next() else { return false }
            rest = .directory(blocks)
            append(block)
        case .dag(var walker, let visited):
            rest = .nothing
            guard try walk(&walker) else { return false }
            rest = .dag(walker, visited)
        }
        return true
    }

    /// Goes on to the next block that links, or to some leaves, which are read and verified together.
    private func walk(_ walker: inout DAGWalker) throws -> Bool {
        var leaves: [CID] = []
        var bytes = 0
        var last: Block?
        while leaves.count < 64, bytes < 16 * 1024 * 1024, let step = try walker.next(load: source.block) {
            switch step {
            case .missing(let cid, _): throw GatewayFailure.blockNotFound(cid)
            case .leaf(let cid, _):
                guard !cid.isIdentity else { continue }
                leaves.append(cid)
                bytes += try source.size(of: cid) ?? 0
                continue
            case .block(let block, _): last = block
            }
            break
        }
        try append(leaves, source.places(of: leaves, .section))
        if let last { append(last) }
        return last != nil || !leaves.isEmpty
    }

    /// Appends blocks that nobody needs to see: large ones as places in packs.
    private func append(_ leaves: [CID], _ places: [HeldBlock?]) throws {
        for (cid, place) in zip(leaves, places) {
            switch place {
            case nil: throw GatewayFailure.blockNotFound(cid)
            case .bytes(let block): append(block)
            case .extent(let extent): append(cid, extent)
            }
        }
    }

    private func append(_ cid: CID, _ extent: BlockExtent) {
        guard isWanted(cid) else { return }
        if !extent.isSection { appendHead(cid, blockBytes: extent.count) }
        let slice = FileSlice(
            owner: extent.file, descriptor: extent.descriptor, offset: extent.offset, count: extent.count)
        // Sections that lie one behind the other in a pack are one piece.
        if case .file(var before)? = output.last, before.join(slice) {
            output[output.count - 1] = .file(before)
        } else {
            output.append(.file(slice))
        }
    }

    private func append(_ block: Block) {
        guard isWanted(block.cid) else { return }
        appendHead(block.cid, blockBytes: block.bytes.count)
        output.append(.bytes(block.bytes[...]))
    }

    /// Whether the block is to be in the CAR at this place.
    private func isWanted(_ cid: CID) -> Bool {
        guard !cid.isIdentity else { return false }
        if repeatsBlocks { return true }
        // The walk below remembers its blocks itself; here are those of the path and of one file or
        // directory.
        if isWalking { return !written.contains(cid.multihash) }
        return written.insert(cid.multihash).inserted
    }

    private func appendHead(_ cid: CID, blockBytes: Int) {
        var head: [UInt8] = []
        CARv1.appendSectionHead(cid, blockBytes: blockBytes, to: &head)
        output.append(.bytes(head[...]))
    }
}
