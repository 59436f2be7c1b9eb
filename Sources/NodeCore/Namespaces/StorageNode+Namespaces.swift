import BlockStorage
public import Catalog
public import Namespaces
public import Multiformats
import Synchronization
public import TreeValues

extension StorageNode {
    /// The namespace of a name or an id that is not deleted, if there is one.
    public func namespace(matching text: String) throws -> Namespace? {
        do { return try namespaces.namespace(text) } catch is NamespaceError { return nil }
    }

    /// The UnixFS directory of a namespace: of its newest state, or as of a JID. See
    /// `NamespaceStore.snapshot(of:asOf:in:for:)`.
    public func snapshot(
        of namespace: Namespace, asOf jid: JID? = nil, for user: NamespaceStore.SnapshotUser = .owner
    ) throws -> TreeSnapshot {
        let lease = try beginLease()
        defer { lease.end() }
        return try namespaces.snapshot(
            of: namespace, asOf: jid, in: try NamespaceBlocks(self, of: namespace), for: user)
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

    /// Lets everybody read what a commit brought in, or nobody, where the visibility of its namespace was
    /// changed while it was under way.
    ///
    /// Whoever changes it looks at what the journal has when the row is written, and a commit marks its blocks
    /// by the row as it was before: what comes between the two is looked at here.
    ///
    /// - Parameters:
    ///   - contents: of files, as the commit put them into the journal.
    ///   - known: by which the blocks were marked.
    ///   - committed: in the transaction of the commit.
    public func follow(
        _ contents: [CID], from known: NamespaceVisibility, to committed: NamespaceVisibility
    ) throws {
        guard known != committed, !contents.isEmpty else { return }
        let cancellation = Cancellation()
        switch committed {
        case .public:
            let visited = store.makeVisitedBlocks()
            for root in contents {
                try visit(root, visited, cancellation) { cid in
                    try store.changeScopeMarks(of: [cid.multihash], adding: .public)
                }
            }
        case .private:
            try visibilityLock.withLock { _ in
                try withdraw(except: nil, cancellation) { body in for root in contents { try body(root) } }
            }
        }
        try store.commitMarks()
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

    /// What ``makeSettledSnapshots(quiet:atMost:)`` did.
    public struct SettledReport: Sendable {
        /// Those of which there is a snapshot of the newest state.
        public var made: [NamespaceID] = []
        /// What went wrong; the others are made all the same, and these are tried again.
        public var failures: [(namespace: NamespaceID, error: any Error)] = []
    }

    /// Makes the snapshots of namespaces that changed, once they were quiet for a while.
    ///
    /// - Parameter now: when; a test need not wait.
    public func makeSettledSnapshots(
        quiet: Int64 = 1000, atMost: Int64 = 10_000, at now: ContinuousClock.Instant = .now
    ) -> SettledReport {
        var report = SettledReport()
        for settled in namespaces.feed.settled(quiet: quiet, atMost: atMost, at: now) {
            let id = settled.namespace
            do {
                guard let namespace = try catalog.namespaces.namespace(id), namespace.deleted == nil else {
                    continue
                }
                _ = try snapshot(of: namespace)
                report.made.append(id)
            } catch {
                namespaces.feed.retry(settled)
                report.failures.append((id, error))
            }
        }
        return report
    }

    /// What ``thinHistories(cancellation:)`` did.
    public struct HistoryReport: Sendable {
        /// Changes whose content nothing keeps any more.
        public var droppedEntries = 0
        /// Deleted namespaces that are gone for good.
        public var removedNamespaces = 0
        /// Unix milliseconds: nothing was removed, since the clock is far from where it was at the last time;
        /// if it goes on from there, the first run after this moment removes what is due. `nil` if it was
        /// believed.
        public var waitsUntil: Int64?
        public var failures: [(namespace: NamespaceID, error: any Error)] = []
    }

    /// Lets go of what the policies of namespaces do not keep any more, and of namespaces that were deleted
    /// long enough ago. The collector gives the space back.
    ///
    /// In small pieces, while everything else goes on; what was cut off goes on the next time. Nothing is
    /// removed because of a clock that was set a moment ago: see ``SweepClock``.
    public func thinHistories(cancellation: Cancellation = Cancellation()) throws -> HistoryReport {
        var report = HistoryReport()
        let time = catalog.namespaces.currentTime
        report.waitsUntil = try believe(time)
        guard report.waitsUntil == nil else { return report }
        for namespace in try catalog.namespaces.deleted() {
            try cancellation.check()
            guard let deleted = namespace.deleted, deleted <= time - Namespace.trashMilliseconds else {
                continue
            }
            if try catalog.namespaces.removeDeleted(namespace.id) { report.removedNamespaces += 1 }
        }
        var last: NamespaceID?
        while true {
            let page = try catalog.namespaces.list(after: last, limit: NamespaceRepository.maximumPage)
            for namespace in page {
                do {
                    report.droppedEntries += try namespaces.finishEmptying(of: namespace.id) {
                        try cancellation.check()
                        return false
                    }
                    report.droppedEntries += try namespaces.thinHistory(of: namespace.id, at: time) {
                        try cancellation.check()
                        return false
                    }
                } catch let error as CancelledError {
                    throw error
                } catch {
                    // A namespace with a damaged row is no reason to leave the others.
                    report.failures.append((namespace.id, error))
                }
            }
            guard page.count == NamespaceRepository.maximumPage else { return report }
            last = page.last?.id
        }
    }

    /// Asks whether histories may be thinned out by what the clock says, and notes what it said. Nodes that
    /// share a catalog share the note, so that the wrong clock of one is seen by the others' right ones.
    ///
    /// - Returns: until when nothing is to be removed; `nil` if the clock is believed.
    private func believe(_ time: Int64) throws -> Int64? {
        var clock =
            try catalog.settings.value(Self.clockSetting).flatMap(SweepClock.init) ?? SweepClock(at: time)
        let end = clock.take(time)
        try catalog.settings.set(Self.clockSetting, to: clock.text)
        return end
    }

    static let clockSetting = "history.clock"
}
