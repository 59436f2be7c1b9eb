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

    /// - Parameter scope: a block with any of these marks is visible; `nil` makes every block visible.
    public init(_ store: PackBlockStore, scope: ScopeMarks?) {
        self.store = store
        self.scope = scope
    }

    public func block(_ cid: CID) throws -> Block? { try store.blocks([cid], in: scope)[0] }

    public func blocks(_ cids: [CID]) throws -> [Block?] { try store.blocks(cids, in: scope) }

    /// Where blocks lie, for who hands them on without looking at them; see ``HeldBlock``.
    public func places(of cids: [CID], _ form: PlaceForm) throws -> [HeldBlock?] {
        try store.places(of: cids, form, in: scope)
    }

    /// Counts what takes content away: an answer that was right before is right as long as this stays.
    public var withdrawals: UInt64 { store.withdrawals }

    /// The size of a block in bytes; `nil` if it is not there or not visible. Nothing is read.
    public func size(of cid: CID) throws -> Int? {
        if cid.isIdentity { return cid.multihash.digestByteCount }
        guard let location = try store.location(of: cid.multihash), !location.isQuarantined,
            location.isVisible(in: scope)
        else { return nil }
        return Int(location.payloadBytes)
    }

    /// A set of visited blocks, for a walk.
    public func makeVisitedBlocks() -> VisitedBlocks { store.makeVisitedBlocks() }
}

extension BlockLocation {
    /// Whether the block has one of the marks.
    func isVisible(in scope: ScopeMarks?) -> Bool {
        scope.map { !flags.isDisjoint(with: BlockLocation.Flags($0)) } ?? true
    }
}
