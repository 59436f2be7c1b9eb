public import BlockStorage
public import Catalog
import IPLD
import Multiformats
import Synchronization
public import TreeValues
import UnixFS

extension NamespaceStore {
    /// The UnixFS directory of a namespace: of its newest state, or as of a JID.
    ///
    /// Builds only the directories that changed since the nearest earlier snapshot, and keeps the result.
    /// One is built at a time for the newest state of each namespace, and one for earlier versions.
    ///
    /// - Parameters:
    ///   - store: where the content is, and where the directories go; their blocks are durable before the row
    ///     that names the root.
    ///   - user: whoever may change nothing never waits here for others.
    /// - Throws: `versionAbsent`; `historyRemoved` and `contentAbsent` if a file cannot be part of it any
    ///   more; `snapshotBusy` for readers.
    public func snapshot(
        of namespace: Namespace, asOf jid: JID? = nil, in store: any BlockStore,
        for user: SnapshotUser = .owner
    ) throws -> TreeSnapshot {
        let (known, isPast) = try read { connection in
            let namespace = try live(namespace.id, connection)
            return (try found(namespace, jid, connection), jid ?? namespace.head < namespace.head)
        }
        if let known { return known }
        let key = SnapshotLocks.Key(namespace: namespace.id, isPast: isPast)
        switch user {
        case .owner:
            return try snapshotLocks.withLock(key) { try make(namespace, jid, store).snapshot }
        case .reader:
            if isPast, let seconds = readerBudget.withLock({ $0.wait() }) {
                throw NamespaceError.snapshotBusy(seconds: seconds)
            }
            guard let made = try snapshotLocks.tryLock(key, { try make(namespace, jid, store) }) else {
                throw NamespaceError.snapshotBusy(seconds: 1)
            }
            if isPast { readerBudget.withLock { $0.take(made.blockBytes) } }
            return made.snapshot
        }
    }

    /// Who a snapshot is made for.
    public enum SnapshotUser: Sendable {
        /// The node itself, or somebody who may change the namespace.
        case owner
        /// Somebody who reads it, perhaps anybody: what that costs at once, and stores, is bounded for all of
        /// them together.
        case reader
    }

    private func make(_ namespace: Namespace, _ jid: JID?, _ store: any BlockStore) throws -> SnapshotDraft {
        let draft = try draft(of: namespace, asOf: jid, in: store, lending: true)
        if try keep(draft, of: namespace, in: store) { return draft }
        // The snapshot that lent its directories went meanwhile, and a collection may have taken them.
        let whole = try self.draft(of: namespace, asOf: jid, in: store, lending: false)
        _ = try keep(whole, of: namespace, in: store)
        return whole
    }

    /// The snapshot that there is of a version.
    private func found(
        _ namespace: Namespace, _ jid: JID?, _ connection: any SQLConnection
    ) throws -> TreeSnapshot? {
        let target = jid ?? namespace.head
        guard target >= 0, target <= namespace.head else {
            throw NamespaceError.versionAbsent(target, head: namespace.head)
        }
        let tables = TreeTables(connection, of: namespace)
        try tables.requireKept(target)
        guard let known = try tables.snapshot(upTo: target), known.jid == target else { return nil }
        return known
    }

    /// Finds a snapshot, or makes one that is not kept yet.
    ///
    /// - Parameter lending: whether directories are taken from an earlier snapshot.
    private func draft(
        of namespace: Namespace, asOf jid: JID?, in store: any BlockStore, lending: Bool
    ) throws -> SnapshotDraft {
        try read { connection in
            let namespace = try live(namespace.id, connection)
            if let known = try found(namespace, jid, connection) { return SnapshotDraft(snapshot: known) }
            let target = jid ?? namespace.head
            return target == namespace.head
                ? try newest(namespace, connection, store, lending: lending)
                : try past(namespace, target, connection, store, lending: lending)
        }
    }

    /// Keeps a snapshot, once its blocks are durable.
    ///
    /// - Returns: whether it is kept: not if the one that lent its directories is not any more.
    private func keep(
        _ draft: SnapshotDraft, of namespace: Namespace, in store: any BlockStore
    ) throws -> Bool {
        guard draft.isNew else { return true }
        try store.commit()
        return try catalog.namespaces.database.write { connection in
            let tables = TreeTables(connection, of: namespace)
            // From here on the new row keeps what was lent.
            if let lender = draft.lender, try !tables.isKept(lender) { return false }
            // Another process may have made one meanwhile: what is known of directories is then its
            // matter.
            let isUntouched = try tables.directory(namespace.root)?.jid == draft.base
            // It may have gone meanwhile; its snapshot would keep what nobody asks for.
            try tables.requireKept(draft.snapshot.jid)
            try tables.keep(draft.snapshot)
            guard draft.isOfNewest, isUntouched else { return true }
            for directory in draft.forgotten { try tables.forgetDirectory(directory) }
            for (node, built) in draft.made {
                try tables.keep(
                    TreeSnapshot(
                        jid: draft.snapshot.jid, root: built.root,
                        dagBytes: Int64(clamping: built.dagBytes), time: 0), of: node)
            }
            return true
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
        _ namespace: Namespace, _ connection: any SQLConnection, _ store: any BlockStore, lending: Bool
    ) throws -> SnapshotDraft {
        let view = TreeView(namespace, connection)
        // The root is made with every change, so its row tells as of when all the others are right.
        let base = try view.tables.directory(namespace.root)
        // Their blocks are kept by the snapshot that they were made for, and by nothing else.
        let lender = try lending ? base.flatMap { try view.tables.isKept($0) ? $0 : nil } : nil
        let isNear = lender.map { namespace.head - $0.jid <= SnapshotChanges.maximumEntries } ?? false
        let changes =
            isNear ? try SnapshotChanges(view, after: lender?.jid ?? 0, upTo: namespace.head) : .init()
        var builder = SnapshotBuilder(
            view, names: try SnapshotNames(style: NamespacePolicy(json: namespace.policy).names),
            store: store, changes: changes,
            base: isNear ? lender.map { TreeView(namespace, connection, asOf: $0.jid) } : nil
        ) { node in
            // A block that is lost all the same is made again.
            guard let known = try view.tables.directory(node), try store.size(of: known.root) != nil else {
                return nil
            }
            return BuiltDirectory(root: known.root, dagBytes: UInt64(clamping: known.dagBytes))
        }
        let root = try builder.build()
        var draft = SnapshotDraft(snapshot: snapshot(root, at: namespace.head), base: base?.jid)
        draft.lender = isNear ? lender : nil
        draft.blockBytes = builder.blockBytes
        draft.isNew = true
        draft.isOfNewest = true
        draft.made = builder.made
        draft.forgotten = changes.directories.subtracting(builder.made.map(\.node)).sorted()
        return draft
    }

    private func past(
        _ namespace: Namespace, _ jid: JID, _ connection: any SQLConnection, _ store: any BlockStore,
        lending: Bool
    ) throws -> SnapshotDraft {
        let view = TreeView(namespace, connection, asOf: jid)
        let names = try SnapshotNames(style: NamespacePolicy(json: namespace.policy).names)
        let lender = try lending ? view.tables.snapshot(upTo: jid) : nil
        let isNear = lender.map { jid - $0.jid <= SnapshotChanges.maximumEntries } ?? false
        let base = isNear ? lender : nil
        let changes =
            isNear ? try SnapshotChanges(view, after: base?.jid ?? 0, upTo: jid) : SnapshotChanges()
        let baseView = base.map { TreeView(namespace, connection, asOf: $0.jid) }
        var builder = SnapshotBuilder(
            view, names: names, store: store, changes: changes, base: baseView
        ) { node in
            guard let base, let baseView, names.style == .files, let way = try baseView.way(to: node) else {
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
        draft.lender = base
        draft.blockBytes = builder.blockBytes
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
    /// The snapshot some of whose directories are in it; their blocks stay for as long as it does.
    var lender: TreeSnapshot?
    /// Bytes of the blocks that were put for it.
    var blockBytes = 0
    var isNew = false
    /// Whether it is of the newest state: only then its directories are kept by node.
    var isOfNewest = false
    var made: [(node: NodeID, built: BuiltDirectory)] = []
    var forgotten: [NodeID] = []
}

extension TreeTables {
    /// Whether a snapshot is still there, and as it was.
    fileprivate func isKept(_ snapshot: TreeSnapshot) throws -> Bool {
        guard let found = try self.snapshot(upTo: snapshot.jid) else { return false }
        return found.jid == snapshot.jid && found.root == snapshot.root
    }
}
