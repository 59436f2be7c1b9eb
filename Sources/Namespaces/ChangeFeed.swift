public import Catalog
import Synchronization

/// Tells those who wait for changes of namespaces that there are some.
///
/// Says only that a namespace has a new head, and to those alone who listen for it: what changed is read
/// from the journal. Thread-safe. In memory; each process of several over one catalog tells of its own
/// changes.
public final class ChangeFeed: Sendable {
    private struct State {
        /// How many changes there were, and at which of them each namespace changed last.
        var sequence: UInt64 = 0
        var lastChanges: [NamespaceID: UInt64] = [:]
        /// When those that changed since they were last asked for did so, first and last.
        var unsettled: [NamespaceID: (first: ContinuousClock.Instant, last: ContinuousClock.Instant)] = [:]
        /// Those whose snapshot could not be made.
        var failed: [NamespaceID: Failed] = [:]

        /// When what waits for a snapshot was changed first.
        func waits(_ namespace: NamespaceID) -> ContinuousClock.Instant? {
            [unsettled[namespace]?.first, failed[namespace]?.first].compactMap(\.self).min()
        }
    }

    /// A namespace whose snapshot is to be tried again.
    private struct Failed {
        /// When the changes came that it is to have.
        let first: ContinuousClock.Instant
        /// How long it waits; doubles with each failure.
        let pause: Duration
        let due: ContinuousClock.Instant
    }

    /// How long a snapshot that could not be made waits for the next attempt, at first and at most.
    private static let pauses: (first: Duration, last: Duration) = (.seconds(5), .seconds(300))

    private let state = Mutex(State())
    private let listeners = NamespaceListeners()
    /// Of this process alone: positions of another one say nothing here.
    private let instance = String(UInt64.random(in: 0 ... .max), radix: 36)

    init() {}

    /// Calls `body` after each change of one of these namespaces, as long as the listening lives. `body` is
    /// called on the thread that made the change, and must not take long.
    ///
    /// Listen first, then look at the heads: no change is missed then.
    public func listen(
        to namespaces: [NamespaceID], _ body: @escaping @Sendable (NamespaceID) -> Void
    ) -> Listening {
        listeners.listen(to: namespaces, body)
    }

    /// Notes that a namespace has a new head, or another epoch, and tells who listens.
    func notify(_ namespace: NamespaceID) {
        let now = ContinuousClock.now
        state.withLock { state in
            state.unsettled[namespace, default: (now, now)].last = now
            state.sequence += 1
            state.lastChanges[namespace] = state.sequence
        }
        listeners.tell(namespace)
    }

    /// Names the changes that were told of so far, for ``changes(since:of:)``.
    public var position: String { instance + "-" + String(state.withLock { $0.sequence }) }

    /// Which of these namespaces changed after a position; `nil` if it is none of this process.
    public func changes(since position: String, of namespaces: [NamespaceID]) -> Set<NamespaceID>? {
        let parts = position.split(separator: "-")
        guard parts.count == 2, parts[0] == instance, let number = UInt64(parts[1]) else { return nil }
        return state.withLock { state in
            guard number <= state.sequence else { return nil }
            return Set(namespaces.filter { state.lastChanges[$0] ?? 0 > number })
        }
    }

    /// For how many milliseconds a namespace has changed without a snapshot being made of it; `nil` if
    /// nothing waits.
    public func unsettledMilliseconds(of namespace: NamespaceID) -> Int64? {
        let now = ContinuousClock.now
        return state.withLock { state in
            state.waits(namespace).map { Int64((now - $0) / .milliseconds(1)) }
        }
    }

    /// Whether a namespace changes now: a snapshot of it is not to be made yet.
    package func isChanging(_ namespace: NamespaceID) -> Bool {
        state.withLock { $0.unsettled[namespace] != nil }
    }

    /// The same of the namespace whose changes have waited longest; 0 if nothing waits.
    public var longestUnsettledMilliseconds: Int64 {
        let now = ContinuousClock.now
        return state.withLock { state in
            let waiting = state.unsettled.values.map(\.first) + state.failed.values.map(\.first)
            return waiting.min().map { Int64((now - $0) / .milliseconds(1)) } ?? 0
        }
    }

    /// A namespace that is due for a snapshot, and since when.
    package struct Settled: Hashable, Sendable {
        package let namespace: NamespaceID
        fileprivate let first: ContinuousClock.Instant
        fileprivate let pause: Duration?
    }

    /// Namespaces that changed, and did not for `quiet` milliseconds or have been changing for `atMost`; and
    /// those whose snapshot failed some time ago. Each is told of once, unless ``retry(_:)`` puts it back.
    package func settled(
        quiet: Int64, atMost: Int64, at now: ContinuousClock.Instant = .now
    ) -> [Settled] {
        return state.withLock { state in
            let settled = state.unsettled.filter { _, times in
                now - times.last >= .milliseconds(quiet) || now - times.first >= .milliseconds(atMost)
            }.map(\.key)
            let due = state.failed.filter { $0.value.due <= now && state.unsettled[$0.key] == nil }.map(\.key)
            return (settled + due).sorted().map { namespace in
                let pause = state.failed[namespace]?.pause
                let first = state.waits(namespace) ?? now
                (state.unsettled[namespace], state.failed[namespace]) = (nil, nil)
                return Settled(namespace: namespace, first: first, pause: pause)
            }
        }
    }

    /// Puts back one of which no snapshot could be made: it is tried again after a while, and sooner if it
    /// changes.
    package func retry(_ settled: Settled) {
        let pause = min(settled.pause.map { $0 * 2 } ?? Self.pauses.first, Self.pauses.last)
        let failed = Failed(first: settled.first, pause: pause, due: .now + pause)
        state.withLock { $0.failed[settled.namespace] = failed }
    }
}
