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

/// Why a node is not ready, and what can be done about it.
public struct HealthFailure: Error, Sendable, CustomStringConvertible {
    public let description: String
    /// Whether opening the data directory anew may mend it: a store that had a failed write refuses others
    /// until then. Space that is full and servers that are away stay so.
    public let isMendedByRestart: Bool

    public init(_ error: any Error) {
        description = String(describing: error)
        isMendedByRestart =
            switch error {
            case BlockStoreError.storageFull, CatalogError.storageFull, CatalogError.busy,
                CatalogError.readOnly, CatalogError.connectionLost, CatalogError.outcomeUnknown,
                CatalogError.server, CatalogError.cannotOpen:
                false
            default: true
            }
    }
}
