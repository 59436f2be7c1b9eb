public import Catalog
public import TreeValues

extension NamespaceStore {
    /// Versions that are further apart are compared by content alone: all entries between them are read.
    private static let maximumEntries: JID = 100_000

    /// What was in one place in a version and is in another one in another version, by the ids of nodes; what
    /// is below a directory that was moved is not named. At most ``TreeComparison/maximumMoves``.
    ///
    /// Either version may be the older one. Cost: the entries between them, and for each move two ways up to
    /// the root.
    public func moves(
        from old: JID, to new: JID, in namespace: Namespace
    ) throws -> [TreeDifference.Move] {
        let (first, last) = (min(old, new), max(old, new))
        guard last - first <= Self.maximumEntries else { return [] }
        return try read { connection in
            let (before, after) = (
                TreeView(namespace, connection, asOf: old), TreeView(namespace, connection, asOf: new)
            )
            let nodes = try before.tables.movedNodes(
                after: first, upTo: last, limit: TreeComparison.maximumMoves)
            return try nodes.compactMap { id in
                guard let old = try before.node(id), let new = try after.node(id),
                    old.parent != new.parent || old.name != new.name, old.kind == new.kind,
                    let from = try before.path(of: id), let to = try after.path(of: id)
                else { return nil }
                return TreeDifference.Move(from: from, to: to)
            }
        }
    }
}
