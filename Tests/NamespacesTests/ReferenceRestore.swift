import Catalog
@testable import Namespaces
import TreeValues

/// What a restore is to do, said node by node: the statements that do it for any number of nodes at once
/// are held against it.
struct ReferenceRestore {
    let namespace: Namespace
    let connection: any SQLConnection
    let author: ChangeAuthor
    /// Unix milliseconds.
    let time: Int64

    private struct Change {
        let current: TreeNode
        var target: TreeNode
        let operation: JournalOperation
    }

    /// Restores the whole tree, or what is or was below a directory, or one node.
    ///
    /// - Parameter scope: `nil` for the whole tree.
    /// - Returns: the namespace afterwards, and how many entries were made.
    /// - Throws: `versionAbsent`; `historyRemoved` if content that is needed is not kept any more.
    func restore(asOf jid: JID, scope: NodeID? = nil) throws -> (Namespace, entries: Int) {
        guard jid >= 0, jid <= namespace.head else {
            throw NamespaceError.versionAbsent(jid, head: namespace.head)
        }
        let tables = TreeTables(connection, of: namespace)
        let rules = NameRules(try NamespacePolicy(json: namespace.policy))
        let now = TreeView(namespace, connection)
        let then = TreeView(namespace, connection, asOf: jid)
        var changes: [Change] = []
        var made: Set<NodeID> = []
        var next = jid
        // Read in pages: a statement that changes rows must not run while one reads them.
        while true {
            let page = try tables.entries(after: next, limit: 5000)
            guard let last = page.last?.jid else { break }
            next = last
            for entry in page {
                // The last entry of each node.
                guard let current = try tables.node(entry.node.id), current.revision == entry.jid,
                    try isInScope(entry.node.id, scope, now, then)
                else { continue }
                let earlier = try then.node(current.id)
                var target = earlier ?? current
                if earlier == nil {
                    target.isDeleted = true
                    made.insert(current.id)
                }
                guard let operation = Self.operation(from: current, to: target) else { continue }
                if !target.isDeleted, target.kind == .file, target.content == nil {
                    throw NamespaceError.historyRemoved(current.id, jid)
                }
                if target.isDeleted {
                    // It keeps the state in which it goes, so that a restore finds it there.
                    target = current
                    target.isDeleted = true
                }
                target.folded = rules.folded(target.name)
                changes.append(Change(current: current, target: target, operation: operation))
            }
        }
        // What goes with a directory that was made since needs no entry of its own: nothing comes back
        // there.
        changes.removeAll { $0.target.isDeleted && made.contains($0.current.parent) }
        return try write(changes, tables)
    }

    private func write(_ changes: [Change], _ tables: TreeTables) throws -> (Namespace, entries: Int) {
        guard !changes.isEmpty else { return (namespace, 0) }
        for change in changes where !change.current.isDeleted && change.operation != .content {
            var parked = change.current
            parked.isDeleted = true
            try tables.update(parked)
        }
        var head = namespace.head
        for change in changes {
            let (current, operation) = (change.current, change.operation)
            var node = change.target
            head += 1
            node.revision = head
            node.contentRevision = node.hasContent(of: current) ? current.contentRevision : head
            let isElsewhere = current.parent != node.parent || current.name != node.name
            try tables.append(
                JournalEntry(
                    jid: head, operation: operation, node: node, previous: current.revision,
                    origin: isElsewhere
                        ? JournalEntry.Place(parent: current.parent, name: current.name) : nil,
                    below: 1, author: author, time: time))
            try tables.update(node)
        }
        var namespace = namespace
        namespace.head = head
        let below = try tables.below(namespace.root)
        (namespace.nodes, namespace.bytes, namespace.updated) = (below.nodes, below.bytes, time)
        try NamespaceRepository.update(namespace, connection)
        return (namespace, changes.count)
    }

    /// Whether a node is, or was, below a directory or is that node itself.
    private func isInScope(_ node: NodeID, _ scope: NodeID?, _ views: TreeView...) throws -> Bool {
        guard let scope else { return true }
        if node == scope { return true }
        for view in views {
            var next = node
            var steps = 0
            while next != view.root, steps < 100_000, let found = try view.node(next) {
                if found.parent == scope { return true }
                next = found.parent
                steps += 1
            }
        }
        return false
    }

    /// What has to be done; `nil` if nothing.
    private static func operation(from current: TreeNode, to target: TreeNode) -> JournalOperation? {
        if target.isDeleted { return current.isDeleted ? nil : .delete }
        if current.isDeleted { return .restore }
        if current.parent != target.parent || current.name != target.name { return .move }
        if !current.hasContent(of: target) { return .content }
        return current.modified == target.modified && current.mode == target.mode
            && current.meta == target.meta ? nil : .metadata
    }
}
