import Access
import Catalog
public import Namespaces
public import SyncProtocol
import TreeValues

extension SyncService {
    /// Which of the namespaces are not where the client is: beyond, or of another journal.
    public func changed(_ request: WaitRequest) throws -> WaitAnswer {
        WaitAnswer(
            changed: try request.positions.filter { position in
                let namespace = try visiblePart(of: position.namespace).namespace
                // Who waits after a JID has everything before it.
                if namespace.epoch == position.epoch, (0...namespace.head).contains(position.jid) {
                    try acknowledge(namespace, upTo: position.jid)
                }
                return namespace.epoch != position.epoch || namespace.head != position.jid
            }.map(\.namespace))
    }

    /// Calls `body` when one of the namespaces of a request changes, as long as the subscription lives.
    ///
    /// Subscribe first, then ask ``changed(_:)``: no change is missed then.
    public func listen(
        for request: WaitRequest, _ body: @escaping @Sendable () -> Void
    ) throws -> ChangeFeed.Subscription {
        let ids = try request.positions.map { try visiblePart(of: $0.namespace).namespace.id }
        return namespaces.feed.listen(to: ids) { _, _ in body() }
    }
}
