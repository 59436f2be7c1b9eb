import IPLD
import Multiformats
import Synchronization

/// Blocks that were built from an input, by their multihashes.
final class BuiltBlocks: BlockSource {
    private let held = Mutex<[Multihash: [UInt8]]>([:])

    func insert(_ block: Block) {
        require(block.bytes.count <= Block.hardMaximumBytes, "no block is built larger than the limit")
        held.withLock { $0[block.cid.multihash] = block.bytes }
    }

    func block(_ cid: CID) -> Block? {
        held.withLock { $0[cid.multihash] }.map { Block(cid: cid, bytes: $0) }
    }
}
