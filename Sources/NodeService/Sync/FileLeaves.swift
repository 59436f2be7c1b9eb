import BlockStorage
import IPLD
import Multiformats
import NodeCore
import SyncProtocol
import UnixFS

/// The list of a file's leaves.
enum FileLeaves {
    /// The list of a file that another is told as a difference to; `nil` if the root is not held, or is of
    /// nothing that has such a list: then there is nothing to differ from.
    static func base(
        _ root: CID, in blocks: NamespaceBlocks, maximum: Int = maximumLeaves
    ) throws -> [Leaf]? {
        do {
            return try list(root, in: blocks, maximum: maximum)
        } catch SyncFailure.unsupportedFile {
            return nil
        } catch is UnixFSFileError {
            return nil
        }
    }

    /// More are not listed: 256 GiB in leaves of 512 KiB.
    static let maximumLeaves = 1 << 19

    /// Reads it off the blocks above the leaves; `nil` if the root is not held.
    ///
    /// Memory: some 60 bytes a leaf.
    ///
    /// - Throws: `unsupportedFile` if some are not raw blocks or larger than any leaf, or they are too many;
    ///   `UnixFSFileError`.
    static func list(
        _ root: CID, in blocks: NamespaceBlocks, maximum: Int = maximumLeaves
    ) throws -> [Leaf]? {
        if root.codec == .raw {
            guard let size = try blocks.size(of: root) else { return nil }
            return [Leaf(cid: root, bytes: size)]
        }
        guard let block = try blocks.block(root) else { return nil }
        let reader = try UnixFSFileReader(source: blocks, root: block)
        var cursor = try reader.cursor()
        var leaves: [Leaf] = []
        while let part = try cursor.nextPart() {
            switch part {
            case .leaf(let leaf):
                // A few blocks that name each other over and over claim any number of leaves, of any size.
                guard leaves.count < maximum, leaf.size <= SyncLimits.maximumLeafBytes,
                    leaf.cid.mayNameLeaf
                else {
                    throw SyncFailure.unsupportedFile(root.description)
                }
                leaves.append(Leaf(cid: leaf.cid, bytes: Int(leaf.size)))
            // An empty file has no content to give.
            case .content(let bytes) where bytes.isEmpty: continue
            case .content: throw SyncFailure.unsupportedFile(root.description)
            }
        }
        return leaves
    }
}
