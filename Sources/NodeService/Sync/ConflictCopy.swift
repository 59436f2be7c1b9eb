import Catalog
import SyncProtocol
import TreeValues

/// A file or a directory that a device has put beside another one, since only one of the two can have the
/// name.
struct ConflictCopy {
    let node: TreeNode
    let name: ConflictName

    /// - Parameter device: that has sent it. One that another device made, and that came with a folder, was
    ///   noted when that one sent it.
    init?(_ node: TreeNode, madeBy device: String) {
        // Nearly no name is one.
        guard node.name.utf8.contains(UInt8(ascii: ")")), let name = ConflictName(node.name),
            name.isMade(by: device)
        else { return nil }
        self.node = node
        self.name = name
    }
}
