import BlockStorage
public import CAR
import IPLD
public import Multiformats
import UnixFS

/// What of a DAG goes into a CAR file. The words are those of the trustless gateway specification.
public struct CARExportOptions: Sendable {
    public var scope = Scope.all
    /// Only the blocks that these bytes of a file need; with ``Scope/entity``.
    public var entityBytes: Range<UInt64>?
    public var format = Format.version1

    public init() {}

    /// How much of the DAG.
    public enum Scope: String, Sendable, CaseIterable {
        /// Everything below the root.
        case all
        /// A file with all its blocks, a directory without the files in it, any other block by itself.
        case entity
        case block
    }

    /// Which container.
    public enum Format: Sendable {
        case version1
        /// With an index behind the blocks.
        case version2
    }
}

extension StorageNode {
    /// Writes a DAG as a CAR file, depth first in the order of links, each block once: the same DAG gives
    /// the same file.
    ///
    /// Memory: one bit a block of the store, the links on the way down, and 16 MiB of leaves. A CARv2 costs
    /// a second walk before, since its header holds the size of what follows.
    ///
    /// - Throws: `incomplete` if blocks are missing; what was written until then is no whole file.
    public func exportCAR(
        root: CID, options: CARExportOptions = CARExportOptions(),
        cancellation: Cancellation = Cancellation(),
        progress: (Int) throws -> Void = { _ in }, sink: @escaping CARByteSink
    ) throws -> CARWritingResult {
        var format = CARWritingFormat.version1
        if options.format == .version2 {
            var payload = UInt64(CARv1.header(roots: [root]).count)
            try forEachBlock(of: root, options, cancellation, needsBytes: false) { cid, bytes, _ in
                payload += UInt64(CARv1.sectionBytes(cid, blockBytes: bytes))
            }
            format = .version2(index: .multihashSorted, payloadBytes: payload)
        }
        var writer = try CARWriter(roots: [root], format: format, sink: sink)
        try forEachBlock(of: root, options, cancellation, needsBytes: true) { cid, bytes, block in
            guard let block else { return }
            try writer.append(block)
            try progress(bytes)
        }
        return try writer.finish()
    }

    private func forEachBlock(
        of root: CID, _ options: CARExportOptions, _ cancellation: Cancellation, needsBytes: Bool,
        _ body: (CID, Int, Block?) throws -> Void
    ) throws {
        switch options.scope {
        case .block:
            let block = try store.requireBlock(root)
            try body(block.cid, block.bytes.count, block)
        case .entity:
            try forEachBlock(ofEntity: root, options.entityBytes) { block in
                try cancellation.check()
                try body(block.cid, block.bytes.count, block)
            }
        case .all:
            try forEachBlock(below: root, cancellation, needsBytes: needsBytes, body)
        }
    }

    private func forEachBlock(
        below root: CID, _ cancellation: Cancellation, needsBytes: Bool,
        _ body: (CID, Int, Block?) throws -> Void
    ) throws {
        let visited = store.makeVisitedBlocks()
        var walker = DAGWalker(root: root) { cid in
            try cancellation.check()
            return try visited.decision(on: cid)
        }
        // Leaves that follow one another are read and verified together, in lanes.
        var leaves: [CID] = []
        var leafBytes = 0
        func flush() throws {
            for (cid, block) in zip(leaves, try store.blocks(leaves)) {
                guard let block else { throw NodeError.incomplete(root: root, missing: cid, count: 1) }
                try body(cid, block.bytes.count, block)
            }
            leaves.removeAll(keepingCapacity: true)
            leafBytes = 0
        }
        while let step = try walker.next(load: store.block) {
            // What an identity CID names is in the CID.
            if step.cid.isIdentity { continue }
            switch step {
            case .missing(let cid, _):
                // A block that was found damaged counts as missing: reading it says which of both it is.
                _ = try store.block(cid)
                throw NodeError.incomplete(root: root, missing: cid, count: 1)
            case .block(let block, _):
                try flush()
                try body(block.cid, block.bytes.count, block)
            case .leaf(let cid, _):
                let bytes = try store.size(of: cid) ?? 0
                guard needsBytes else {
                    try body(cid, bytes, nil)
                    continue
                }
                leaves.append(cid)
                leafBytes += bytes
                if leaves.count >= Self.leavesTogether || leafBytes >= Self.leafBytesTogether { try flush() }
            }
        }
        try flush()
    }

    private static let leavesTogether = 256
    private static let leafBytesTogether = 16 * 1024 * 1024

    private func forEachBlock(
        ofEntity root: CID, _ range: Range<UInt64>?, _ body: (Block) throws -> Void
    ) throws {
        let block = try store.requireBlock(root)
        guard let stat = try UnixFSStat.ifUnixFS(block) else { return try body(block) }
        switch stat.kind {
        case .file, .raw:
            let reader = try UnixFSFileReader(source: store, root: block)
            let clamped = range.map { min($0.lowerBound, reader.size)..<min($0.upperBound, reader.size) }
            try reader.forEachBlock(clamped, body)
        case .directory, .shardedDirectory:
            try DirectoryReader(source: store, root: block).forEachBlock(body)
        case .symlink:
            try body(block)
        }
    }
}
