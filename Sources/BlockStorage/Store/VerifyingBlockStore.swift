import Digests
public import IPLD
public import Multiformats

/// Checks every block against its CID on the way into and out of another store: for stores that do not, and
/// for callers that did not.
public struct VerifyingBlockStore<Base: BlockStore>: BlockStore {
    private let base: Base

    public init(base: Base) { self.base = base }

    public func block(_ cid: CID) throws -> Block? {
        guard let block = try base.block(cid) else { return nil }
        guard block.bytes.withUnsafeBytes({ cid.multihash.matches($0) }) else {
            throw BlockStoreError.digestMismatch(cid)
        }
        return block
    }

    public func size(of cid: CID) throws -> Int? { try base.size(of: cid) }

    @discardableResult
    public func put(_ blocks: [BlockView], scope: ScopeMarks) throws -> PutSummary {
        for block in blocks where !block.cid.multihash.matches(block.bytes) {
            throw BlockStoreError.digestMismatch(block.cid)
        }
        return try base.put(blocks, scope: scope)
    }

    public func commit() throws { try base.commit() }
}
