import SyncProtocol
import TreeValues

/// Paths that take no part, or do so again.
///
/// What is not followed has no row in the trees of what is here: whether it is on the disk says nothing, so
/// that a folder may be made smaller by taking a path out and removing it here, and made larger again.
extension SyncEngine {
    /// Where the rules are others than those of the last time: forgets what they exclude.
    func takeOverRules() throws {
        guard let rules = options.rulesFingerprint?(), try state.value(StateKey.rules) != rules else {
            return
        }
        try state.transaction {
            var excluded: [NodeID] = []
            for tree in [TreeName.local, .synced] { excluded += try topmostExcluded(in: tree) }
            try untrack(excluded)
            try state.setValue(rules, StateKey.rules)
        }
        // Why they waited may be over.
        items.removeAll()
        hasScanned = false
    }

    /// The nodes that are excluded, and in no directory that is.
    private func topmostExcluded(in tree: TreeName) throws -> [NodeID] {
        guard let isExcluded = options.isExcluded else { return [] }
        var found: [NodeID] = []
        var stack = [(id: state.root, path: "")]
        while let directory = stack.popLast() {
            for child in try state.children(of: directory.id, in: tree) {
                let path = directory.path + child.name
                if isExcluded(path, child.kind == .directory) {
                    found.append(child.id)
                } else if child.kind == .directory {
                    stack.append((child.id, path + "/"))
                }
            }
        }
        return found
    }

    /// Forgets nodes and what is below them, but for what the server has. A file that is here at a place that
    /// takes part goes on as a new one.
    func untrack(_ ids: [NodeID]) throws {
        var below: [NodeID] = []
        var seen = Set(ids)
        var stack = Array(seen)
        while let next = stack.popLast() {
            below.append(next)
            for tree in [TreeName.local, .synced] {
                for child in try state.children(of: next, in: tree) where seen.insert(child.id).inserted {
                    stack.append(child.id)
                }
            }
        }
        let isHere = try below.map { try isFollowedHere($0) }
        for (id, isHere) in zip(below, isHere) {
            items[id] = nil
            try state.remove(id, from: .synced)
            if isHere {
                try renameLocal(id, to: environment.makeID())
            } else {
                try state.remove(id, from: .local)
            }
        }
        directoryPaths.removeAll()
    }

    /// Whether a local node is at a place that takes part.
    private func isFollowedHere(_ id: NodeID) throws -> Bool {
        guard let node = try state.node(id, in: .local), let path = try localPath(of: id) else {
            return false
        }
        guard let isExcluded = options.isExcluded else { return true }
        if isExcluded(path, node.kind == .directory) { return false }
        var above = FolderPath.parent(of: path)
        while !above.isEmpty {
            if isExcluded(above, true) { return false }
            above = FolderPath.parent(of: above)
        }
        return true
    }
}
