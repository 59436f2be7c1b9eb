public import BlockStorage
public import Catalog
import IPLD
public import Multiformats
import Synchronization

extension StorageNode {
    /// Keeps a root and everything below it. What is below must be in the store already and is not walked:
    /// for callers that have just put all of it under a lease.
    ///
    /// - Returns: the pin, and whether it is new: the same root under the same name is pinned once.
    @discardableResult
    public func pin(
        _ root: CID, name: String, visibility: PinVisibility, parameters: String = "",
        contentBytes: UInt64? = nil, owner: ProjectID = .default,
        status: PinStatus = .pinned
    ) throws -> (pin: Pin, isNew: Bool) {
        var draft = PinDraft(
            root: root, name: name, owner: owner, visibility: visibility, status: status)
        draft.importParameters = parameters
        draft.figures.contentBytes = contentBytes.map { Int64(clamping: $0) }
        return try addPin(draft)
    }

    /// Keeps a root that the store holds already: walks everything below it, so that a pin never promises
    /// what is not there.
    ///
    /// - Throws: `incomplete` if blocks are missing, unless `allowingMissing`: then the pin's status is
    /// `pinning`.
    @discardableResult
    public func pinExisting(
        _ root: CID, name: String, visibility: PinVisibility, allowMissing: MissingBlocks = .refuse,
        cancellation: Cancellation = Cancellation(), progress: (Int) throws -> Void = { _ in }
    ) throws -> (pin: Pin, isNew: Bool) {
        try pinExisting(
            PinDraft(root: root, name: name, visibility: visibility), allowMissing: allowMissing,
            cancellation: cancellation, progress: progress)
    }

    /// Keeps a root that the store holds already, for its owner: see
    /// ``pinExisting(_:name:visibility:allowMissing:cancellation:progress:)``.
    ///
    /// - Parameters:
    ///   - draft: status and block figures are set by what is found.
    ///   - audience: who asks: what they may not read counts as missing. `nil` for the node itself.
    @discardableResult
    public func pinExisting(
        _ draft: PinDraft, allowMissing: MissingBlocks = .refuse, audience: BlockAudience? = nil,
        cancellation: Cancellation = Cancellation(), progress: (Int) throws -> Void = { _ in }
    ) throws -> (pin: Pin, isNew: Bool) {
        let (root, visibility) = (draft.root, draft.visibility)
        let lease = store.beginLease()
        defer { lease.end() }
        let report = try walk(
            root, touching: true, scope: visibility == .public ? .public : [], audience: audience,
            cancellation, progress)
        if let first = report.firstMissing, allowMissing == .refuse {
            throw NodeError.incomplete(root: root, missing: first, count: report.missing)
        }
        var draft = draft
        draft.status = report.missing == 0 ? .pinned : .pinning
        draft.figures.blockCount = Int64(report.blocks)
        draft.figures.blockBytes = Int64(clamping: report.bytes)
        return try addPin(draft)
    }

    /// Whether a pin may be made of a DAG that is not whole.
    public enum MissingBlocks: Sendable {
        case refuse
        case allow
    }

    /// What a walk over a DAG found.
    public struct WalkReport: Sendable {
        public var blocks = 0
        public var bytes: UInt64 = 0
        public var missing = 0
        public var firstMissing: CID?

        public init(blocks: Int = 0, bytes: UInt64 = 0, missing: Int = 0, firstMissing: CID? = nil) {
            self.blocks = blocks
            self.bytes = bytes
            self.missing = missing
            self.firstMissing = firstMissing
        }
    }

    /// Visits every block below a root once, depth first.
    ///
    /// - Parameters:
    ///   - touching: whether each block is to count as just put, so that no collection takes it.
    ///   - scope: whom to mark each block for.
    ///   - audience: who asks: what they may not read counts as missing, and what is there is marked as theirs too.
    public func walk(
        _ root: CID, touching: Bool = false, scope: ScopeMarks = [], audience: BlockAudience? = nil,
        _ cancellation: Cancellation = Cancellation(),
        _ progress: (Int) throws -> Void = { _ in }
    ) throws -> WalkReport {
        var report = WalkReport()
        let visited = store.makeVisitedBlocks()
        let store = store
        var walker = DAGWalker(root: root) { cid in
            try cancellation.check()
            if let audience, !cid.isIdentity, try !audience.mayRead(cid.multihash, in: store) {
                return .missing
            }
            if touching && !cid.isIdentity { _ = try store.protect(cid.multihash) }
            return try visited.decision(on: cid)
        }
        while let step = try walker.next(load: store.block) {
            switch step {
            case .missing(let cid, _):
                report.missing += 1
                if report.firstMissing == nil { report.firstMissing = cid }
                continue
            case .block(let block, _): report.bytes &+= UInt64(block.bytes.count)
            case .leaf(let cid, _): report.bytes &+= UInt64(try store.size(of: cid) ?? 0)
            }
            report.blocks += 1
            if !scope.isEmpty { try store.changeScopeMarks(of: [step.cid.multihash], adding: scope) }
            if touching { try audience?.mark([step.cid.multihash], in: store) }
            try progress(1)
        }
        return report
    }

    /// The pins that a person means: by root, by id, or by name.
    ///
    /// - Throws: `pinNotFound`.
    ///
    /// - Parameter owner: of one project only.
    public func pins(matching text: String, owner: ProjectID? = nil) throws -> [Pin] {
        var filter = PinFilter()
        filter.owner = owner
        if let cid = try? CID(text: text) {
            var roots = filter
            roots.roots = [cid]
            let found = try catalog.pins.list(roots, limit: 1000).pins
            if !found.isEmpty { return found }
        }
        if let id = try? PinID(text: text), let pin = try catalog.pins.pin(id),
            owner == nil || pin.owner == owner
        {
            return [pin]
        }
        filter.name = text
        let named = try catalog.pins.list(filter, limit: 1000).pins
        guard !named.isEmpty else { throw NodeError.pinNotFound(text) }
        return named
    }
}

extension StorageNode {
    /// Looks whether everything below a pin is there by now, and sets its status accordingly.
    public func completePin(_ pin: Pin, cancellation: Cancellation = Cancellation()) throws -> Pin {
        let walked = try walk(pin.root, cancellation)
        let status: PinStatus = walked.missing == 0 ? .pinned : .pinning
        guard status != pin.status else { return pin }
        try store.commit()
        var change = PinChange()
        change.status = status
        return try catalog.pins.update(pin.id, change)
    }

    /// Publishes what a pin keeps, or takes it back: changes the mark `public` of every block below it, then
    /// the row. Taking back leaves the mark to blocks that another public pin reaches.
    ///
    /// The row comes last both ways, so that a walk that was cut off is done by calling this again: what says
    /// private is not public any more, what says public may lack marks only after such a cut. One change is
    /// made at a time. Memory: the links on the way down, and a bit for each block of the store.
    public func setVisibility(
        _ visibility: PinVisibility, of pin: Pin, cancellation: Cancellation = Cancellation()
    ) throws -> Pin {
        var change = PinChange()
        change.visibility = visibility
        return try visibilityLock.withLock { _ in
            switch visibility {
            case .public: _ = try walk(pin.root, scope: .public, cancellation)
            case .private: try withdraw(pin, cancellation)
            }
            // Marks are as durable as the row that speaks of them.
            try store.commitMarks()
            return try catalog.pins.update(pin.id, change)
        }
    }

    /// Takes the mark `public` from blocks that nothing public reaches: those of pins that were removed, where
    /// something private keeps them.
    func withdrawUnneeded(_ grace: UInt64, _ cancellation: Cancellation) throws {
        var filter = PinFilter()
        filter.visibility = .private
        // Where everything that is kept is public, nothing is to be taken back.
        guard
            try !catalog.pins.list(filter, limit: 1).pins.isEmpty
                || !catalog.namespaces.list(includingDeleted: true, limit: 1).isEmpty
        else { return }
        try visibilityLock.withLock { _ in
            // Taken first: what is put and pinned from here on is not among the pins that are read now.
            let limit = store.ageLimit(grace: grace)
            let needed = try reachedByWhatIsPublic(except: nil, cancellation)
            _ = try store.removeMarks(.public, bornBefore: limit) { multihash in
                try cancellation.check()
                return try needed.contains(multihash)
            }
        }
    }

    func reachedByWhatIsPublic(
        except pin: PinID?, _ cancellation: Cancellation
    ) throws -> VisitedBlocks {
        let reached = store.makeVisitedBlocks()
        var filter = PinFilter()
        filter.visibility = .public
        try catalog.pins.forEach(filter) { other in
            guard other.id != pin else { return }
            try visit(other.root, reached, cancellation) { _ in }
        }
        var trees = NamespaceRepository.RootMarks()
        try catalog.namespaces.forEachRoot(.public, since: &trees) {
            try visit($0.cid, reached, cancellation) { _ in }
        }
        return reached
    }

    /// Visits what is below a root and was not visited before.
    func visit(
        _ root: CID, _ visited: VisitedBlocks, _ cancellation: Cancellation, _ body: (CID) throws -> Void
    ) throws {
        var walker = DAGWalker(root: root) { cid in
            try cancellation.check()
            return try visited.decision(on: cid)
        }
        while true {
            do {
                guard let step = try walker.next(load: store.block) else { return }
                try body(step.cid)
            } catch DAGWalkError.unreadable(let cid, _) {
                // Its bytes are what was brought in, and link to nothing.
                try body(cid)
            }
        }
    }
}

extension VisitedBlocks {
    /// What a walk is to do about a block.
    func decision(on cid: CID) throws -> DAGWalker.Decision {
        switch try visit(cid) {
        case .newlyMarked: .enter
        case .markedBefore: .skip
        case .absent: .missing
        }
    }
}
