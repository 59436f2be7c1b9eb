package import SyncProtocol
package import TreeValues

/// The state of a folder in memory: for tests and the simulator, and for looking at a plan without a
/// database.
///
/// Not thread-safe. A transaction keeps a copy of everything until it ends, which costs what a change costs
/// as long as nothing is changed, and a copy of the tables for the first change.
package final class MemorySyncState: SyncState {
    /// Everything at one moment: what a crash leaves.
    package struct Contents: Sendable {
        fileprivate var nodes: [[NodeID: SyncNode]] = [[:], [:], [:]]
        /// By tree: the children of a directory by folded name.
        fileprivate var children: [[NodeID: [NameKey: [NodeID]]]] = [[:], [:], [:]]
        fileprivate var stamps: [NodeID: LocalStamp] = [:]
        fileprivate var identities: [FileIdentity: [NodeID]] = [:]
        fileprivate var unsettled: Set<NodeID> = []
        fileprivate var cursor: SyncCursor?
        fileprivate var values: [String: String] = [:]
    }

    package let root: NodeID
    /// Kept as a snapshot of a moment.
    package private(set) var contents = Contents()
    /// The unsettled ids in order; `nil` if they have to be sorted again.
    private var ordered: [NodeID]?
    private var isInTransaction = false

    package init(root: NodeID) { self.root = root }

    /// Goes back to a snapshot, as a machine does that lost power.
    package func restore(_ snapshot: Contents) {
        contents = snapshot
        ordered = nil
    }

    package func node(_ id: NodeID, in tree: TreeName) -> SyncNode? { contents.nodes[tree.rawValue][id] }

    package func children(of directory: NodeID, in tree: TreeName) -> [SyncNode] {
        guard let names = contents.children[tree.rawValue][directory] else { return [] }
        var found: [SyncNode] = []
        for ids in names.values {
            for id in ids { if let node = node(id, in: tree) { found.append(node) } }
        }
        // Tables are in another order in each run, and runs are to be equal.
        return found.sorted { $0.id < $1.id }
    }

    package func children(of directory: NodeID, named name: String, in tree: TreeName) -> [SyncNode] {
        let ids = contents.children[tree.rawValue][directory]?[NameKey(name, ignoringCase: true)] ?? []
        return ids.compactMap { node($0, in: tree) }.sorted { $0.id < $1.id }
    }

    package func child(of directory: NodeID, named key: NameKey, in tree: TreeName) -> SyncNode? {
        children(of: directory, named: key.text, in: tree).first {
            NameKey($0.name) == key || NameKey($0.name, ignoringCase: true) == key
        }
    }

    package func states(of id: NodeID) -> NodeStates {
        NodeStates(
            id: id, remote: contents.nodes[0][id], local: contents.nodes[1][id],
            synced: contents.nodes[2][id])
    }

    package func put(_ node: SyncNode, in tree: TreeName) {
        if let old = contents.nodes[tree.rawValue][node.id] { unlink(old, in: tree) }
        contents.nodes[tree.rawValue][node.id] = node
        contents.children[tree.rawValue][node.parent, default: [:]][
            NameKey(node.name, ignoringCase: true), default: []
        ].append(node.id)
        settle(node.id)
    }

    package func remove(_ id: NodeID, from tree: TreeName) {
        guard let old = contents.nodes[tree.rawValue].removeValue(forKey: id) else { return }
        unlink(old, in: tree)
        if tree == .local { setStamp(nil, of: id) }
        settle(id)
    }

    private func unlink(_ node: SyncNode, in tree: TreeName) {
        let key = NameKey(node.name, ignoringCase: true)
        guard var names = contents.children[tree.rawValue].removeValue(forKey: node.parent) else { return }
        names[key]?.removeAll { $0 == node.id }
        if names[key]?.isEmpty == true { names[key] = nil }
        if !names.isEmpty { contents.children[tree.rawValue][node.parent] = names }
    }

    private func settle(_ id: NodeID) {
        let isSettled = states(of: id).isSettled
        if isSettled {
            if contents.unsettled.remove(id) != nil { ordered = nil }
        } else if contents.unsettled.insert(id).inserted {
            ordered = nil
        }
    }

    package func renameLocal(_ id: NodeID, to new: NodeID) {
        guard id != new, var node = node(id, in: .local) else { return }
        let stamp = contents.stamps[id]
        let children = children(of: id, in: .local)
        remove(id, from: .local)
        node.id = new
        put(node, in: .local)
        setStamp(stamp, of: new)
        for var child in children {
            child.parent = new
            put(child, in: .local)
        }
    }

    package func unsettled(after: NodeID?, limit: Int) -> [NodeID] {
        let ids = ordered ?? contents.unsettled.sorted()
        ordered = ids
        guard let after else { return Array(ids.prefix(limit)) }
        var low = 0
        var high = ids.count
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] <= after { low = middle + 1 } else { high = middle }
        }
        return Array(ids[low...].prefix(limit))
    }

    package func stamp(of id: NodeID) -> LocalStamp? { contents.stamps[id] }

    package func setStamp(_ stamp: LocalStamp?, of id: NodeID) {
        if let old = contents.stamps[id] {
            contents.identities[old.identity]?.removeAll { $0 == id }
            if contents.identities[old.identity]?.isEmpty == true { contents.identities[old.identity] = nil }
        }
        contents.stamps[id] = stamp
        if let stamp { contents.identities[stamp.identity, default: []].append(id) }
    }

    package func localNodes(with identity: FileIdentity, limit: Int) -> [NodeID] {
        Array((contents.identities[identity] ?? []).prefix(limit))
    }
    package func cursor() -> SyncCursor? { contents.cursor }
    package func setCursor(_ cursor: SyncCursor?) { contents.cursor = cursor }
    package func value(_ key: String) -> String? { contents.values[key] }
    package func setValue(_ value: String?, _ key: String) { contents.values[key] = value }

    package func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        guard !isInTransaction else { return try body() }
        isInTransaction = true
        defer { isInTransaction = false }
        let before = contents
        do {
            return try body()
        } catch {
            restore(before)
            throw error
        }
    }
}

extension MemorySyncState.Contents {
    /// What is known of every node, in the order of their ids.
    package var all: [NodeStates] {
        Set(nodes.flatMap(\.keys)).sorted().map { id in
            NodeStates(id: id, remote: nodes[0][id], local: nodes[1][id], synced: nodes[2][id])
        }
    }
}
