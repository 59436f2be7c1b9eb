import Multiformats
public import SyncProtocol
public import TreeValues

extension SQLiteSyncState {
    public func node(_ id: NodeID, in tree: TreeName) throws -> SyncNode? {
        try access { try $0.node(id, in: tree) }
    }

    public func states(of id: NodeID) throws -> NodeStates { try access { try $0.states(of: id) } }

    public func children(of directory: NodeID, in tree: TreeName) throws -> [SyncNode] {
        try access { session in
            let statement = try session.statement(.children(tree))
            statement.bind(1, directory)
            defer { statement.reset() }
            var nodes: [SyncNode] = []
            while try statement.step() { nodes.append(try statement.node()) }
            return nodes
        }
    }

    public func children(of directory: NodeID, named name: String, in tree: TreeName) throws -> [SyncNode] {
        try children(of: directory, folded: NameKey(name, ignoringCase: true).text, in: tree)
    }

    public func child(of directory: NodeID, named key: NameKey, in tree: TreeName) throws -> SyncNode? {
        try children(of: directory, folded: NameKey(key.text, ignoringCase: true).text, in: tree).first {
            NameKey($0.name) == key || NameKey($0.name, ignoringCase: true) == key
        }
    }

    private func children(of directory: NodeID, folded: String, in tree: TreeName) throws -> [SyncNode] {
        try access { session in
            let statement = try session.statement(.child(tree))
            statement.bind(1, directory)
            statement.bind(2, folded)
            defer { statement.reset() }
            var nodes: [SyncNode] = []
            while try statement.step() { nodes.append(try statement.node()) }
            return nodes
        }
    }

    public func put(_ node: SyncNode, in tree: TreeName) throws {
        try change { session in
            let statement = try session.statement(.put(tree))
            statement.bind(node)
            try statement.run()
            try session.touch(node.id, tree, node)
        }
    }

    public func remove(_ id: NodeID, from tree: TreeName) throws {
        try change { session in
            let statement = try session.statement(.remove(tree))
            statement.bind(1, id)
            try statement.run()
            try session.touch(id, tree, nil)
        }
    }

    public func renameLocal(_ id: NodeID, to new: NodeID) throws {
        guard id != new else { return }
        try change { session in
            guard var node = try session.node(id, in: .local) else { return }
            let remove = try session.statement(.removeLocal)
            remove.bind(1, new)
            try remove.run()
            try Self.run(.changeID, id, new, session)
            node.id = new
            try session.touch(id, .local, nil)
            try session.touch(new, .local, node)

            var children: [SyncNode] = []
            let list = try session.statement(.childrenLocal)
            list.bind(1, id)
            while try list.step() { children.append(try list.node()) }
            list.reset()
            for var child in children {
                try Self.run(.changeParent, child.id, new, session)
                child.parent = new
                try session.touch(child.id, .local, child)
            }
        }
    }

    private static func run(_ query: StateQuery, _ first: NodeID, _ second: NodeID, _ session: StateSession)
        throws
    {
        let statement = try session.statement(query)
        statement.bind(1, first)
        statement.bind(2, second)
        try statement.run()
    }

    public func unsettled(after: NodeID?, limit: Int) throws -> [NodeID] {
        try access { session in
            try session.settle()
            let statement = try session.statement(after == nil ? .unsettled : .unsettledAfter)
            statement.bind(1, Int64(limit))
            if let after { statement.bind(2, after) }
            defer { statement.reset() }
            var ids: [NodeID] = []
            while try statement.step() { ids.append(try statement.id(0)) }
            return ids
        }
    }

    public func unsettledStates(after id: NodeID?, limit: Int) throws -> [NodeStates] {
        try access { session in try unsettled(after: id, limit: limit).map { try session.states(of: $0) } }
    }
}

/// A conflict copy that nobody decided about yet.
public struct OpenConflict: Hashable, Sendable {
    /// Of the copy, relative to the folder.
    public var path: String
    /// What it is a copy of.
    public var original: String
    /// See ``ConflictName/made``.
    public var made: String?
}

extension SQLiteSyncState {
    /// Conflict copies in the folder as it was looked at last, in no particular order; at most `limit`. One
    /// step, by an index.
    public func openConflicts(limit: Int) throws -> [OpenConflict] {
        let copies = try access { session in
            let statement = try session.statement(.conflicts)
            defer { statement.reset() }
            var found: [(SyncNode, ConflictName)] = []
            while found.count < limit, try statement.step() {
                let node = try statement.node()
                if let name = ConflictName(node.name) { found.append((node, name)) }
            }
            return found
        }
        return try copies.compactMap { node, name in
            guard let path = try path(of: node, in: .local) else { return nil }
            let original = FolderPath.join(FolderPath.parent(of: path), name.original)
            return OpenConflict(path: path, original: original, made: name.made)
        }
    }
}
