import Digests
public import IPLD
import Multiformats

/// Builds the nodes above the leaves of one file, while the leaves come in order.
///
/// A node is emitted as soon as it is complete, children before parents; leaves are stored by whoever made
/// them. Memory: the encoded links of one unfinished node a level, some 50 KiB each with 1024 links.
///
/// Spec: UnixFS, "File". Balanced and trickle layouts as Kubo builds them.
public struct FileLayoutBuilder: Sendable {
    let maximumLinks: Int
    let writer: FileNodeWriter
    private let parameters: ImportParameters
    private let metadata: UnixFSMetadata?

    /// Unfinished nodes. Balanced: one a level, the lowest first. Trickle: one a step of the path to the
    /// newest leaf, the root first.
    var nodes: [PendingFileNode] = []
    /// Balanced only: the first leaf, which is the file unless a second one comes. Most files get no
    /// further, and no node is begun for them.
    private var firstLeaf: FileLeaf?
    /// Trickle only: where each of ``nodes`` stands.
    var positions: [TricklePosition] = []

    /// A builder for one file.
    ///
    /// - Parameters:
    ///   - parameters: layout, links, CID version and hash matter here.
    ///   - metadata: what the root records besides the content.
    public init(parameters: ImportParameters, metadata: UnixFSMetadata? = nil) {
        self.parameters = parameters
        self.metadata = metadata.flatMap { $0.isEmpty ? nil : $0 }
        maximumLinks = max(2, parameters.maximumLinks)
        writer = FileNodeWriter(cidVersion: parameters.nodeCIDVersion, hash: parameters.hash)
    }

    /// Puts the next leaf into the tree.
    ///
    /// - Parameter emit: is given nodes that are complete.
    /// - Throws: `UnixFSFileError.fileTooLarge` if sizes overflow, `MultihashError`, and what `emit` throws.
    public mutating func add(_ leaf: FileLeaf, emit: (Block) throws -> Void) throws {
        switch parameters.layout {
        case .balanced: try addBalanced(leaf, emit: emit)
        case .trickle: try addTrickle(leaf, emit: emit)
        }
    }

    /// Completes the tree; without any leaf, an empty file.
    ///
    /// A balanced file of one leaf is that leaf. If there is metadata that it does not carry, a node stands
    /// above it.
    ///
    /// - Parameter emit: is given the last nodes.
    public mutating func finish(emit: (Block) throws -> Void) throws -> FileRoot {
        switch parameters.layout {
        case .balanced: try finishBalanced(emit: emit)
        case .trickle: try finishTrickle(emit: emit)
        }
    }

    /// Writes a complete node that is not the root.
    func complete(_ node: PendingFileNode, emit: (Block) throws -> Void) throws -> FileLeaf {
        let (block, leaf) = try writer.write(node)
        try emit(block)
        return leaf
    }

    /// Writes the root.
    func completeRoot(_ node: PendingFileNode, emit: (Block) throws -> Void) throws -> FileRoot {
        let (block, leaf) = try writer.write(node, metadata: metadata)
        try emit(block)
        return FileRoot(leaf)
    }

    // MARK: Balanced

    private mutating func addBalanced(_ leaf: FileLeaf, emit: (Block) throws -> Void) throws {
        guard let first = firstLeaf else {
            firstLeaf = leaf
            return
        }
        if nodes.isEmpty { try placeBalanced(first, emit: emit) }
        try placeBalanced(leaf, emit: emit)
    }

    private mutating func placeBalanced(_ leaf: FileLeaf, emit: (Block) throws -> Void) throws {
        var child = leaf
        var level = 0
        while true {
            if level == nodes.count { nodes.append(PendingFileNode()) }
            if nodes[level].count < maximumLinks {
                try nodes[level].append(child)
                return
            }
            // A full node moves up only when a further child is there: it could have been the root.
            let full = try complete(nodes[level], emit: emit)
            nodes[level].removeAll()
            try nodes[level].append(child)
            child = full
            level += 1
        }
    }

    private mutating func finishBalanced(emit: (Block) throws -> Void) throws -> FileRoot {
        defer {
            nodes.removeAll()
            firstLeaf = nil
        }
        guard let firstLeaf else { return try finishEmpty(emit: emit) }
        if nodes.isEmpty { return try finishSingle(firstLeaf, emit: emit) }
        for level in nodes.indices.dropLast() {
            let child = try complete(nodes[level], emit: emit)
            try nodes[level + 1].append(child)
        }
        return try completeRoot(nodes[nodes.count - 1], emit: emit)
    }

    private func finishSingle(_ leaf: FileLeaf, emit: (Block) throws -> Void) throws -> FileRoot {
        if metadata == nil || leaf.carriesMetadata { return FileRoot(leaf) }
        var node = PendingFileNode()
        // No content needs no leaf: the node itself is the empty file.
        if leaf.contentBytes > 0 { try node.append(leaf) }
        return try completeRoot(node, emit: emit)
    }

    private func finishEmpty(emit: (Block) throws -> Void) throws -> FileRoot {
        guard parameters.rawLeaves && metadata == nil else {
            return try completeRoot(PendingFileNode(), emit: emit)
        }
        let cid = LeafEncoder(parameters).cid(of: try Multihash(hashing: [], with: parameters.hash))
        try emit(Block(cid: cid, bytes: []))
        return FileRoot(cid: cid, contentBytes: 0, dagBytes: 0)
    }
}

extension FileRoot {
    fileprivate init(_ leaf: FileLeaf) {
        self.init(cid: leaf.cid, contentBytes: leaf.contentBytes, dagBytes: leaf.dagBytes)
    }
}
