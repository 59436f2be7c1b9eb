import BlockStorage
import Catalog
import Digests
import IPLD
import Multiformats

extension StorageNode {
    /// Does what the node is there for, on a small scale: puts a block, reads it, removes it, and writes to
    /// the catalog.
    ///
    /// - Throws: what went wrong; the node does not work then.
    public func checkReadiness() throws {
        // Nobody else can have these bytes, so that removing them takes nothing away.
        let bytes = (0..<4).flatMap { _ in withUnsafeBytes(of: UInt64.random(in: 0...UInt64.max), Array.init)
        }
        let block = Block(
            cid: CID(codec: .raw, multihash: try Multihash(hashing: bytes, with: .sha2_256)), bytes: bytes)
        try store.put(block)
        try store.commit()
        guard try store.block(block.cid) == block else { throw NodeError.blockNotFound(block.cid) }
        guard try store.remove(block.cid) else { throw NodeError.blockNotFound(block.cid) }
        try catalog.settings.set("node.readiness", to: block.cid.description)
    }
}
