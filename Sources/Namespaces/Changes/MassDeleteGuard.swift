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
        var tokens: [String: Token] = [:]
        /// Nodes of all tokens.
        var tokenNodes = 0
    }

    /// What a person is asked about.
    struct Removals {
        let namespace: NamespaceID
        /// Of the journal.
        let epoch: Int64
        let author: ChangeAuthor
        /// The nodes that operations name: files, and directories with all that is below them.
        let nodes: Set<NodeID>
        /// With what is below directories.
        let count: Int64
    }

    private struct Token {
        let removals: Removals
        /// Unix milliseconds.
        let expires: Int64
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

    /// So many nodes may be asked about at once, by all devices together: some 32 MiB.
    static let maximumTokenNodes = 1_000_000

    /// A token with which a device may go on, to be shown to a person: for these removals, and no others.
    func makeToken(for removals: Removals, at time: Int64) -> String {
        let token = NodeID(bits: UInt128.random(in: 0 ... .max >> 2)).text
        state.withLock { state in
            state.tokens = state.tokens.filter { $0.value.expires > time }
            state.tokenNodes = state.tokens.reduce(0) { $0 + $1.value.removals.nodes.count }
            // One who asks again and again does not fill the memory.
            if state.tokens.count >= 10_000 || state.tokenNodes >= Self.maximumTokenNodes {
                state.tokens.removeAll()
                state.tokenNodes = 0
            }
            state.tokens[token] = Token(removals: removals, expires: time + Self.tokenMilliseconds)
            state.tokenNodes += removals.nodes.count
        }
        return token
    }

    /// Whether a person who was shown a token has agreed to the removal of a node.
    ///
    /// - Parameters:
    ///   - count: how many nodes all removals of the commit would remove.
    ///   - removals: of the commit.
    func accepts(
        _ token: String, for node: NodeID, of count: Int64, _ removals: Removals, at time: Int64
    ) -> Bool {
        state.withLock { state in
            guard let known = state.tokens[token], known.expires > time else { return false }
            let asked = known.removals
            return asked.namespace == removals.namespace && asked.epoch == removals.epoch
                && asked.author.device == removals.author.device && asked.author.user == removals.author.user
                && asked.nodes.contains(node) && count <= asked.count
        }
    }
}
