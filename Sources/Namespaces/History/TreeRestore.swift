import Catalog
import TreeValues

/// Brings nodes back to the state that they had as of a JID, by new journal entries.
///
/// All within one transaction, and by few statements, however many nodes there are. Only what differs gets
/// an entry: a node that was made later is deleted, one that was deleted comes back, one that was moved or
/// changed is as it was. A directory that came or went with all that is in it is one entry.
struct TreeRestore {
    let namespace: Namespace
    let connection: any SQLConnection
    let author: ChangeAuthor
    /// Unix milliseconds.
    let time: Int64
    /// How many entries of the journal are looked at at once.
    var window: JID = 4096
    /// Nodes that stay as they are.
    var keeping: [NodeID] = []

    /// Restores the whole tree, or what is or was below a directory, or one node.
    ///
    /// - Parameter scope: `nil` for the whole tree.
    /// - Returns: the namespace afterwards, and how many entries were made.
    /// - Throws: `versionAbsent`; `quotaExceeded`. The transaction is to be given up then.
    func restore(asOf jid: JID, scope: NodeID? = nil) throws -> (Namespace, entries: Int) {
        guard jid >= 0, jid <= namespace.head else {
            throw NamespaceError.versionAbsent(jid, head: namespace.head)
        }
        let policy = try NamespacePolicy(json: namespace.policy)
        let rules = NameRules(policy)
        let rows = RestoreTables(connection, of: namespace, window: window)
        if let scope { try limit(rows, to: scope, asOf: jid) }
        let entries = try rows.addEntries(
            .init(asOf: jid, head: namespace.head, author: author, time: time, scope: scope, keeping: keeping)
        )
        guard entries.count > 0 else { return (namespace, 0) }
        try rows.movePlaces(entries) { rules.folded($0) }
        var namespace = namespace
        namespace.head += JID(entries.count)
        let live = try TreeTables(connection, of: namespace).liveTotals()
        // What is too much already may still become less.
        if live.nodes > max(policy.maximumNodes, namespace.nodes) {
            throw NamespaceError.quotaExceeded(.entries, limit: policy.maximumNodes, wanted: live.nodes)
        }
        if let limit = policy.maximumBytes, live.bytes > max(limit, namespace.bytes) {
            throw NamespaceError.quotaExceeded(.bytes, limit: limit, wanted: live.bytes)
        }
        (namespace.nodes, namespace.bytes, namespace.updated) = (live.nodes, live.bytes, time)
        try NamespaceRepository.update(namespace, connection)
        return (namespace, entries.count)
    }

    /// Finds the directories below the scope, as they are or as they were, in which something changed.
    private func limit(_ rows: RestoreTables, to scope: NodeID, asOf jid: JID) throws {
        let parents = try rows.parents(changedAfter: jid, upTo: namespace.head)
        var now = ScopeSearch(scope, TreeView(namespace, connection))
        var then = ScopeSearch(scope, TreeView(namespace, connection, asOf: jid))
        try rows.limit(
            now: parents.now.filter { try now.contains($0) },
            then: parents.then.filter { try then.contains($0) })
    }
}

/// Which directories are below a node in a view, deleted or not. Each is looked up once.
private struct ScopeSearch {
    let scope: NodeID
    let view: TreeView
    private var known: [NodeID: Bool]

    init(_ scope: NodeID, _ view: TreeView) {
        self.scope = scope
        self.view = view
        known = [view.root: false]
        known[scope] = true
    }

    mutating func contains(_ directory: NodeID) throws -> Bool {
        var way = [directory]
        let end = try view.climb(from: directory, to: { known[$0] != nil }) { node in
            way.append(node.parent)
            return true
        }
        let isBelow = end.flatMap { known[$0] } ?? false
        for step in way { known[step] = isBelow }
        return isBelow
    }
}
