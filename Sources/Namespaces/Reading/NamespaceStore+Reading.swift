public import Catalog
public import TreeValues

extension NamespaceStore {
    /// The node of that id in its newest state, deleted or not.
    public func node(_ id: NodeID, in namespace: Namespace) throws -> TreeNode? {
        try read { try TreeTables($0, of: namespace).node(id) }
    }

    /// Names in a path: `/a/b/` is `a`, `b`.
    public static func components(of path: String) -> [String] {
        // By bytes: as a `Character`, a slash is one with the combining mark that a name may begin with.
        path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    }

    /// The node at a path of the newest state; `nil` for the root.
    ///
    /// A file is found before a directory of its name; a slash at the end means a directory.
    ///
    /// - Throws: `pathAbsent`.
    public func node(at path: String, in namespace: Namespace) throws -> TreeNode? {
        let names = Self.components(of: path)
        return try read { connection in
            let found = try TreeView(namespace, connection)
                .nodes(along: names, endingIn: path.hasSuffix("/") ? .directory : .either)
            guard found.count == names.count else {
                throw NamespaceError.pathAbsent(names[...found.count].joined(separator: "/"))
            }
            return found.last
        }
    }

    /// What is live in a directory under a name, byte for byte; a file before a directory.
    public func child(_ name: String, of directory: NodeID, in namespace: Namespace) throws -> TreeNode? {
        try read { connection in
            let tables = TreeTables(connection, of: namespace)
            return try tables.child(of: directory, key: name) ?? tables.child(of: directory, key: name + "/")
        }
    }

    /// What is live in a directory under a name, byte for byte, or else under one that the namespace takes for
    /// the same.
    public func child(
        like name: String, of directory: NodeID, in namespace: Namespace
    ) throws -> TreeNode? {
        if let exact = try child(name, of: directory, in: namespace) { return exact }
        let rules = NameRules(try NamespacePolicy(json: namespace.policy))
        guard let folded = rules.folded(name) else { return nil }
        return try read { try TreeTables($0, of: namespace).child(of: directory, folded: folded) }
    }

    /// The path of a node, of the newest state or as of a JID, without a slash before it; `nil` if it was not
    /// live.
    public func path(of id: NodeID, in namespace: Namespace, asOf jid: JID? = nil) throws -> String? {
        try read { try TreeView(namespace, $0, asOf: jid).path(of: id) }
    }

    /// A page of a directory's children, in the order of their name keys.
    ///
    /// - Parameters:
    ///   - directory: `nil` for the root.
    ///   - after: the name key of the last child of the page before.
    public func children(
        of directory: NodeID?, in namespace: Namespace, after: String? = nil, limit: Int = 1000
    ) throws -> [TreeNode] {
        try read {
            try TreeTables($0, of: namespace)
                .children(of: directory ?? namespace.root, after: after, limit: min(max(limit, 1), 10_000))
        }
    }

    /// A page of the journal, oldest first.
    ///
    /// - Parameter collapse: leaves out entries of nodes that changed again later. That a directory came back
    ///   is never left out: with it came what is below it, which has no entries of its own.
    public func changes(
        of namespace: Namespace, after jid: JID, limit: Int = 1000, collapse: Bool = false
    ) throws -> ChangePage {
        let limit = min(max(limit, 1), 10_000)
        return try read { connection in
            guard let current = try NamespaceRepository.find(namespace.id, connection) else {
                throw NamespaceError.unknownNamespace(namespace.name)
            }
            guard jid <= current.head else { throw NamespaceError.versionAbsent(jid, head: current.head) }
            let tables = TreeTables(connection, of: namespace)
            let entries = try tables.entries(after: jid, limit: limit)
            var page = ChangePage(entries: entries, cursor: entries.last?.jid ?? jid, head: current.head)
            if collapse {
                page.entries = try entries.filter { entry in
                    try entry.operation == .restore && entry.node.kind == .directory
                        || tables.node(entry.node.id)?.revision == entry.jid
                }
            }
            return page
        }
    }

    /// What tells the journal up to a JID from another one of the same epoch: a node that was set back to an
    /// older state, and went on, has other entries under the same numbers. 0 for the beginning; `nil` if there
    /// is no such entry.
    public func journalMark(of namespace: Namespace, at jid: JID) throws -> UInt32? {
        jid == 0 ? 0 : try read { try TreeTables($0, of: namespace).mark(of: jid) }
    }

    /// Earlier states of a node and the newest, newest first.
    public func versions(
        of node: NodeID, in namespace: Namespace, before: JID = .max, limit: Int = 100
    ) throws -> [JournalEntry] {
        try read {
            try TreeTables($0, of: namespace)
                .entries(of: node, before: before, limit: min(max(limit, 1), 10_000))
        }
    }

    /// The state of a node as of a JID; `nil` if it was made later.
    public func node(_ id: NodeID, in namespace: Namespace, asOf jid: JID) throws -> TreeNode? {
        try read { try TreeTables($0, of: namespace).node(id, asOf: jid) }
    }

    func read<T>(_ body: (any SQLConnection) throws -> T) throws -> T {
        try catalog.namespaces.database.read(body)
    }
}

/// A page of a journal.
public struct ChangePage: Hashable, Sendable {
    public internal(set) var entries: [JournalEntry]
    /// Where the next page begins: entries that were left out lie before it.
    public let cursor: JID
    public let head: JID

    /// Whether there is more.
    public var hasMore: Bool { cursor < head }
}

extension NamespaceStore {
    /// Changes of the node at a path, newest first; of everything for the root. `nil` where nothing is
    /// there.
    ///
    /// - Parameter names: of the path, from the root.
    public func changes(
        at names: [String], in namespace: Namespace, asOf jid: JID?, limit: Int
    ) throws -> [JournalEntry]? {
        guard !names.isEmpty else { return try journal(of: namespace, limit: limit) }
        return try read { connection in
            let view = TreeView(namespace, connection, asOf: jid)
            return try view.node(at: names).map { try view.tables.entries(of: $0.id, limit: limit) }
        }
    }

    /// When the file at a path was last changed, as of a JID: Unix milliseconds of this node; `nil` where
    /// no file is there.
    ///
    /// - Parameter names: of the path, from the root.
    public func changed(at names: [String], in namespace: Namespace, asOf jid: JID) throws -> Int64? {
        try read { connection in
            let view = TreeView(namespace, connection, asOf: jid >= namespace.head ? nil : jid)
            guard let found = try view.node(at: names, endingIn: .file) else { return nil }
            return try view.tables.entries(after: found.revision - 1, upTo: found.revision, limit: 1)
                .first?.time
        }
    }
}

extension NamespaceStore {
    /// When the first entry after a JID was made, in Unix milliseconds; `nil` if there is none.
    public func time(ofFirstAfter jid: JID, in namespace: Namespace) throws -> Int64? {
        try read { try TreeTables($0, of: namespace).entries(after: jid, limit: 1).first?.time }
    }

    /// A page of the journal, newest first.
    public func journal(
        of namespace: Namespace, before: JID = .max, limit: Int = 100
    ) throws -> [JournalEntry] {
        let limit = min(max(limit, 1), 10_000)
        return try read { connection in
            guard let current = try NamespaceRepository.find(namespace.id, connection) else {
                throw NamespaceError.unknownNamespace(namespace.name)
            }
            let last = min(before - 1, current.head)
            let first = max(0, last - JID(limit))
            return try TreeTables(connection, of: namespace)
                .entries(after: first, upTo: last, limit: limit).reversed()
        }
    }
}
