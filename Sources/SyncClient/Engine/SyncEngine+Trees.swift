import SyncProtocol
import TreeValues

/// Changes of the trees alone, and paths.
extension SyncEngine {
    /// Carries out state steps in one transaction.
    func takeOver(_ steps: [StateStep]) throws {
        guard !steps.isEmpty else { return }
        try state.transaction {
            for step in steps {
                switch step {
                case .settle(let id):
                    if let remote = try state.node(id, in: .remote) { try state.put(remote, in: .synced) }
                case .forget(let id):
                    try state.remove(id, from: .synced)
                    if try state.node(id, in: .remote) != nil {
                        environment.report(.editWins(path: try state.node(id, in: .remote)?.name ?? ""))
                    }
                case .adopt(let local, let id): try adopt(local, as: id)
                case .detach(let id): try detach(id)
                case .untrack(let id): try untrack([id])
                }
                self.steps += 1
            }
        }
        directoryPaths.removeAll()
    }

    private func adopt(_ local: NodeID, as id: NodeID) throws {
        if local != id {
            guard try state.node(id, in: .local) == nil else { return }
            try renameLocal(local, to: id)
        }
        guard let here = try state.node(id, in: .local), let remote = try state.node(id, in: .remote),
            try state.node(id, in: .synced) == nil
        else { return }
        // Equal content; of places and attributes the server's stand.
        var synced = remote
        synced.parent = here.parent
        synced.name = here.name
        synced.modified = here.modified
        synced.mode = here.mode
        try state.put(synced, in: .synced)
        status.counters.adopted += 1
    }

    /// The local node goes on as a new one.
    @discardableResult
    func detach(_ id: NodeID) throws -> NodeID {
        let new = environment.makeID()
        try renameLocal(id, to: new)
        try state.remove(id, from: .synced)
        return new
    }

    /// Gives a local node another id, for all that know it by its id.
    func renameLocal(_ id: NodeID, to new: NodeID) throws {
        try state.renameLocal(id, to: new)
        scanner.nodeIsRenamed(id, to: new)
        items[id] = nil
        directoryPaths.removeAll()
    }

    /// Where a local node is; `nil` if its directories are not all there.
    func localPath(of id: NodeID) throws -> String? {
        guard let node = try state.node(id, in: .local) else { return nil }
        return try path(of: node.name, in: node.parent)
    }

    /// Where the server has a node; `nil` if its directories are not all known.
    func remotePath(of id: NodeID) throws -> String? {
        var names: [String] = []
        var next = id
        while next != state.root {
            guard names.count < 10_000, let node = try state.node(next, in: .remote) else { return nil }
            names.append(node.name)
            next = node.parent
        }
        return names.reversed().joined(separator: "/")
    }

    /// The path of a name in a local directory.
    func path(of name: String, in directory: NodeID) throws -> String? {
        guard let above = try path(ofDirectory: directory) else { return nil }
        return FolderPath.join(above, name)
    }

    func path(ofDirectory directory: NodeID) throws -> String? {
        if directory == state.root { return "" }
        if let known = directoryPaths[directory] { return known }
        var names: [String] = []
        var next = directory
        while next != state.root {
            guard names.count < 10_000, let node = try state.node(next, in: .local), node.kind == .directory
            else { return nil }
            names.append(node.name)
            next = node.parent
        }
        let path = names.reversed().joined(separator: "/")
        if directoryPaths.count >= 100_000 { directoryPaths.removeAll() }
        directoryPaths[directory] = path
        return path
    }
}
