public import IPLD
public import Multiformats
import Synchronization

/// Blocks in a dictionary: for tests and for what is small and passing.
public final class MemoryBlockStore: BlockStore {
    private let blocks = Mutex<[Multihash: [UInt8]]>([:])

    public init() {}

    public func block(_ cid: CID) throws -> Block? {
        if cid.isIdentity { return Block(cid: cid, bytes: cid.multihash.digest) }
        return blocks.withLock { $0[cid.multihash] }.map { Block(cid: cid, bytes: $0) }
    }

    public func size(of cid: CID) throws -> Int? {
        cid.isIdentity ? cid.multihash.digestByteCount : blocks.withLock { $0[cid.multihash]?.count }
    }

    @discardableResult
    public func put(_ views: [BlockView], scope: ScopeMarks) throws -> PutSummary {
        for view in views where view.bytes.count > Block.hardMaximumBytes {
            throw BlockStoreError.blockTooLarge(
                view.cid, bytes: view.bytes.count, maximum: Block.hardMaximumBytes)
        }
        return blocks.withLock { blocks in
            var summary = PutSummary()
            for view in views {
                if view.cid.isIdentity || blocks[view.cid.multihash] != nil {
                    summary.knownBlocks += 1
                    summary.knownBytes += Int64(view.bytes.count)
                } else {
                    blocks[view.cid.multihash] = [UInt8](view.bytes)
                    summary.newBlocks += 1
                    summary.newBytes += Int64(view.bytes.count)
                }
            }
            return summary
        }
    }

    public func commit() throws {}

    /// How many blocks there are.
    public var count: Int { blocks.withLock { $0.count } }
}
