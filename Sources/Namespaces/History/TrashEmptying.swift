import Catalog
import TreeValues

/// Takes the content of what was deleted out of the journal, a piece in each transaction.
///
/// What is in a folder that was deleted as a whole has no entry of its own: each file in it gets one, a
/// deletion, so that none of them comes back with the folder. Snapshots are removed, since their
/// directories name the files; they are made again without them when they are asked for.
struct TrashEmptying {
    let namespace: Namespace
    let connection: any SQLConnection
    let author: ChangeAuthor
    /// Unix milliseconds.
    let time: Int64

    /// What a piece did.
    struct Step: Hashable {
        var nodes = 0
        /// The head after it, if entries were made.
        var head: JID?
    }

    private static let piece = 100

    /// Does the next piece; `nil` if there is nothing left.
    func run() throws -> Step? {
        let tables = TreeTables(connection, of: namespace)
        guard let jid = try tables.unfinishedEmptying() else { return nil }
        guard let entry = try tables.entry(jid), var node = try tables.node(entry.node.id),
            node.revision == jid
        else {
            // It came back meanwhile.
            try tables.noteEmptied(jid, isDone: true)
            return Step()
        }
        try tables.removeSnapshots(before: jid)
        if node.kind == .directory {
            let leaves = try tables.leaves(below: node.id, limit: Self.piece)
            if !leaves.isEmpty { return try remove(leaves, tables) }
        } else {
            guard try !tables.dropContent(of: node.id, limit: Self.piece) else { return Step() }
            node.content = nil
            try tables.update(node)
        }
        try tables.noteEmptied(jid, isDone: true)
        return Step(nodes: 1)
    }

    private func remove(_ leaves: [TreeNode], _ tables: TreeTables) throws -> Step {
        var namespace = namespace
        var count = 0
        for leaf in leaves {
            // A file that changed very often is gone through before it is counted as removed.
            if try tables.dropContent(of: leaf.id, limit: 1000) { return Step() }
            namespace.head += 1
            var node = leaf
            node.isDeleted = true
            node.content = nil
            node.revision = namespace.head
            if leaf.content != nil { node.contentRevision = namespace.head }
            try tables.append(
                JournalEntry(
                    jid: namespace.head, operation: .delete, node: node, previous: leaf.revision, origin: nil,
                    author: author, time: time))
            try tables.update(node)
            try tables.noteEmptied(namespace.head, isDone: true)
            count += 1
        }
        namespace.updated = time
        try NamespaceRepository.update(namespace, connection)
        return Step(nodes: count, head: namespace.head)
    }
}
