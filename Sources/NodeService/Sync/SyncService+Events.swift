import Access
public import Catalog
import Foundation
public import Namespaces
import NodeCore
import SyncProtocol

/// Names a namespace among those that somebody listens to.
public typealias NamespaceKey = NamespaceID

/// Listening to changes of many namespaces.
extension SyncService {
    /// Where the journal of a namespace is.
    public struct Head: Hashable, Sendable {
        let namespace: NamespaceID
        let epoch: Int64
        let head: Int64

        /// As an event has it.
        public var json: String {
            "{\"epoch\":\"\(epoch)\",\"head\":\"\(head)\",\"ns\":\"\(namespace.text)\"}"
        }
    }

    /// The most namespaces that one client listens to.
    public static let maximumWatched = 1000

    /// The namespaces of these names or ids that may be read; all of them for none.
    ///
    /// - Throws: `unknown_namespace`, `bad_request` for too many.
    public func watchable(_ names: [String]) throws -> [NamespaceKey] {
        let found =
            try names.isEmpty
            ? readable().map(\.namespace.id) : names.map { try namespace($0, for: .read).id }
        guard found.count <= Self.maximumWatched else {
            throw SyncFailure.badRequest(
                "\(found.count) namespaces are too many to listen to; name \(Self.maximumWatched) at most by ?ns="
            )
        }
        return Array(Set(found)).sorted()
    }

    /// Where a namespace is; `nil` if it may not be read, or is gone.
    public func head(of key: NamespaceKey) throws -> Head? {
        do {
            let found = try namespace(key.text, for: .read)
            return Head(namespace: found.id, epoch: found.epoch, head: found.head)
        } catch SyncFailure.unknownNamespace, SyncFailure.forbidden {
            return nil
        }
    }

    /// Calls `body` when one of them changes, and, if that is wanted, when more came of a file that is being
    /// sent; as long as what is returned lives.
    public func listen(
        to keys: [NamespaceKey], wantsInflight: Bool,
        _ body: @escaping @Sendable (NamespaceKey) -> Void
    ) -> [Listening] {
        [namespaces.feed.listen(to: keys, body)]
            + (wantsInflight ? [hub.inflight.listen(to: keys, body)] : [])
    }

    /// Up to where changes were told of, as the id of an event.
    public var eventPosition: String { namespaces.feed.position }

    /// Which of them changed after an event; `nil` if that is not known any more.
    public func changes(since event: String, of keys: [NamespaceKey]) -> Set<NamespaceKey>? {
        namespaces.feed.changes(since: event, of: keys)
    }
}
