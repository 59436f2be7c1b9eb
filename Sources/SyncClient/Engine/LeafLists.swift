import Digests
import IPLD
import Multiformats
import SyncProtocol
import UnixFS

/// Lists of leaves: differences between them, and the root that stands above one.
enum LeafLists {
    /// The most leaves of a file: 16 TiB in leaves of 1 KiB would be more, and nobody has that.
    static let maximumLeaves = 1 << 26

    /// What has to be changed in one list to make it another: what is between a common beginning and a
    /// common end, at once.
    static func edit(from base: [Leaf], root: CID, to leaves: [Leaf]) -> LeafEdit {
        var start = 0
        let shorter = min(base.count, leaves.count)
        while start < shorter, base[start] == leaves[start] { start += 1 }
        var end = 0
        while end < shorter - start, base[base.count - 1 - end] == leaves[leaves.count - 1 - end] { end += 1 }
        return LeafEdit(
            base: root,
            splices: [
                LeafEdit.Splice(
                    start: start, remove: base.count - start - end,
                    insert: Array(leaves[start..<leaves.count - end]))
            ])
    }

    /// The list that an edit makes; `nil` if it does not fit the base.
    static func apply(_ edit: LeafEdit, to base: [Leaf]) -> [Leaf]? {
        var result: [Leaf] = []
        var position = 0
        for splice in edit.splices {
            guard splice.start >= position, splice.start <= base.count, splice.remove >= 0,
                splice.remove <= base.count - splice.start,
                splice.insert.count <= maximumLeaves - result.count
            else { return nil }
            result += base[position..<splice.start]
            result += splice.insert
            position = splice.start + splice.remove
        }
        result += base[position...]
        guard result.count <= maximumLeaves else { return nil }
        for leaf in result where leaf.bytes < 0 || leaf.bytes > Block.hardMaximumBytes { return nil }
        return result
    }

    /// The root of a file with these leaves.
    static func root(of leaves: [Leaf]) throws -> CID {
        var builder = FileLayoutBuilder(parameters: .unixfsV1_2025)
        for leaf in leaves {
            let bytes = UInt64(clamping: leaf.bytes)
            try builder.add(FileLeaf(cid: leaf.cid, contentBytes: bytes, dagBytes: bytes)) { _ in }
        }
        return try builder.finish { _ in }.cid
    }
}
