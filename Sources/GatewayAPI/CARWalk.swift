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
/// Memory: the links on the way down, 4 MiB of leaves, and a bit for each block of the store unless blocks
/// may repeat.
final class CARWalk {
    private let source: ScopedBlockSource
    private var output: [ArraySlice<UInt8>] = []
    private var written: Set<Multihash> = []
    private let repeatsBlocks: Bool
    private var rest: Rest

    /// What comes behind the path.
    private enum Rest {
        case nothing
        case file(UnixFSFileCursor)
        case directory([Block])
        case dag(DAGWalker, VisitedBlocks)
    }

    init(
        source: ScopedBlockSource, resolved: ResolvedPath, root: CID, _ wanted: CARRequest,
        maximumRepeatedBlocks: Int
    ) throws {
        self.source = source
        repeatsBlocks = wanted.repeatsBlocks
        rest = .nothing
        output = [CARv1.header(roots: [root])[...]]
        for block in resolved.pathBlocks.dropLast(resolved.pathBlocks.last?.cid == resolved.cid ? 1 : 0) {
            append(block)
        }
        switch wanted.scope {
        case .block: append(resolved.block)
        case .entity: try beginEntity(resolved.block, wanted)
        case .all:
            var budget = DAGWalker.Budget()
            if repeatsBlocks { budget.blocks = maximumRepeatedBlocks }
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

    /// The next bytes; `nil` at the end.
    ///
    /// - Throws: `blockNotFound` where the DAG is not whole: the stream is broken off then.
    func next() throws -> ArraySlice<UInt8>? {
        while output.isEmpty {
            guard try fill() else { return nil }
        }
        return output.removeFirst()
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
            var shards: [Block] = []
            try DirectoryReader(source: source, root: block).forEachBlock { shards.append($0) }
            rest = .directory(shards.reversed().dropLast())
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
            guard let block = try cursor.nextBlock() else { return false }
            rest = .file(cursor)
            append(block)
        case .directory(var shards):
            guard let block = shards.popLast() else { return false }
            rest = .directory(shards)
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
        while leaves.count < 64, bytes < 4 * 1024 * 1024, let step = try walker.next(load: source.block) {
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
        for (cid, block) in zip(leaves, try source.blocks(leaves)) {
            guard let block else { throw GatewayFailure.blockNotFound(cid) }
            append(block)
        }
        if let last { append(last) }
        return last != nil || !leaves.isEmpty
    }

    private func append(_ block: Block) {
        guard !block.cid.isIdentity else { return }
        // The walk below remembers its blocks itself; here are those of the path and of one file or
        // directory.
        if !repeatsBlocks, case .dag = rest {
            if !written.isEmpty, written.contains(block.cid.multihash) { return }
        } else if !repeatsBlocks, !written.insert(block.cid.multihash).inserted {
            return
        }
        var head: [UInt8] = []
        CARv1.appendSectionHead(block.cid, blockBytes: block.bytes.count, to: &head)
        if block.bytes.count < 16 * 1024 {
            output.append((head + block.bytes)[...])
        } else {
            output.append(head[...])
            output.append(block.bytes[...])
        }
    }
}
