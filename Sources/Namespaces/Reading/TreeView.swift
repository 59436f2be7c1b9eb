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
}

// MARK: Down a path

extension TreeView {
    /// What a path may lead to.
    enum PathEnd {
        case file
        case directory
        /// A file, or else a directory of that name.
        case either
    }

    /// What is live at a path; `nil` for the root, and where there is nothing.
    ///
    /// - Parameter names: from the root.
    func node(at names: [String], endingIn end: PathEnd = .either) throws -> TreeNode? {
        let nodes = try nodes(along: names, endingIn: end)
        return nodes.count == names.count ? nodes.last : nil
    }

    /// What is live along a path, one node for each name; fewer where it leads to nothing.
    func nodes(along names: [String], endingIn end: PathEnd = .either) throws -> [TreeNode] {
        var nodes: [TreeNode] = []
        for (index, name) in names.enumerated() {
            let end = index == names.count - 1 ? end : .directory
            guard let next = try child(of: nodes.last?.id ?? root, named: name, end) else { break }
            nodes.append(next)
        }
        return nodes
    }

    private func child(of directory: NodeID, named name: String, _ end: PathEnd) throws -> TreeNode? {
        if end != .directory, let file = try child(of: directory, named: name, isDirectory: false) {
            return file
        }
        return end == .file ? nil : try child(of: directory, named: name, isDirectory: true)
    }
}

// MARK: Up to the root

extension TreeView {
    /// No tree of rows that agree has a cycle; the bound is for those that do not.
    private static let maximumClimb = 100_000

    /// Goes from a node up to the root, and looks at each node on the way but the root.
    ///
    /// - Parameters:
    ///   - isEnd: where to stop besides the root. Asked before a node is looked up.
    ///   - visit: gets each node, deleted or not; says whether to go on.
    /// - Returns: the root, or the end, that was reached; `nil` if `visit` did not go on, or a node above is
    ///   not there.
    @discardableResult
    func climb(
        from node: NodeID, to isEnd: (NodeID) -> Bool = { _ in false }, _ visit: (TreeNode) throws -> Bool
    ) throws -> NodeID? {
        var next = node
        var steps = 0
        while next != root, !isEnd(next) {
            guard steps < Self.maximumClimb, let node = try self.node(next), try visit(node) else {
                return nil
            }
            next = node.parent
            steps += 1
        }
        return next
    }

    /// A directory and all above it up to the root; `nil` if it is not live.
    func way(to directory: NodeID) throws -> [NodeID]? {
        var way = [directory]
        let root = try climb(from: directory) { node in
            guard node.kind == .directory, !node.isDeleted else { return false }
            way.append(node.parent)
            return true
        }
        return root == nil ? nil : way
    }

    /// The path of a live node, without a slash before it; `nil` if it is not live.
    func path(of node: NodeID) throws -> String? {
        var names: [String] = []
        let root = try climb(from: node) { node in
            names.append(node.name)
            return !node.isDeleted
        }
        return root == nil ? nil : names.reversed().joined(separator: "/")
    }

    /// Where a node is or was, by what it and those above it are called, deleted or not.
    func lastPath(of node: TreeNode) throws -> String {
        var names = [node.name]
        try climb(from: node.parent) { directory in
            names.append(directory.name)
            return true
        }
        return names.reversed().joined(separator: "/")
    }
}
