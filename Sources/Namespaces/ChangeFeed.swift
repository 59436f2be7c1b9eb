public import Catalog
import Synchronization
public import TreeValues

/// Tells those who wait for changes of namespaces that there are some.
///
/// Says only that a namespace has a new head, and to those alone who listen for it: what changed is read
/// from the journal. Thread-safe. In memory; each process of several over one catalog tells of its own
/// changes.
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
        /// When those that changed since they were last asked for did so, first and last.
        var unsettled: [NamespaceID: (first: ContinuousClock.Instant, last: ContinuousClock.Instant)] = [:]
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
        let now = ContinuousClock.now
        let listeners = state.withLock { state in
            state.unsettled[namespace, default: (now, now)].last = now
            return Array((state.listeners[namespace] ?? [:]).values)
        }
        for listener in listeners { listener(namespace, head) }
    }

    /// Namespaces that changed, and did not for `quiet` milliseconds or have been changing for `atMost`.
    /// Each is told of once.
    package func settled(quiet: Int64, atMost: Int64) -> [NamespaceID] {
        let now = ContinuousClock.now
        return state.withLock { state in
            let settled = state.unsettled.filter { _, times in
                now - times.last >= .milliseconds(quiet) || now - times.first >= .milliseconds(atMost)
            }.map(\.key)
            for namespace in settled { state.unsettled[namespace] = nil }
            return settled.sorted()
        }
    }
}
