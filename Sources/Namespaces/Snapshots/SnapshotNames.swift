import Catalog
import TreeValues

/// What nodes are called in the UnixFS directory of a snapshot.
///
/// Files are called what they are called. Objects may have names that UnixFS has not, and a file and a
/// directory of one name; so in namespaces of objects `%` begins an escape, and each pair of name and kind
/// has a name of its own:
///
/// ```
/// %      %25        .   %2E      (empty) file        %00
///                   ..  %2E%2E   (empty) directory   %01
/// file beside a directory of its name                name%02
/// ```
struct SnapshotNames {
    let style: NamespacePolicy.NameStyle

    /// - Parameter hasTwin: whether there is a directory of the name of this file.
    func name(of node: TreeNode, hasTwin: @autoclosure () throws -> Bool) rethrows -> [UInt8] {
        guard style == .objects else { return Array(node.name.utf8) }
        let isDirectory = node.kind == .directory
        switch node.name {
        case "": return Array((isDirectory ? "%01" : "%00").utf8)
        case ".": return Array((isDirectory ? "%2E" : try hasTwin() ? "%2E%02" : "%2E").utf8)
        case "..": return Array((isDirectory ? "%2E%2E" : try hasTwin() ? "%2E%2E%02" : "%2E%2E").utf8)
        default: break
        }
        var bytes: [UInt8] = []
        for byte in node.name.utf8 {
            if byte == UInt8(ascii: "%") { bytes += Array("%25".utf8) } else { bytes.append(byte) }
        }
        if !isDirectory, try hasTwin() { bytes += Array("%02".utf8) }
        return bytes
    }
}
