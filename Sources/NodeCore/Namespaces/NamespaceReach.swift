import BlockStorage
import Catalog
import IPLD
import Multiformats
import Namespaces
import Synchronization
import TreeValues

/// The blocks that one namespace reaches, with all of its kept history: what who may read it, and not the
/// whole project, may read by CID.
///
/// Blocks are marked for projects, not for namespaces, so this is found by walking from the namespace's
/// roots. Each look goes on from the JID where the last one ended, and so costs what was added since:
/// blocks above leaves are read, leaves are noted. Memory: two bits for each block of the store. What is
/// brought in and not named by any file yet counts too, for whoever has the same rights: a restart forgets
/// it, and the client is asked for it again.
///
/// Thread-safe and synchronous.
public final class NamespaceReach: Sendable {
    /// Whose part of the namespace.
    public enum Part: Hashable, Sendable {
        case everything
        /// What a user brought in, as the journal says.
        case user(String)
        /// Only what a key without a user brings in, and no file of it.
        case key(String)
    }

    private struct State {
        var reached: VisitedBlocks
        var brought: VisitedBlocks
        var roots = NamespaceRepository.RootMarks()
        var next: JID = 0
        /// The head as of the last look.
        var head: JID = -1
        var made: ContinuousClock.Instant
        /// How long the last look at everything took.
        var cost = Duration.zero
    }

    private let part: Part
    private let state: Mutex<State>

    /// Compaction moves blocks: one that is not found is looked for anew. Anybody of them may name one that is
    /// elsewhere in the project, so this takes a hundredth of the time at most, and is done once a minute.
    ///
    /// - Parameter cost: how long a look at everything takes.
    package static func renewal(after cost: Duration) -> Duration { max(.seconds(60), cost * 100) }

    init(_ store: PackBlockStore, _ part: Part) {
        self.part = part
        state = Mutex(
            State(reached: store.makeVisitedBlocks(), brought: store.makeVisitedBlocks(), made: .now))
    }

    /// Whether a block is one of them.
    func contains(_ cid: CID, of namespace: Namespace, in node: StorageNode) throws -> Bool {
        try state.withLock { state in
            if try Self.isIn(state, cid) { return true }
            try follow(&state, namespace, node)
            if try Self.isIn(state, cid) { return true }
            guard ContinuousClock.now - state.made >= Self.renewal(after: state.cost),
                try node.store.size(of: cid) != nil
            else { return false }
            state.reached = node.store.makeVisitedBlocks()
            (state.roots, state.next, state.head) = (NamespaceRepository.RootMarks(), 0, -1)
            try follow(&state, namespace, node)
            return try Self.isIn(state, cid)
        }
    }

    /// Notes what was just brought in: who sends the bytes may have them.
    func bring(_ cids: [CID]) throws {
        try state.withLock { state in for cid in cids { _ = try state.brought.visit(cid) } }
    }

    private static func isIn(_ state: State, _ cid: CID) throws -> Bool {
        try state.reached.contains(cid.multihash) || state.brought.contains(cid.multihash)
    }

    private func follow(_ state: inout State, _ namespace: Namespace, _ node: StorageNode) throws {
        guard namespace.head > state.head else { return }
        let reached = state.reached
        let (start, isWhole) = (ContinuousClock.now, state.head < 0)
        switch part {
        case .key: return
        case .everything:
            try node.catalog.namespaces.forEachRoot(of: namespace, since: &state.roots) { root in
                try node.visit(root.cid, reached, Cancellation()) { _ in }
            }
        case .user(let user):
            while true {
                let page = try node.namespaces.changes(of: namespace, after: state.next)
                for entry in page.entries where entry.author.user == user {
                    guard let root = entry.node.content else { continue }
                    try node.visit(root, reached, Cancellation()) { _ in }
                }
                state.next = page.cursor
                guard page.hasMore else { break }
            }
        }
        state.head = namespace.head
        guard isWhole else { return }
        state.made = .now
        state.cost = state.made - start
    }
}

/// The reaches that were looked at last.
final class NamespaceReaches: Sendable {
    private struct Key: Hashable {
        let namespace: NamespaceID
        let part: NamespaceReach.Part
    }

    private struct State {
        var reaches: [Key: (reach: NamespaceReach, used: UInt64)] = [:]
        var clock: UInt64 = 0
    }

    /// More are made anew when they are needed.
    private static let capacity = 16
    private let state = Mutex(State())

    func reach(_ part: NamespaceReach.Part, of namespace: NamespaceID, in node: StorageNode)
        -> NamespaceReach
    {
        let store = node.store
        return state.withLock { state in
            let key = Key(namespace: namespace, part: part)
            state.clock += 1
            let reach = state.reaches[key]?.reach ?? NamespaceReach(store, part)
            if state.reaches[key] == nil, state.reaches.count >= Self.capacity,
                let oldest = state.reaches.min(by: { $0.value.used < $1.value.used })?.key
            {
                state.reaches[oldest] = nil
            }
            state.reaches[key] = (reach, state.clock)
            return reach
        }
    }
}
