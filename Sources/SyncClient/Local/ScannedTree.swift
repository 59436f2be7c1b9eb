import SyncProtocol
import TreeValues

/// The local tree as a scanner uses it: in the quick way where the state offers one.
struct ScannedTree {
    let state: any SyncState
    private let quick: (any ScannableState)?

    /// Nobody has directories so deep; rows that say so go round in a circle.
    private static let maximumDepth = 100_000

    init(_ state: any SyncState) {
        self.state = state
        quick = state as? any ScannableState
    }

    func forEachLocalChild(of directory: NodeID, _ body: (LocalChild) throws -> Void) throws {
        if let quick { return try quick.forEachLocalChild(of: directory, body) }
        for node in try state.children(of: directory, in: .local) {
            try body(LocalChild(node, stamp: try state.stamp(of: node.id)))
        }
    }

    func put(_ node: SyncNode, stamp: LocalStamp) throws {
        try state.putLocal(node, stamp: stamp)
    }

    /// The child whose name is the same in every byte.
    func child(of directory: NodeID, _ name: String) throws -> SyncNode? {
        try children(of: directory, name).first
    }

    /// Children whose names are the same in every byte: more than one where something changed while it was
    /// looked at.
    func children(of directory: NodeID, _ name: String) throws -> [SyncNode] {
        try state.children(of: directory, named: name, in: .local).filter {
            $0.name.utf8.elementsEqual(name.utf8)
        }
    }

    func localChildren(of directory: NodeID, _ name: String) throws -> [LocalChild] {
        try children(of: directory, name).map { LocalChild($0, stamp: try state.stamp(of: $0.id)) }
    }

    /// Where the tree has a node; `nil` if it is not below the folder.
    func path(of node: SyncNode) throws -> String? {
        var names = [node.name]
        var parent = node.parent
        while parent != state.root {
            guard names.count < Self.maximumDepth, let next = try state.node(parent, in: .local) else {
                return nil
            }
            names.append(next.name)
            parent = next.parent
        }
        return names.reversed().joined(separator: "/")
    }

    /// Whether a directory is another one, or below it.
    func isBelow(_ directory: NodeID, _ other: NodeID) throws -> Bool {
        var current = directory
        for _ in 0..<Self.maximumDepth {
            if current == other { return true }
            if current == state.root { return false }
            guard let next = try state.node(current, in: .local) else { return false }
            current = next.parent
        }
        return true
    }

    /// Removes a node and everything below it. What the server does not have either is forgotten.
    ///
    /// - Returns: how many nodes were removed.
    func removeSubtree(_ id: NodeID) throws -> Int {
        var rest = [id]
        var count = 0
        while let next = rest.popLast() {
            try forEachLocalChild(of: next) { rest.append($0.id) }
            try state.remove(next, from: .local)
            if try state.node(next, in: .remote) == nil { try state.remove(next, from: .synced) }
            count += 1
        }
        return count
    }
}

extension LocalChild {
    init(_ node: SyncNode, stamp: LocalStamp?) {
        self.init(
            id: node.id, name: node.name, kind: node.kind, isHashed: node.content != nil, target: node.target,
            modified: node.modified, mode: node.mode, stamp: stamp)
    }
}
