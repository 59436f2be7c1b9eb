public import IPLD
public import Multiformats

/// Bytes by multihash. The one protocol behind which packs, memory and wrappers stand.
///
/// Thread-safe and synchronous: edges enter it through a bounded pool of threads.
/// Blocks are equal if their multihashes are: a block put under one codec is found under another.
/// Identity CIDs are answered inline and never stored.
public protocol BlockStore: BlockSource {
    /// The size of a block in bytes, without reading it; `nil` if absent.
    func size(of cid: CID) throws -> Int?

    /// Makes blocks readable. They survive a crash after the next ``commit()``.
    ///
    /// The caller vouches that the bytes hash to the CID (wrap with `VerifyingBlockStore` where nobody does).
    /// Blocks already held are not stored again, but count as just put for the collector's grace period.
    ///
    /// - Parameters:
    ///   - blocks: views that need to live only until the call returns.
    ///   - scope: who the blocks are marked for.
    /// - Returns: how many blocks and bytes were new.
    /// - Throws: `BlockStoreError.storageFull` before the reserve is touched; nothing of the batch counts
    ///   then.
    @discardableResult
    func put(_ blocks: [BlockView], scope: ScopeMarks) throws -> PutSummary

    /// Returns when everything put before the call survives power loss (see `Durability`).
    func commit() throws
}

/// A block that somebody else's memory holds, for the time of one call.
public struct BlockView {
    public let cid: CID
    public let bytes: UnsafeRawBufferPointer

    @inlinable
    public init(cid: CID, bytes: UnsafeRawBufferPointer) {
        self.cid = cid
        self.bytes = bytes
    }
}

/// What a put added to the store.
public struct PutSummary: Equatable, Sendable {
    public var newBlocks = 0
    public var newBytes: Int64 = 0
    /// Blocks that were held already (or carried by an identity CID).
    public var knownBlocks = 0
    public var knownBytes: Int64 = 0

    public init() {}
}

/// Which scopes a block is marked for when it is put; further marks are set by `PackBlockStore`.
public struct ScopeMarks: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Anybody may read the block by its CID.
    public static let `public` = ScopeMarks(rawValue: 1)
    /// The node's own default project.
    public static let defaultProject = ScopeMarks(rawValue: 2)
}

extension BlockStore {
    /// Puts one block: see ``put(_:scope:)``.
    @discardableResult
    public func put(_ block: Block, scope: ScopeMarks = .defaultProject) throws -> PutSummary {
        try block.bytes.withUnsafeBytes { try put([BlockView(cid: block.cid, bytes: $0)], scope: scope) }
    }

    /// Whether the store holds the block.
    public func has(_ cid: CID) throws -> Bool { try size(of: cid) != nil }
}
