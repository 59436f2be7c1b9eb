public import Catalog
import Foundation
import Multiformats
public import TreeValues

extension NamespaceStore {
    /// The JID that a person means by a version: a number, a time (RFC 3339: the newest state not after
    /// it), or the root CID of a snapshot.
    ///
    /// - Throws: `versionUnknown`, `versionAbsent`.
    public func jid(of version: String, in namespace: Namespace) throws -> JID {
        if let number = JID(version) {
            let head = try self.namespace(namespace.id.text).head
            guard number >= 0, number <= head else {
                throw NamespaceError.versionAbsent(number, head: head)
            }
            return number
        }
        if let time = Self.time(version) {
            return try read { try TreeTables($0, of: namespace).lastEntry(notAfter: time.upperBound) }
        }
        if let root = try? CID(text: version) {
            let found = try read { try TreeTables($0, of: namespace).snapshot(root: root) }
            if let found { return found.jid }
        }
        throw NamespaceError.versionUnknown(version)
    }

    /// The same for what is changed by it: whoever means a time to come has mistyped it.
    ///
    /// - Throws: `versionInFuture`, by the clock of this node, and what ``jid(of:in:)`` throws.
    public func pastJID(of version: String, in namespace: Namespace) throws -> JID {
        let now = catalog.namespaces.now()
        if JID(version) == nil, let time = Self.time(version), time.lowerBound > now {
            throw NamespaceError.versionInFuture(version, now: Self.text(ofTime: now))
        }
        return try jid(of: version, in: namespace)
    }

    /// The moments that an RFC 3339 time means, first and last, in Unix milliseconds: one, or all of its second
    /// if it has no fraction.
    private static func time(_ text: String) -> ClosedRange<Int64>? {
        // A style with fractions reads a time without one as well, as the beginning of its second.
        let hasFraction = text.contains(".")
        guard let date = try? Date.ISO8601FormatStyle(includingFractionalSeconds: hasFraction).parse(text)
        else { return nil }
        let first = Int64((date.timeIntervalSince1970 * 1000).rounded())
        return first...(hasFraction ? first : first + 999)
    }

    private static func text(ofTime milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds / 1000)).formatted(.iso8601)
    }

    /// Makes sure that a restore leaves something, if something is there: before the first change there was
    /// nothing, and a person who goes back that far, or to where a path was not there yet, has likely mistyped
    /// it.
    ///
    /// - Parameter path: of what is to be restored.
    /// - Throws: `versionEmpty`, `pathNotThen`, `versionRemoved`.
    public func requireContent(of jid: JID, path: String = "", in namespace: Namespace) throws {
        let names = Self.components(of: path)
        try read { connection in
            try TreeTables(connection, of: namespace).requireKept(jid)
            let (now, then) = (TreeView(namespace, connection), TreeView(namespace, connection, asOf: jid))
            if names.isEmpty {
                guard namespace.nodes > 0, try then.children(of: then.root, limit: 1).isEmpty else { return }
                throw NamespaceError.versionEmpty(jid, nodes: namespace.nodes)
            }
            guard let node = try now.node(at: names)?.id, try then.node(at: names) == nil else { return }
            // It may have been elsewhere.
            if let old = try then.node(node), !old.isDeleted, try then.way(to: old.parent) != nil { return }
            throw NamespaceError.pathNotThen(path, jid)
        }
    }

    /// Brings a whole namespace, or what is at a path of it, back to an earlier state, by new journal
    /// entries.
    ///
    /// A file that has taken the place of another one since gets the content that was there then; where the
    /// other one is now it stays. A directory that took the place of another one goes where it was then, or to
    /// the trash.
    ///
    /// - Parameters:
    ///   - path: of the newest state, or, if there is nothing now, of the earlier one.
    ///   - bringingBackRules: whether `.syncignore` at the root is restored as well, where it is not what `path`
    ///     says.
    /// - Returns: the head afterwards, how many entries were made, and paths that were left as they are.
    /// - Throws: `versionAbsent`, `versionRemoved`, `pathAbsent`, `placeTaken`, `directoryDeleted`,
    ///   `historyRemoved` for a directory above that is needed again, and what the catalog throws.
    public func restore(
        _ id: NamespaceID, path: String = "", asOf jid: JID, bringingBackRules: Bool = false,
        author: ChangeAuthor
    ) throws -> (head: JID, entries: Int, kept: [String]) {
        let time = catalog.namespaces.now()
        let done: (head: JID, entries: Int, kept: [String])
        do {
            done = try catalog.namespaces.database.write { connection in
                let namespace = try live(id, connection)
                try TreeTables(connection, of: namespace).requireKept(jid)
                let rules =
                    bringingBackRules
                    ? nil : try keptRules(path, of: namespace, asOf: jid, connection)
                let (head, entries) = try restore(
                    path, of: namespace, asOf: jid, keeping: rules?.nodes ?? [], author, time, connection)
                return (head, entries, rules == nil ? [] : [KeptRules.path])
            }
        } catch CatalogError.notUnique {
            throw NamespaceError.placeTaken(path)
        }
        if done.entries > 0 { feed.notify(id) }
        return done
    }

    /// What a restore of what is at a path leaves as it is.
    private func keptRules(
        _ path: String, of namespace: Namespace, asOf jid: JID, _ connection: any SQLConnection
    ) throws -> KeptRules? {
        let names = Self.components(of: path)
        guard names != [KeptRules.path] else { return nil }
        let (now, then) = (TreeView(namespace, connection), TreeView(namespace, connection, asOf: jid))
        let scope = try then.node(at: names)?.id ?? now.node(at: names)?.id
        guard scope != nil || names.isEmpty else { return nil }
        return try KeptRules(now: now, then: then, scope: scope)
    }

    private func restore(
        _ path: String, of namespace: Namespace, asOf jid: JID, keeping: [NodeID], _ author: ChangeAuthor,
        _ time: Int64,
        _ connection: any SQLConnection
    ) throws -> (head: JID, entries: Int) {
        let names = Self.components(of: path)
        let (now, then) = (TreeView(namespace, connection), TreeView(namespace, connection, asOf: jid))
        let (current, former) = (try now.node(at: names)?.id, try then.node(at: names)?.id)
        var (before, entries) = (namespace, 0)
        if let current, let former, current != former {
            if let replaced = try now.node(current), let content = try then.node(former),
                replaced.kind != .directory, content.kind != .directory
            {
                return try replace(
                    replaced, by: content, path, of: namespace, asOf: jid, author, time, connection)
            }
            // What has the place of another directory leaves it first.
            let restore = TreeRestore(
                namespace: namespace, connection: connection, author: author, time: time, keeping: keeping)
            (before, entries) = try restore.restore(asOf: jid, scope: current)
        }
        let scope = former ?? current
        if scope == nil, !names.isEmpty { throw NamespaceError.pathAbsent(path) }
        if let scope, try isBack(scope, in: before, asOf: jid, connection) { return (before.head, entries) }
        let restore = TreeRestore(
            namespace: before, connection: connection, author: author, time: time, keeping: keeping)
        let (after, more) = try restore.restore(asOf: jid, scope: scope)
        entries += more
        guard let scope, let node = try TreeView(after, connection).node(scope), !node.isDeleted,
            try TreeView(after, connection).way(to: node.parent) == nil
        else { return (after.head, entries) }
        let home = RestoredHome(
            namespace: after, connection: connection, jid: jid, author: author, time: time
        ) { self.nodeIDs.next(now: time) }
        let done = try home.bringBack(node, path: path)
        return (done.head, entries + Int(done.head - after.head))
    }

    /// Gives a file the content of another one, which was in its place.
    private func replace(
        _ current: TreeNode, by former: TreeNode, _ path: String, of namespace: Namespace, asOf jid: JID,
        _ author: ChangeAuthor, _ time: Int64, _ connection: any SQLConnection
    ) throws -> (head: JID, entries: Int) {
        let content: NodeContent
        if former.kind == .symlink {
            content = .symlink(former.target ?? "")
        } else if let root = former.content {
            content = .file(root, bytes: former.size)
        } else {
            throw NamespaceError.historyRemoved(former.id, jid)
        }
        var commit = try TreeCommit(
            namespace, connection, author: author, time: time, makeNode: { self.nodeIDs.next(now: time) })
        let put = TreeChange.Put(
            content, node: current.id, base: current.contentRevision,
            attributes: .init(modified: former.modified, mode: former.mode, meta: former.meta))
        _ = try commit.apply(TreeOperation(.put(put))).restored(path, asOf: jid)
        let changed = try commit.save()
        return (changed.head, Int(changed.head - namespace.head))
    }

    /// Whether a file is as it was, and where it was by name, though its directory is another one since: see
    /// ``RestoredHome``.
    private func isBack(
        _ file: NodeID, in namespace: Namespace, asOf jid: JID, _ connection: any SQLConnection
    ) throws -> Bool {
        let (now, then) = (
            TreeView(namespace, connection), TreeView(namespace, connection, asOf: jid)
        )
        guard let current = try now.node(file), let old = try then.node(file), current.kind != .directory,
            !current.isDeleted, !old.isDeleted, current.hasContent(of: old), current.name == old.name,
            current.modified == old.modified, current.mode == old.mode, current.meta == old.meta,
            let way = try now.way(to: current.parent), let oldWay = try then.way(to: old.parent)
        else { return false }
        let names = try way.map { try now.node($0)?.name }
        return names == (try oldWay.map { try then.node($0)?.name })
    }
}
