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
        guard jid != nil else { return try tables.child(of: directory, key: key) }
        // Children come in the order of their keys: the one that follows the greatest key before.
        let page = try children(of: directory, after: Self.before(key), limit: 2)
        return page.first { $0.nameKey.utf8.elementsEqual(key.utf8) }
    }

    /// A text right before `key` in the order of bytes: only names that go on behind U+10FFFF are between.
    private static func before(_ key: String) -> String? {
        var scalars = key.unicodeScalars
        guard let last = scalars.popLast() else { return nil }
        // Surrogates are no scalars: U+E000 follows U+D7FF.
        let value = last.value == 0xE000 ? 0xD7FF : last.value &- 1
        guard last.value > 0, let previous = Unicode.Scalar(value) else { return String(scalars) }
        scalars.append(previous)
        scalars.append("\u{10FFFF}")
        return String(scalars)
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
