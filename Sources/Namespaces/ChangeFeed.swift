public import Catalog
import Synchronization

/// Tells those who wait for changes of namespaces that there are some.
///
/// Says only that a namespace has a new head, and to those alone who listen for it: what changed is read from
/// the journal. Thread-safe. In memory; each process of several over one catalog tells of its own changes.
public final class ChangeFeed: Sendable {
    /// Ends listening when it is let go of.
    public final class Subscription: Sendable {
        private let cancel: @Sendable () -> Void
        init(cancel: @escaping @Sendable () -> Void) { self.cancel = cancel }
        deinit { cancel() }
    }

    private struct State {
        var last: UInt64 = 0
        var listeners: [NamespaceID: [UInt64: @Sendable (NamespaceID, JID) -> Void]] = [:]
    }

    private let state = Mutex(State())

    init() {}

    /// Calls `body` with the new head after each change of one of these namespaces, as long as the
    /// subscription lives. `body` is called on the thread that made the change, and must not take long.
    ///
    /// Listen first, then look at the heads: no change is missed then.
    public func listen(
        to namespaces: [NamespaceID], _ body: @escaping @Sendable (NamespaceID, JID) -> Void
    ) -> Subscription {
        let number = state.withLock { state in
            state.last += 1
            for namespace in namespaces { state.listeners[namespace, default: [:]][state.last] = body }
            return state.last
        }
        return Subscription { [weak self] in
            self?.state.withLock { state in
                for namespace in namespaces {
                    state.listeners[namespace]?[number] = nil
                    if state.listeners[namespace]?.isEmpty == true { state.listeners[namespace] = nil }
                }
            }
        }
    }

    func notify(_ namespace: NamespaceID, head: JID) {
        let listeners = state.withLock { Array(($0.listeners[namespace] ?? [:]).values) }
        for listener in listeners { listener(namespace, head) }
    }
}
