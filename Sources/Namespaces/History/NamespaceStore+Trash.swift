public import Catalog
public import TreeValues

/// What was deleted, and can be had back for as long as every version is kept.
extension NamespaceStore {
    /// A file or folder that was deleted.
    public struct TrashItem: Hashable, Sendable {
        /// The deletion.
        public let entry: JournalEntry
        /// Where it was, by what the folders above it are called; without a slash before it.
        public let path: String
        /// Files, directories and symlinks, itself included, and the bytes of them.
        public let nodes: Int64
        public let bytes: Int64
        /// Unix milliseconds: until when it can be had back.
        public let until: Int64
    }

    /// A page of the trash, newest first.
    ///
    /// What is in a folder that was deleted as a whole comes back with it, and is not listed.
    public func trash(
        of namespace: Namespace, before: JID = .max, limit: Int = 100
    ) throws -> [TrashItem] {
        let limit = min(max(limit, 1), 1000)
        let retention = try Retention(of: namespace)
        return try read { connection in
            let view = TreeView(try live(namespace.id, connection), connection)
            let tables = view.tables
            return try tables.deletions(after: tables.historyMark().horizon, before: before, limit: limit)
                .map { entry in
                    let isDirectory = entry.node.kind == .directory
                    let below = isDirectory ? try tables.below(entry.node.id) : TreeTables.Below()
                    return TrashItem(
                        entry: entry, path: try view.lastPath(of: entry.node),
                        nodes: below.nodes + 1, bytes: below.bytes + entry.node.size,
                        until: retention.end(ofDeletionAt: entry.time))
                }
        }
    }

    /// The item of the trash of that id, or the one deleted last that was at that path.
    ///
    /// - Throws: `notInTrash`.
    public func trashItem(_ text: String, of namespace: Namespace) throws -> TrashItem {
        let id = try? NodeID(text: text)
        let path = Self.components(of: text).joined(separator: "/")
        var before = JID.max
        while true {
            let page = try trash(of: namespace, before: before, limit: 1000)
            if let found = page.first(where: { $0.entry.node.id == id || $0.path == path }) { return found }
            guard page.count == 1000, let last = page.last else {
                throw NamespaceError.notInTrash(text)
            }
            before = last.entry.jid
        }
    }

    /// Puts what was deleted back where it was, or at another path.
    ///
    /// - Parameter path: of which everything but the last name must be there.
    /// - Returns: the node, and the head afterwards.
    /// - Throws: `notInTrash`, `pathAbsent`, `placeTaken`, `directoryDeleted`, `notAtomic`.
    public func restoreFromTrash(
        _ item: TrashItem, of namespace: Namespace, to path: String? = nil, author: ChangeAuthor
    ) throws -> (node: TreeNode, head: JID) {
        var place: TreeChange.Place?
        if let path {
            var names = Self.components(of: path)
            guard let name = names.popLast() else { throw NamespaceError.pathAbsent(path) }
            let parent = try node(at: names.joined(separator: "/") + "/", in: namespace)
            place = JournalEntry.Place(parent: parent?.id ?? namespace.root, name: name)
        }
        let result = try commit(
            [TreeOperation(.restore(item.entry.node.id, to: place))], to: namespace.id, author: author)
        switch result.outcomes.first {
        case .done(let node, _)?: return (node, result.head)
        case .conflict(.nameTaken, _)?: throw NamespaceError.placeTaken(path ?? item.path)
        case .conflict(.parentMissing, _)?: throw NamespaceError.directoryDeleted(path ?? item.path)
        case .refused(.contentRemoved)?: throw NamespaceError.notInTrash(item.path)
        case let other?: throw NamespaceError.notAtomic(index: 0, other)
        case nil: throw NamespaceError.notInTrash(item.path)
        }
    }

    /// Takes items out of the trash for good, before their time: their content leaves every version.
    ///
    /// - Returns: how many nodes lost their content.
    public func empty(
        _ items: [TrashItem], of id: NamespaceID, author: ChangeAuthor,
        isCancelled: () throws -> Bool = { false }
    ) throws -> Int {
        try catalog.namespaces.database.write { connection in
            let tables = TreeTables(connection, of: try live(id, connection))
            for item in items where try tables.node(item.entry.node.id)?.revision == item.entry.jid {
                try tables.noteEmptied(item.entry.jid, isDone: false)
            }
        }
        return try finishEmptying(of: id, author: author, isCancelled: isCancelled)
    }

    /// Goes on with what ``empty(_:of:author:isCancelled:)`` began, in pieces between which others write.
    @discardableResult
    public func finishEmptying(
        of id: NamespaceID, author: ChangeAuthor = ChangeAuthor(),
        isCancelled: () throws -> Bool = { false }
    ) throws -> Int {
        var nodes = 0
        while try !isCancelled() {
            let time = catalog.namespaces.now()
            let step = try catalog.namespaces.database.write { connection in
                try TrashEmptying(
                    namespace: live(id, connection), connection: connection, author: author, time: time
                ).run()
            }
            guard let step else { break }
            nodes += step.nodes
            if step.head != nil { feed.notify(id) }
        }
        return nodes
    }
}
