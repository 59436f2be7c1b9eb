import Access
import Catalog
public import Namespaces
public import SyncProtocol
import TreeValues

extension SyncService {
    /// Which of the namespaces are not where the client is: beyond, or of another journal.
    public func changed(_ request: WaitRequest) throws -> WaitAnswer {
        var news: [WaitAnswer.Inflight] = []
        let changed = try request.positions.filter { position in
            let (namespace, own) = try visiblePart(of: position.namespace)
            if let told = position.inflightMark,
                let mark = inflightMark(of: namespace.id, beyond: told, own: own)
            {
                news.append(WaitAnswer.Inflight(namespace: position.namespace, mark: mark))
            }
            // Who waits after a JID has everything before it.
            if namespace.epoch == position.epoch, (0...namespace.head).contains(position.jid) {
                try acknowledge(namespace, upTo: position.jid)
            }
            return namespace.epoch != position.epoch || namespace.head != position.jid
        }
        return WaitAnswer(changed: changed.map(\.namespace), inflight: news)
    }

    /// Calls `body` when one of the namespaces of a request changes, or, where the request asks for that,
    /// when more came of a file that is being sent; as long as what is returned lives.
    ///
    /// Listen first, then ask ``changed(_:)``: no change is missed then.
    public func listen(
        for request: WaitRequest, _ body: @escaping @Sendable () -> Void
    ) throws -> [Listening] {
        let ids = try request.positions.map { try visiblePart(of: $0.namespace).namespace.id }
        let followed = zip(ids, request.positions).filter { $0.1.inflightMark != nil }.map(\.0)
        return [namespaces.feed.listen(to: ids) { _ in body() }]
            + (followed.isEmpty ? [] : [hub.inflight.listen(to: followed) { _ in body() }])
    }
}
