public import BlockStorage
public import Catalog
public import IPLD
public import Multiformats

/// The blocks of a namespace: those of its project, or of a part of it; where it is public, marked for
/// everybody as files come to name them.
public struct NamespaceBlocks: BlockStore {
    private let store: PackBlockStore
    private let audience: BlockAudience
    private let isDefaultProject: Bool
    private let isPublic: Bool
    private let namespace: Namespace
    private let node: StorageNode
    private let reach: NamespaceReach?

    /// - Parameter part: `nil` for whoever may read all that the project has; else nothing but this part of
    ///   the namespace is there, and what is brought in through it.
    /// - Throws: what the catalog throws.
    public init(
        _ node: StorageNode, of namespace: Namespace, within part: NamespaceReach.Part? = nil
    ) throws {
        self.namespace = namespace
        self.node = node
        reach = part.map { node.reaches.reach($0, of: namespace.id, in: node) }
        store = node.store
        isDefaultProject = namespace.project == .default
        isPublic = namespace.visibility == .public
        audience = BlockAudience(
            scope: isDefaultProject ? nil : try node.catalog.projects.scope(of: namespace.project))
    }

    /// Whether the project may read it, and it is of the part: nobody learns what others hold.
    public func isReadable(_ cid: CID) throws -> Bool {
        if cid.isIdentity { return true }
        guard try audience.mayRead(cid.multihash, in: store) else { return false }
        return try reach?.contains(cid, of: namespace, in: node) ?? true
    }

    public func block(_ cid: CID) throws -> Block? { try isReadable(cid) ? try store.block(cid) : nil }

    public func blocks(_ cids: [CID]) throws -> [Block?] {
        // Place and marks of a block stand together in the index: one look-up for both.
        if reach == nil { return try audience.source(in: store).blocks(cids) }
        let readable = try cids.map(isReadable)
        var found = try store.blocks(zip(cids, readable).filter(\.1).map(\.0)).makeIterator()
        return readable.map { $0 ? found.next() ?? nil : nil }
    }

    public func size(of cid: CID) throws -> Int? { try isReadable(cid) ? try store.size(of: cid) : nil }

    @discardableResult
    public func put(_ blocks: [BlockView], scope: ScopeMarks) throws -> PutSummary {
        try put(blocks, marked: isPublic ? .public : [])
    }

    /// Puts blocks that no file names yet, for the project alone.
    public func hold(_ blocks: [BlockView]) throws -> PutSummary { try put(blocks, marked: []) }

    private func put(_ blocks: [BlockView], marked: ScopeMarks) throws -> PutSummary {
        var marks = marked
        if isDefaultProject { marks.insert(.defaultProject) }
        let summary = try store.put(blocks, scope: marks)
        if !isDefaultProject {
            try audience.mark(blocks.filter { !$0.cid.isIdentity }.map(\.cid.multihash), in: store)
        }
        try reach?.bring(blocks.map(\.cid))
        return summary
    }

    public func commit() throws { try store.commit() }

    /// Takes blocks that are held into the namespace: they count as just put.
    ///
    /// - Returns: those that are not held, or not to be seen.
    public func adopt(_ cids: [CID]) throws -> [CID] {
        var missing: [CID] = []
        var held: [Multihash] = []
        for cid in cids where !cid.isIdentity {
            guard try isReadable(cid), try store.protect(cid.multihash) else {
                missing.append(cid)
                continue
            }
            held.append(cid.multihash)
        }
        if isPublic { try store.changeScopeMarks(of: held, adding: .public) }
        // What was read since it is public counts as the project's own from here on.
        try audience.mark(held, in: store)
        return missing
    }
}
