import Catalog
import Synchronization
import TreeValues

/// Holds back a device that is about to remove a large part of a namespace: a disk that is not mounted
/// looks like a folder from which everything was removed.
///
/// Thread-safe. In memory: after a restart a device has removed nothing yet, and tokens are void.
public final class MassDeleteGuard: Sendable {
    /// How long removals are added up.
    public static let windowMilliseconds: Int64 = 10 * 60 * 1000
    /// How long a token is good.
    public static let tokenMilliseconds: Int64 = 60 * 60 * 1000
    /// So many nodes may always go.
    public static let freeNodes: Int64 = 100

    private struct Source: Hashable {
        let namespace: NamespaceID
        let device: String
    }

    private struct State {
        var removals: [Source: [(time: Int64, nodes: Int64)]] = [:]
        /// How many sources there may be before those are looked for whose removals are over.
        var sweepAt = 1024
        var tokens: [String: (source: Source, expires: Int64)] = [:]
    }

    /// So many devices are remembered: what they call themselves is theirs to invent.
    static let maximumSources = 10_000

    private let state = Mutex(State())

    public init() {}

    /// How many devices are remembered.
    var count: Int { state.withLock { $0.removals.count } }

    /// How many nodes a device may remove of a namespace that had so many live ones.
    ///
    /// A quarter, of small namespaces (fewer than 400) half, and a hundred in any case.
    public static func limit(of nodes: Int64) -> Int64 { max(freeNodes, nodes < 400 ? nodes / 2 : nodes / 4) }

    /// How many nodes a device removed lately.
    func removed(by device: String, from namespace: NamespaceID, at time: Int64) -> Int64 {
        state.withLock { state in
            let source = Source(namespace: namespace, device: device)
            let recent = (state.removals[source] ?? []).filter { $0.time > time - Self.windowMilliseconds }
            state.removals[source] = recent.isEmpty ? nil : recent
            return recent.reduce(0) { $0 + $1.nodes }
        }
    }

    /// Counts nodes that a device removed.
    func note(_ nodes: Int64, by device: String, from namespace: NamespaceID, at time: Int64) {
        guard nodes > 0 else { return }
        state.withLock { state in
            state.removals[Source(namespace: namespace, device: device), default: []].append((time, nodes))
            if state.removals.count >= state.sweepAt { Self.sweep(&state, at: time) }
        }
    }

    /// Forgets what is over, and, if too many removed something lately, those that removed least: a device
    /// that makes up a name for each removal does not free another from its own.
    private static func sweep(_ state: inout State, at time: Int64) {
        state.removals = state.removals.compactMapValues { removals in
            let recent = removals.filter { $0.time > time - windowMilliseconds }
            return recent.isEmpty ? nil : recent
        }
        if state.removals.count >= maximumSources {
            let most = state.removals.sorted { one, other in
                one.value.reduce(0) { $0 + $1.nodes } > other.value.reduce(0) { $0 + $1.nodes }
            }
            state.removals = Dictionary(
                most.prefix(maximumSources / 2).map { ($0.key, $0.value) },
                uniquingKeysWith: { one, _ in one })
        }
        state.sweepAt = min(max(1024, state.removals.count * 2), maximumSources)
    }

    /// A token with which a device may go on, to be shown to a person.
    func makeToken(for device: String, in namespace: NamespaceID, at time: Int64) -> String {
        let token = NodeID(bits: UInt128.random(in: 0 ... .max >> 2)).text
        state.withLock { state in
            state.tokens = state.tokens.filter { $0.value.expires > time }
            // One who asks again and again does not fill the memory.
            if state.tokens.count >= 10_000 { state.tokens.removeAll() }
            state.tokens[token] = (
                Source(namespace: namespace, device: device), time + Self.tokenMilliseconds
            )
        }
        return token
    }

    /// Whether a token was made for this device and is still good.
    func accepts(_ token: String, from device: String, in namespace: NamespaceID, at time: Int64) -> Bool {
        state.withLock { state in
            guard let known = state.tokens[token] else { return false }
            return known.expires > time && known.source == Source(namespace: namespace, device: device)
        }
    }
}
