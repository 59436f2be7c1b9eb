public import BlockStorage
public import IPLD
public import Multiformats

/// A store that keeps nothing: for computing CIDs only.
public struct DiscardingBlockStore: BlockStore {
    public init() {}

    public func block(_ cid: CID) throws -> Block? { nil }
    public func size(of cid: CID) throws -> Int? { nil }

    @discardableResult
    public func put(_ blocks: [BlockView], scope: ScopeMarks) throws -> PutSummary {
        var summary = PutSummary()
        summary.newBlocks = blocks.count
        summary.newBytes = blocks.reduce(0) { $0 + Int64($1.bytes.count) }
        return summary
    }

    public func commit() throws {}
}
