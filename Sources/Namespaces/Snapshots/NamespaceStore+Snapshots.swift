public import BlockStorage
public import Catalog
import IPLD
import Multiformats
public import TreeValues
import UnixFS

extension NamespaceStore {
    /// The UnixFS directory of a namespace: of its newest state, or as of a JID.
    ///
    /// Builds only the directories that changed since the nearest earlier snapshot, and keeps the result.
    /// One is built at a time for each namespace.
    ///
    /// - Parameter store: where the content is, and where the directories go; their blocks are durable
    ///   before
    ///   the row that names the root.
    /// - Throws: `versionAbsent`; `historyRemoved` and `contentAbsent` if a file cannot be part of it any
    ///   more.
    public func snapshot(
        of namespace: Namespace, asOf jid: JID? = nil, in store: any BlockStore
    ) throws -> TreeSnapshot {
        try snapshotLocks.withLock(namespace.id) {
            let draft = try read { connection -> SnapshotDraft in
                let namespace = try live(namespace.id, connection)
                let target = jid ?? namespace.head
                guard target >= 0, target <= namespace.head else {
                    throw NamespaceError.versionAbsent(target, head: namespace.head)
                }
                let tables = TreeTables(connection, of: namespace)
                try tables.requireKept(target)
                if let known = try tables.snapshot(upTo: target), known.jid == target {
                    return SnapshotDraft(snapshot: known)
                }
                return target == namespace.head
                    ? try newest(namespace, connection, store)
                    : try past(namespace, target, connection, store)
            }
            guard draft.isNew else { return draft.snapshot }
            try store.commit()
            try catalog.namespaces.database.write { connection in
                let tables = TreeTables(connection, of: namespace)
                // Another process may have made one meanwhile: what is known of directories is then its
                // matter.
                let isUntouched = try tables.directory(namespace.root)?.jid == draft.base
                // It may have gone meanwhile; its snapshot would keep what nobody asks for.
                try tables.requireKept(draft.snapshot.jid)
                try tables.keep(draft.snapshot)
                guard draft.isOfNewest, isUntouched else { return }
                for directory in draft.forgotten { try tables.forgetDirectory(directory) }
                for (node, built) in draft.made {
                    try tables.keep(
                        TreeSnapshot(
                            jid: draft.snapshot.jid, root: built.root,
                            dagBytes: Int64(clamping: built.dagBytes), time: 0), of: node)
                }
            }
            return draft.snapshot
        }
    }

    /// Snapshots there are, newest first.
    public func snapshots(
        of namespace: Namespace, before: JID = .max, limit: Int = 100
    ) throws -> [TreeSnapshot] {
        try read {
            try TreeTables($0, of: namespace).snapshots(before: before, limit: min(max(limit, 1), 1000))
        }
    }

    private func newest(
        _ namespace: Namespace, _ connection: any SQLConnection, _ store: any BlockStore
    ) throws -> SnapshotDraft {
        let view = TreeView(namespace, connection)
        // The root is made with every change, so its row tells as of when all the others are right.
        let base = try view.tables.directory(namespace.root)?.jid
        let after = base ?? 0
        let isNear = base != nil && namespace.head - after <= SnapshotChanges.maximumEntries
        let changes =
            isNear ? try SnapshotChanges(view, after: after, upTo: namespace.head) : SnapshotChanges()
        var builder = SnapshotBuilder(
            view, names: try SnapshotNames(style: NamespacePolicy(json: namespace.policy).names),
            store: store,
            changes: changes
        ) { node in
            guard isNear, let known = try view.tables.directory(node) else { return nil }
            return BuiltDirectory(root: known.root, dagBytes: UInt64(clamping: known.dagBytes))
        }
        let root = try builder.build()
        var draft = SnapshotDraft(snapshot: snapshot(root, at: namespace.head), base: base)
        draft.isNew = true
        draft.isOfNewest = true
        draft.made = builder.made
        draft.forgotten = changes.directories.subtracting(builder.made.map(\.node)).sorted()
        return draft
    }

    private func past(
        _ namespace: Namespace, _ jid: JID, _ connection: any SQLConnection, _ store: any BlockStore
    ) throws -> SnapshotDraft {
        let view = TreeView(namespace, connection, asOf: jid)
        let names = try SnapshotNames(style: NamespacePolicy(json: namespace.policy).names)
        let base = try view.tables.snapshot(upTo: jid)
        let isNear = base.map { jid - $0.jid <= SnapshotChanges.maximumEntries } ?? false
        let changes =
            isNear ? try SnapshotChanges(view, after: base?.jid ?? 0, upTo: jid) : SnapshotChanges()
        let baseView = TreeView(namespace, connection, asOf: base?.jid ?? 0)
        var builder = SnapshotBuilder(view, names: names, store: store, changes: changes) { node in
            guard isNear, let base, names.style == .files, let way = try baseView.way(to: node) else {
                return nil
            }
            var built = BuiltDirectory(root: base.root, dagBytes: UInt64(clamping: base.dagBytes))
            for step in way.dropLast().reversed() {
                guard let name = try baseView.node(step)?.name,
                    let entry = try DirectoryReader(source: store, root: built.root)
                        .entry(named: Array(name.utf8))
                else { return nil }
                built = BuiltDirectory(root: entry.cid, dagBytes: entry.dagBytes)
            }
            return built
        }
        let root = try builder.build()
        var draft = SnapshotDraft(snapshot: snapshot(root, at: jid))
        draft.isNew = true
        return draft
    }

    private func snapshot(_ built: BuiltDirectory, at jid: JID) -> TreeSnapshot {
        TreeSnapshot(
            jid: jid, root: built.root, dagBytes: Int64(clamping: built.dagBytes),
            time: catalog.namespaces.now())
    }
}

/// A snapshot that was made, or found, and what is to be kept besides.
private struct SnapshotDraft {
    let snapshot: TreeSnapshot
    /// As of when directories were known by node when it was made.
    var base: JID?
    var isNew = false
    /// Whether it is of the newest state: only then its directories are kept by node.
    var isOfNewest = false
    var made: [(node: NodeID, built: BuiltDirectory)] = []
    var forgotten: [NodeID] = []
}
