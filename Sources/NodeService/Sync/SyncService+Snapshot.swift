import Access
import Catalog
import Namespaces
public import SyncProtocol
import TreeValues

extension SyncService {
    /// A page of everything that is live as of one JID, each directory before what is in it.
    ///
    /// The JID is that of the first page, whatever is committed until the last: the newest, or an earlier one
    /// that history keeps.
    ///
    /// - Throws: `resetRequired` where the journal became another one meanwhile; `badRequest` for a JID
    ///   that has not been; `NamespaceError.versionRemoved`.
    public func snapshot(_ request: SnapshotRequest, of text: String) throws -> SnapshotPage {
        let (namespace, own) = try visiblePart(of: text)
        var walk: SnapshotWalk
        if let page = request.page {
            guard let token = SnapshotWalk.Token(page) else {
                throw SyncFailure.badRequest("this is no page of a snapshot")
            }
            guard token.epoch == namespace.epoch, token.jid <= namespace.head else {
                throw SyncFailure.resetRequired
            }
            walk = SnapshotWalk(token)
        } else {
            let jid = request.jid ?? namespace.head
            guard jid <= namespace.head else {
                throw SyncFailure.badRequest("jid \(jid) has not been: the newest is \(namespace.head)")
            }
            walk = SnapshotWalk(
                SnapshotWalk.Token(
                    epoch: namespace.epoch, jid: jid,
                    stack: [.init(directory: request.directory ?? namespace.root, after: nil)]))
        }
        let nodes = try namespaces.walk(&walk, of: namespace, limit: SyncLimits.maximumEntries)
        let list = try entries(
            try nodes.filter { try own == nil || author(of: $0, namespace, asOf: walk.token.jid) == own }.map
            {
                RemoteEntry(node: SyncNode($0))
            }, request.wantsInline, namespace)
        hub.tally.count { $0.snapshotted += Int64(list.count) }
        return SnapshotPage(
            entries: list, cursor: try cursor(namespace, walk.token.jid),
            next: walk.token.stack.isEmpty ? nil : walk.token.text)
    }

    /// The user who left a node as it is as of a JID; `nil` where that is not known.
    private func author(of found: TreeNode, _ namespace: Namespace, asOf jid: JID) throws -> String? {
        let (end, isLast) = jid.addingReportingOverflow(1)
        return try namespaces.versions(of: found.id, in: namespace, before: isLast ? .max : end, limit: 1)
            .first?.author.user
    }
}
