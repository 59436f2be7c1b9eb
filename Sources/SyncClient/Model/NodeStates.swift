public import SyncProtocol
public import TreeValues

/// What the three trees say of one node.
public struct NodeStates: Hashable, Sendable {
    public var id: NodeID
    public var remote: SyncNode?
    public var local: SyncNode?
    public var synced: SyncNode?

    public init(id: NodeID, remote: SyncNode?, local: SyncNode?, synced: SyncNode?) {
        self.id = id
        self.remote = remote
        self.local = local
        self.synced = synced
    }

    /// Whether nothing is to be done: all three agree, or none has it. Every ``SyncState`` decides by this
    /// which nodes are unsettled.
    public var isSettled: Bool {
        guard let remote, let local, let synced else {
            return remote == nil && local == nil && synced == nil
        }
        return remote.agrees(with: synced) && local.agrees(with: synced)
    }
}

extension SyncNode {
    /// Whether the two are called the same byte for byte.
    func hasName(of other: SyncNode) -> Bool { name.utf8.elementsEqual(other.name.utf8) }

    /// Whether the two are at the same place: the same directory, and the same name but for its Unicode
    /// form.
    public func isInPlace(of other: SyncNode) -> Bool {
        guard parent == other.parent else { return false }
        return hasName(of: other) || NameKey(name) == NameKey(other.name)
    }

    /// Whether the two have the same attributes: time and mode of a file. A mode that is not known is like
    /// any other. The mode of a directory is taken over when it is made, and not followed: whoever may not
    /// write into one cannot sync it.
    public func hasAttributes(of other: SyncNode) -> Bool {
        switch kind {
        case .symlink, .directory: true
        case .file: modified == other.modified && hasMode(of: other)
        }
    }

    private func hasMode(of other: SyncNode) -> Bool {
        guard let mode, let otherMode = other.mode else { return true }
        return mode == otherMode
    }

    /// Whether the two are equal in all that is synced. Revisions are not: they say when, not what.
    public func agrees(with other: SyncNode) -> Bool {
        hasContent(of: other) && isInPlace(of: other) && hasAttributes(of: other)
    }
}

extension SyncTrees {
    /// What the three trees say of a node.
    public func states(of id: NodeID) throws -> NodeStates {
        NodeStates(
            id: id, remote: try node(id, in: .remote), local: try node(id, in: .local),
            synced: try node(id, in: .synced))
    }

    /// Children whose names differ from this one by case and Unicode form at most: rarely more than one.
    ///
    /// This looks through all children; a state with an index does it in one step.
    public func children(of directory: NodeID, named name: String, in tree: TreeName) throws -> [SyncNode] {
        let key = NameKey(name, ignoringCase: true)
        return try children(of: directory, in: tree).filter {
            NameKey($0.name, ignoringCase: true) == key
        }
    }

    /// Children called as a node is but for case and Unicode form at most, the one of just its name first.
    func children(of directory: NodeID, namedAs node: SyncNode, in tree: TreeName) throws -> [SyncNode] {
        let found = try children(of: directory, named: node.name, in: tree)
        guard found.count > 1 else { return found }
        return found.filter { $0.hasName(of: node) } + found.filter { !$0.hasName(of: node) }
    }
}

extension SyncState {
    /// Writes a local node together with its stamp.
    public func putLocal(_ node: SyncNode, stamp: LocalStamp) throws {
        try put(node, in: .local)
        try setStamp(stamp, of: node.id)
    }

    /// Like ``unsettled(after:limit:)``, with what the trees say of each. One step where the state can do
    /// it so.
    public func unsettledStates(after id: NodeID?, limit: Int) throws -> [NodeStates] {
        try unsettled(after: id, limit: limit).map { try states(of: $0) }
    }
}
