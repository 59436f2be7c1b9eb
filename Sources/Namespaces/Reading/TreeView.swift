import Catalog
import TreeValues

/// The tree of a namespace within a transaction: its newest state, or the one as of a JID.
struct TreeView {
    let tables: TreeTables
    let root: NodeID
    /// `nil` for the newest state, which is read off shorter rows.
    let jid: JID?

    init(_ namespace: Namespace, _ connection: any SQLConnection, asOf jid: JID? = nil) {
        tables = TreeTables(connection, of: namespace)
        root = namespace.root
        self.jid = jid
    }

    func node(_ id: NodeID) throws -> TreeNode? {
        guard let jid else { return try tables.node(id) }
        return try tables.node(id, asOf: jid)
    }

    func children(of directory: NodeID, after: String? = nil, limit: Int) throws -> [TreeNode] {
        guard let jid else { return try tables.children(of: directory, after: after, limit: limit) }
        return try tables.children(of: directory, asOf: jid, after: after, limit: limit)
    }

    /// Visits all children of a directory, in the order of their name keys.
    func forEachChild(of directory: NodeID, _ body: (TreeNode) throws -> Void) throws {
        var last: String?
        while true {
            let page = try children(of: directory, after: last, limit: Self.page)
            for child in page { try body(child) }
            guard page.count == Self.page else { return }
            last = page.last?.nameKey
        }
    }

    /// The child of a name: a directory, or else what is no directory. One look-up.
    func child(of directory: NodeID, named name: String, isDirectory: Bool) throws -> TreeNode? {
        let key = isDirectory ? name + "/" : name
        guard let jid else { return try tables.child(of: directory, key: key) }
        return try tables.child(of: directory, key: key, asOf: jid)
    }

    private static let page = 10_000

    /// A directory and all above it up to the root; `nil` if it is not live.
    func way(to directory: NodeID) throws -> [NodeID]? {
        var way: [NodeID] = []
        var next = directory
        while next != root {
            guard way.count < 100_000, let node = try node(next), node.kind == .directory, !node.isDeleted
            else { return nil }
            way.append(next)
            next = node.parent
        }
        way.append(root)
        return way
    }
}
