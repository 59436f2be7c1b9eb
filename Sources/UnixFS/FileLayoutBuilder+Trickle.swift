import IPLD

/// Where an unfinished node of a trickle layout stands: it has leaves first, then four subtrees of depth 1,
/// four of depth 2, and so on up to its own depth; the root has no last depth.
struct TricklePosition: Sendable {
    /// Subtrees stay below this depth; `nil` at the root.
    let maximumDepth: Int?
    /// The depth of the next subtree.
    var depth = 1
    /// How many subtrees of that depth there are.
    var subtrees = 0

    static let subtreesPerDepth = 4

    var isComplete: Bool { maximumDepth.map { depth >= $0 } ?? false }

    mutating func addSubtree() {
        subtrees += 1
        if subtrees == Self.subtreesPerDepth {
            subtrees = 0
            depth += 1
        }
    }
}

extension FileLayoutBuilder {
    mutating func addTrickle(_ leaf: FileLeaf, emit: (Block) throws -> Void) throws {
        // No content, no leaf: an empty file is a node without links.
        if leaf.contentBytes == 0 { return }
        if nodes.isEmpty { open(maximumDepth: nil) }
        while nodes[nodes.count - 1].leafCount(positions[positions.count - 1]) == maximumLinks {
            let position = positions[positions.count - 1]
            if position.isComplete {
                try closeNewest(emit: emit)
            } else {
                open(maximumDepth: position.depth)
            }
        }
        try nodes[nodes.count - 1].append(leaf)
    }

    mutating func finishTrickle(emit: (Block) throws -> Void) throws -> FileRoot {
        if nodes.isEmpty { open(maximumDepth: nil) }
        while nodes.count > 1 { try closeNewest(emit: emit) }
        defer {
            nodes.removeAll()
            positions.removeAll()
        }
        return try completeRoot(nodes[0], emit: emit)
    }

    private mutating func open(maximumDepth: Int?) {
        nodes.append(PendingFileNode())
        positions.append(TricklePosition(maximumDepth: maximumDepth))
    }

    private mutating func closeNewest(emit: (Block) throws -> Void) throws {
        let child = try complete(nodes.removeLast(), emit: emit)
        positions.removeLast()
        try nodes[nodes.count - 1].append(child)
        positions[positions.count - 1].addSubtree()
    }
}

extension PendingFileNode {
    /// How many of the children are leaves.
    fileprivate func leafCount(_ position: TricklePosition) -> Int {
        count - (position.depth - 1) * TricklePosition.subtreesPerDepth - position.subtrees
    }
}
