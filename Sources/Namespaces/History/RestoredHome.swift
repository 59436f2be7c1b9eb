import Catalog
import TreeValues

/// A place for what comes back from an earlier state into a directory that is deleted.
///
/// The directories above it are made again, empty, with the names that they had then: what else was in them
/// stays in the trash. One that is there under such a name is taken as it is. Within a transaction.
struct RestoredHome {
    let namespace: Namespace
    let connection: any SQLConnection
    let jid: JID
    let author: ChangeAuthor
    /// Unix milliseconds.
    let time: Int64
    let makeNode: () -> NodeID

    /// - Parameter path: as asked for, for errors.
    /// - Returns: the namespace afterwards.
    /// - Throws: `placeTaken`, `quotaExceeded`, `historyRemoved`, `directoryDeleted` for a directory that
    ///   nobody knows any more.
    func bringBack(_ node: TreeNode, path: String) throws -> Namespace {
        var commit = try TreeCommit(
            namespace, connection, author: author, time: time, makeNode: makeNode)
        var parent = namespace.root
        for directory in try directories(above: node, path: path) {
            let place = TreeChange.Place(parent: parent, name: directory.name)
            let attributes = TreeChange.Attributes(modified: directory.modified, mode: directory.mode)
            let outcome = try commit.apply(
                TreeOperation(.makeDirectory(at: place, node: nil, attributes)))
            parent = try outcome.restored(path, asOf: jid).id
        }
        let place = TreeChange.Place(parent: parent, name: node.name)
        _ = try commit.apply(TreeOperation(.restore(node.id, to: place))).restored(path, asOf: jid)
        return try commit.save()
    }

    /// As of the state that it comes back from; the one below the root first.
    private func directories(above node: TreeNode, path: String) throws -> [TreeNode] {
        let view = TreeView(namespace, connection, asOf: jid)
        var found: [TreeNode] = []
        let root = try view.climb(from: node.parent) { directory in
            guard found.count < NameRules.maximumDepth, directory.kind == .directory else { return false }
            found.append(directory)
            return true
        }
        guard root != nil else { throw NamespaceError.directoryDeleted(path) }
        return found.reversed()
    }
}

extension ChangeOutcome {
    /// The node that a restore changed.
    ///
    /// - Parameter path: as asked for, for errors.
    /// - Throws: `placeTaken`, `quotaExceeded`, `historyRemoved`.
    func restored(_ path: String, asOf jid: JID) throws -> TreeNode {
        switch self {
        case .done(let node, _): return node
        case .refused(.quotaExceeded(let quota, let limit, let wanted)):
            throw NamespaceError.quotaExceeded(quota, limit: limit, wanted: wanted)
        case .refused(.contentRemoved(let id)): throw NamespaceError.historyRemoved(id, jid)
        case .conflict, .refused: throw NamespaceError.placeTaken(path)
        }
    }
}
