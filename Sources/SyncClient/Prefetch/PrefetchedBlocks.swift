public import Multiformats
public import SyncProtocol
public import TreeValues

/// Leaves that are at hand: in files of the folder, and in what was read ahead.
public struct PrefetchedBlocks: LocalBlockSource {
    private let folder: any LocalBlockSource
    private let cache: PrefetchCache

    public init(_ folder: any LocalBlockSource, cache: PrefetchCache) {
        self.folder = folder
        self.cache = cache
    }

    public func find(_ cid: CID) -> LocalBlock? { folder.find(cid) }

    public func contents(of leaves: [Leaf]) -> [CID: [UInt8]] { cache.contents(of: leaves) }

    public func note(_ leaves: [Leaf], in node: NodeID) {
        folder.note(leaves, in: node)
        cache.finish(leaves)
    }
}
