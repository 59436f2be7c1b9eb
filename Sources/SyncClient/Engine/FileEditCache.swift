import Multiformats
import SyncProtocol

/// Changes of files that came within entries, until the files are written. Bounded: what does not fit is
/// asked for like any other.
struct FileEditCache {
    private var edits: [CID: FileEdit] = [:]
    private var blocks: [CID: [UInt8]] = [:]
    /// The changes of one answer, and of a few more that wait to be tried again.
    private static let maximumEdits = 128

    /// The bytes of a leaf, as they came: not checked against its CID.
    subscript(leaf: CID) -> [UInt8]? { blocks[leaf] }

    /// How the leaves of the file come of those of another that is here.
    func edit(of root: CID, base: CID?) -> LeafEdit? {
        guard let edit = edits[root]?.edit, edit.base == base else { return nil }
        return edit
    }

    mutating func insert(_ edit: FileEdit, for root: CID) {
        let leaves = edit.edit.splices.flatMap(\.insert)
        guard edits[root] == nil, edits.count < Self.maximumEdits, leaves.count == edit.blocks.count else {
            return
        }
        edits[root] = edit
        for (leaf, bytes) in zip(leaves, edit.blocks) { blocks[leaf.cid] = bytes }
    }

    mutating func remove(_ root: CID) {
        guard let edit = edits.removeValue(forKey: root) else { return }
        for leaf in edit.edit.splices.flatMap(\.insert) { blocks[leaf.cid] = nil }
    }
}
