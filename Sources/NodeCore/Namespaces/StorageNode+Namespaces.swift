import BlockStorage
public import Catalog
import Namespaces
import Multiformats
import Synchronization
public import TreeValues

extension StorageNode {
    /// The UnixFS directory of a namespace: of its newest state, or as of a JID. See
    /// `NamespaceStore.snapshot(of:asOf:in:)`.
    public func snapshot(of namespace: Namespace, asOf jid: JID? = nil) throws -> TreeSnapshot {
        let lease = try beginLease()
        defer { lease.end() }
        return try namespaces.snapshot(
            of: namespace, asOf: jid, in: try NamespaceBlocks(self, of: namespace))
    }

    /// Lets everybody read a namespace with all of its kept history, or nobody but its project any more.
    ///
    /// Called again after it was cut off, it does what is left. Memory: a bit for each block of the store.
    public func setVisibility(
        _ visibility: NamespaceVisibility, of namespace: Namespace,
        cancellation: Cancellation = Cancellation(), progress: @escaping (Int) throws -> Void = { _ in }
    ) throws -> Namespace {
        try visibilityLock.withLock { _ in
            let changed: Namespace
            switch visibility {
            case .public:
                let visited = store.makeVisitedBlocks()
                var marks = NamespaceRepository.RootMarks()
                let publish = {
                    try self.forEachRoot(of: namespace, since: &marks) { root in
                        try self.visit(root, visited, cancellation) { cid in
                            try self.store.changeScopeMarks(of: [cid.multihash], adding: .public)
                            try progress(1)
                        }
                    }
                }
                try publish()
                changed = try setRow(visibility, of: namespace)
                // What was committed meanwhile; what comes from here on is marked as it comes.
                try publish()
            case .private:
                // First the row: what comes from here on is not marked.
                changed = try setRow(visibility, of: namespace)
                try withdraw(except: nil, cancellation) { body in
                    var marks = NamespaceRepository.RootMarks()
                    try forEachRoot(of: namespace, since: &marks) { try body($0) }
                }
            }
            try store.commitMarks()
            return changed
        }
    }

    private func setRow(_ visibility: NamespaceVisibility, of namespace: Namespace) throws -> Namespace {
        guard let changed = try catalog.namespaces.change(namespace.id, { $0.visibility = visibility }) else {
            throw NamespaceError.unknownNamespace(namespace.name)
        }
        return changed
    }

    private func forEachRoot(
        of namespace: Namespace, since marks: inout NamespaceRepository.RootMarks,
        _ body: (CID) throws -> Void
    ) throws {
        try catalog.namespaces.forEachRoot(of: namespace, since: &marks) { try body($0.cid) }
    }

    /// Makes the snapshots of namespaces that changed, once they were quiet for a while.
    ///
    /// - Returns: what went wrong, for each namespace; the others are made all the same.
    public func makeSettledSnapshots(
        quiet: Int64 = 1000, atMost: Int64 = 10_000
    ) -> [(namespace: NamespaceID, error: any Error)] {
        var failures: [(NamespaceID, any Error)] = []
        for id in namespaces.feed.settled(quiet: quiet, atMost: atMost) {
            do {
                guard let namespace = try catalog.namespaces.namespace(id), namespace.deleted == nil else {
                    continue
                }
                _ = try snapshot(of: namespace)
            } catch {
                failures.append((id, error))
            }
        }
        return failures
    }
}
