import BlockStorage
public import Catalog
import IPLD
import Multiformats
import Synchronization

/// Public pins on their way into the catalog, as withdrawals have to know of them.
struct Publications {
    /// When the last walk that takes the mark `public` away ended, in milliseconds of the store's clock.
    var lastWithdrawal: UInt64?
    /// Roots that are public, though the rows of their pins may not have been there at the last look.
    private(set) var seen: [CID] = []
    private var underWay: [UInt64: CID] = [:]
    private var next: UInt64 = 0
    private var isLooking = false

    /// - Returns: a number for ``end(_:)``, to be called when the row is there.
    mutating func begin(_ root: CID) -> UInt64 {
        next += 1
        underWay[next] = root
        if isLooking { seen.append(root) }
        return next
    }

    mutating func end(_ number: UInt64) { underWay[number] = nil }

    /// To be called before rows are read.
    mutating func beginLook() {
        isLooking = true
        seen = Array(underWay.values)
    }

    mutating func endLook() {
        isLooking = false
        seen = []
    }
}

/// Marks against pins: who may read a block follows from the pins that reach it.
extension StorageNode {
    /// Adds a pin whose blocks are there and marked, put under a lease that is still held.
    ///
    /// Since the lease began, somebody may have taken back another pin over the same blocks, and with it
    /// the marks of this one: then they are set again before the row is there.
    public func addPin(_ draft: PinDraft) throws -> (pin: Pin, isNew: Bool) {
        // Block bytes are durable before any row names them.
        try store.commit()
        guard draft.visibility == .public else { return try catalog.pins.add(draft) }
        let oldest = store.ageLimit(grace: 0)
        let (number, isMarked) = publications.withLock { state in
            (state.begin(draft.root), state.lastWithdrawal.map { $0 < oldest } ?? true)
        }
        defer { publications.withLock { $0.end(number) } }
        if !isMarked {
            _ = try walk(draft.root, scope: .public)
            try store.commitMarks()
        }
        return try catalog.pins.add(draft)
    }

    /// Takes the mark `public` from what is below a pin, except what other public pins reach.
    ///
    /// The long look at those pins holds nobody up: what becomes public meanwhile is looked at before the
    /// first mark goes. While they go, pins that are to be public wait.
    func withdraw(_ pin: Pin, _ cancellation: Cancellation) throws {
        try withdraw(except: pin.id, cancellation) { try $0(pin.root) }
    }

    /// Takes the mark `public` from what is below roots, except what pins and namespaces that are public
    /// reach.
    ///
    /// - Parameter forEachRoot: gives every root to the closure.
    func withdraw(
        except pin: PinID?, _ cancellation: Cancellation,
        forEachRoot: ((CID) throws -> Void) throws -> Void
    ) throws {
        publications.withLock { $0.beginLook() }
        defer { publications.withLock { $0.endLook() } }
        let stillPublic = try reachedByWhatIsPublic(except: pin, cancellation)
        try publications.withLock { state in
            for root in state.seen { try visit(root, stillPublic, cancellation) { _ in } }
            // Also if it is broken off: some marks are gone then.
            defer { state.lastWithdrawal = store.now }
            try forEachRoot { root in
                try visit(root, stillPublic, cancellation) {
                    try store.changeScopeMarks(of: [$0.multihash], removing: .public)
                }
            }
        }
    }

    /// Sets marks again that a crash or a rebuilt index may have lost: those that pins stand for which were
    /// made since. Blocks that no pin reaches stay unmarked: nobody but an administrator reads them.
    ///
    /// Done by the opening of a node. What cannot be read is passed over, as it cannot be shown either.
    func restoreMarks() throws {
        guard let since = try store.marksUncertainSince else { return }
        var filter = PinFilter()
        // A margin for a clock that was set back.
        let margin: UInt64 = 10 * 60 * 1000
        if since > margin { filter.createdAfter = StoreClock.unixMilliseconds(since - margin) }
        do {
            try catalog.pins.forEach(filter) { pin in
                try mark(pin.root, pin.visibility == .public ? .public : [], for: audience(of: pin.owner))
            }
            var trees = NamespaceRepository.RootMarks()
            try catalog.namespaces.forEachRoot(since: &trees) { root in
                let scope: ScopeMarks = root.visibility == .public ? .public : []
                try mark(root.cid, scope, for: audience(of: root.project))
            }
        } catch CatalogError.damagedRow {
            // The pins behind it wait until the row is mended: the next start tries again.
            return
        }
        try store.marksAreRestored()
    }

    /// A project as the block index knows it.
    func audience(of project: ProjectID) throws -> BlockAudience {
        BlockAudience(scope: project == .default ? nil : try catalog.projects.scope(of: project))
    }

    private func mark(_ root: CID, _ scope: ScopeMarks, for audience: BlockAudience) throws {
        let (store, visited) = (store, store.makeVisitedBlocks())
        var walker = DAGWalker(root: root) { try visited.decision(on: $0) }
        var batch: [Multihash] = []
        func flush() throws {
            try audience.mark(batch, in: store)
            if !scope.isEmpty { try store.changeScopeMarks(of: batch, adding: scope) }
            batch.removeAll(keepingCapacity: true)
        }
        while true {
            do {
                guard let step = try walker.next(load: { try store.readableBlock($0) }) else { break }
                if case .missing(let cid, _) = step, try store.scopeMarks(of: cid.multihash) == nil {
                    continue
                }
                batch.append(step.cid.multihash)
            } catch DAGWalkError.unreadable(let cid, _) {
                batch.append(cid.multihash)
            }
            if batch.count >= 1024 { try flush() }
        }
        try flush()
    }
}

extension PackBlockStore {
    /// A block; `nil` as well where its bytes are damaged.
    fileprivate func readableBlock(_ cid: CID) throws -> Block? {
        do { return try block(cid) } catch let error as BlockStoreError where error.isDamage { return nil }
    }
}
