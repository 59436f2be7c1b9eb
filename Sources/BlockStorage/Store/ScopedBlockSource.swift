public import IPLD
public import Multiformats

/// A store as those see it who may read only what is marked for a scope: to them, all else is not there.
///
/// The mark stands beside the place of a block in the index, so that asking for it costs nothing. It is
/// asked for every block that is read: a directory that somebody made may link to a block that is none of
/// theirs.
public struct ScopedBlockSource: BlockSource {
    private let store: PackBlockStore
    private let scope: ScopeMarks?
    private let project: UInt32?

    /// - Parameters:
    ///   - scope: a block with any of these marks is visible; `nil` makes every block visible.
    ///   - project: blocks that are marked for it are visible as well, at the cost of one look-up more.
    public init(_ store: PackBlockStore, scope: ScopeMarks?, project: UInt32? = nil) {
        self.store = store
        self.scope = scope
        self.project = scope == nil ? nil : project
    }

    public func block(_ cid: CID) throws -> Block? { try blocks([cid])[0] }

    public func blocks(_ cids: [CID]) throws -> [Block?] {
        try find(cids) { try store.blocks($0, in: $1) }
    }

    /// Where blocks lie, for who hands them on without looking at them; see ``HeldBlock``.
    public func places(of cids: [CID], _ form: PlaceForm) throws -> [HeldBlock?] {
        try find(cids) { try store.places(of: $0, form, in: $1) }
    }

    /// Counts what takes content away: an answer that was right before is right as long as this stays.
    public var withdrawals: UInt64 { store.withdrawals }

    /// The size of a block in bytes; `nil` if it is not there or not visible. Nothing is read.
    public func size(of cid: CID) throws -> Int? {
        if cid.isIdentity { return cid.multihash.digestByteCount }
        guard let location = try store.location(of: cid.multihash), !location.isQuarantined,
            try location.isVisible(in: scope) || isOfProject(cid)
        else { return nil }
        return Int(location.payloadBytes)
    }

    /// A set of visited blocks, for a walk.
    public func makeVisitedBlocks() -> VisitedBlocks { store.makeVisitedBlocks() }

    private func isOfProject(_ cid: CID) throws -> Bool {
        guard let project, !cid.isIdentity else { return false }
        return try store.isMarked(cid.multihash, for: project)
    }

    /// What the store has of blocks within a scope, and of the project's own blocks whatever their marks.
    private func find<Found>(
        _ cids: [CID], _ look: ([CID], ScopeMarks?) throws -> [Found?]
    ) throws -> [Found?] {
        guard project != nil else { return try look(cids, scope) }
        return try cids.map { try look([$0], try isOfProject($0) ? nil : scope)[0] }
    }
}

extension BlockLocation {
    /// Whether the block has one of the marks.
    func isVisible(in scope: ScopeMarks?) -> Bool {
        scope.map { !flags.isDisjoint(with: BlockLocation.Flags($0)) } ?? true
    }
}
