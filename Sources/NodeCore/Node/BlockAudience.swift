public import BlockStorage
public import IPLD
public import Multiformats

/// A project as the block index knows it: what it may read, and how what it brings in is marked.
public struct BlockAudience: Hashable, Sendable {
    /// `nil` for the default project, which has a mark of its own.
    private let scope: UInt32?

    /// - Parameter scope: the number of a project in the index: `ProjectRepository.scope(of:)`; `nil` for
    ///   the default project.
    public init(scope: UInt32?) { self.scope = scope }

    /// Whether a block is public, or was brought in by the project. One look-up.
    public func mayRead(_ multihash: Multihash, in store: PackBlockStore) throws -> Bool {
        guard let marks = try store.scopeMarks(of: multihash) else { return false }
        if marks.contains(.public) { return true }
        guard let scope else { return marks.contains(.defaultProject) }
        return try store.isMarked(multihash, for: scope)
    }

    /// The store as the project may read it.
    public func source(in store: PackBlockStore) -> ScopedBlockSource {
        scope == nil
            ? ScopedBlockSource(store, scope: [.public, .defaultProject])
            : ScopedBlockSource(store, scope: .public, project: scope)
    }

    /// Marks blocks as the project's own.
    public func mark(_ multihashes: [Multihash], in store: PackBlockStore) throws {
        guard let scope else {
            return try store.changeScopeMarks(of: multihashes, adding: .defaultProject)
        }
        try store.mark(multihashes, for: scope)
    }
}

/// A store as one project sees it: what it did not bring in and is not public is not there.
public struct ProjectBlockStore: BlockStore {
    private let store: PackBlockStore
    private let audience: BlockAudience

    public init(_ store: PackBlockStore, audience: BlockAudience) {
        self.store = store
        self.audience = audience
    }

    public func block(_ cid: CID) throws -> Block? { try isVisible(cid) ? try store.block(cid) : nil }

    public func blocks(_ cids: [CID]) throws -> [Block?] {
        let visible = try cids.filter(isVisible)
        var found = try store.blocks(visible).makeIterator()
        let set = Set(visible)
        return cids.map { set.contains($0) ? found.next() ?? nil : nil }
    }

    public func size(of cid: CID) throws -> Int? { try isVisible(cid) ? try store.size(of: cid) : nil }

    public func put(_ blocks: [BlockView], scope: ScopeMarks) throws -> PutSummary {
        let summary = try store.put(blocks, scope: scope.subtracting(.defaultProject))
        try audience.mark(blocks.filter { !$0.cid.isIdentity }.map(\.cid.multihash), in: store)
        return summary
    }

    public func commit() throws { try store.commit() }

    private func isVisible(_ cid: CID) throws -> Bool {
        try cid.isIdentity || audience.mayRead(cid.multihash, in: store)
    }
}
