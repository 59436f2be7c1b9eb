import Digests
import IPLD
import Multiformats
import SyncProtocol
import Synchronization
import TreeValues

@testable import SyncClient

/// A namespace as the node keeps it, in memory: the same checks, the same answers.
final class ModelServer: Sendable {
    struct Row {
        var node: SyncNode
        var isDeleted = false
    }

    struct Namespace {
        var epoch: Int64 = 1
        var head: JID = 0
        var rows: [NodeID: Row] = [:]
        /// The node after each entry.
        var journal: [RemoteEntry] = []
        var results: [OperationID: CommitResult] = [:]
        var blocks: [CID: [UInt8]] = [:]
        var leaves: [CID: [Leaf]] = [:]
        /// Every content that a live node ever had.
        var history: Set<CID> = []
        /// Entries up to this one are not kept.
        var forgotten: JID = 0
        var children: [NodeID: Set<NodeID>] = [:]
        /// The most bytes of live files.
        var quota: Int64?
    }

    /// How many earlier states an answer may be of.
    private static let recentStates = 4
    /// The namespace as it was before the last changes, the newest last.
    private let recent = Mutex<[Namespace]>([])

    let root: NodeID
    let ignoresCase: Bool
    let mergesText: Bool
    private let namespace = Mutex(Namespace())

    init(root: NodeID, ignoresCase: Bool, mergesText: Bool = false) {
        self.root = root
        self.ignoresCase = ignoresCase
        self.mergesText = mergesText
    }

    // MARK: For the simulation

    func backup() -> Namespace { namespace.withLock { $0 } }

    /// Goes back to a backup, as a person does after a disk was lost: with another epoch.
    func restore(_ backup: Namespace, epoch: Int64) {
        namespace.withLock {
            $0 = backup
            $0.epoch = epoch
            // Operations are known by the journal.
        }
        removals.withLock { $0?.forget() }
    }

    /// Changes a stored block behind its name.
    func damage(_ cid: CID) { namespace.withLock { $0.blocks[cid] = [1, 2, 3] } }

    /// Says how many bytes live files may have.
    func set(quota: Int64?) { namespace.withLock { $0.quota = quota } }

    var epoch: Int64 { namespace.withLock { $0.epoch } }

    /// A person brings back something that was deleted, where its place is free.
    func undelete(_ random: SimulationRandom, among ids: Set<NodeID>? = nil) {
        namespace.withLock { namespace in
            let deleted = namespace.rows.values.filter { row in
                guard let ids else { return row.isDeleted }
                let parent = row.node.parent
                return row.isDeleted && ids.contains(row.node.id)
                    && (parent == root || Self.isLive(parent, namespace, root))
            }
            guard let row = deleted.sorted(by: { $0.node.id < $1.node.id }).randomElement(using: random)
            else { return }
            var change = ModelCommit(
                namespace: namespace, root: root, ignoresCase: ignoresCase, device: "person")
            _ = change.apply(.restore(row.node.id, parent: row.node.parent, name: row.node.name))
            namespace = change.namespace
        }
    }

    /// A person gives one of the nodes another time.
    func touch(_ random: SimulationRandom, among ids: [NodeID]) {
        namespace.withLock { namespace in
            guard let id = ids.randomElement(using: random) else { return }
            var change = ModelCommit(
                namespace: namespace, root: root, ignoresCase: ignoresCase, device: "person")
            let time = Int64(random.number(1...1000)) * 1_000_000_000
            _ = change.apply(.setAttributes(id, modified: time, mode: nil))
            namespace = change.namespace
        }
    }

    var history: Set<CID> { namespace.withLock { $0.history } }
    var head: JID { namespace.withLock { $0.head } }
    var journal: [RemoteEntry] { namespace.withLock { $0.journal } }

    /// Live nodes by path.
    func tree() -> [String: SyncNode] {
        namespace.withLock { namespace in
            var found: [String: SyncNode] = [:]
            var stack = [(root, "")]
            while let (directory, path) = stack.popLast() {
                for id in namespace.children[directory] ?? [] {
                    guard let row = namespace.rows[id], !row.isDeleted else { continue }
                    let below = path + (path.isEmpty ? "" : "/") + row.node.name
                    found[below] = row.node
                    if row.node.kind == .directory { stack.append((id, below)) }
                }
            }
            return found
        }
    }

    // MARK: Large removals

    private let removals = Mutex<ModelRemovalGuard?>(nil)

    /// Asks a device before it removes more than so many nodes, and more than half of all.
    ///
    /// - Parameter now: milliseconds of a clock that does not jump.
    func guardRemovals(beyond free: Int, now: @escaping @Sendable () -> Int64) {
        removals.withLock { $0 = ModelRemovalGuard(free: free, now: now) }
    }

    // MARK: Late commits

    /// A commit that is still on its way, and how many others come before it.
    private struct LateCommit {
        let operations: [SyncOperation]
        let cursor: SyncCursor?
        let device: String
        var calls: Int
    }

    private let late = Mutex<[LateCommit]>([])

    func delay(_ operations: [SyncOperation], after cursor: SyncCursor?, device: String, calls: Int) {
        late.withLock {
            $0.append(LateCommit(operations: operations, cursor: cursor, device: device, calls: calls))
        }
    }

    /// One commit more: those that are due come before it. Nobody hears their answers.
    func passTime() { deliver { $0 -= 1 } }

    /// Everything that is on its way arrives.
    func deliverEverything() { deliver { $0 = 0 } }

    private func deliver(_ change: (inout Int) -> Void) {
        let due = late.withLock { late in
            for index in late.indices { change(&late[index].calls) }
            defer { late.removeAll { $0.calls <= 0 } }
            return late.filter { $0.calls <= 0 }
        }
        for one in due { _ = try? commit(one.operations, after: one.cursor, device: one.device) }
    }

    // MARK: Calls

    /// - Parameter isLate: that the answer is of a moment shortly ago, as that of a copy of the server is.
    func list(
        after cursor: SyncCursor?, limit: Int, isLate: Bool = false
    ) throws(SyncServerError) -> ListAnswer {
        if isLate, let cursor {
            // One who knows of a later moment is not answered by an earlier one.
            let old = recent.withLock { $0.first { $0.epoch == cursor.epoch && $0.head >= cursor.jid } }
            if let old { return try list(after: cursor, limit: limit, in: old) }
        }
        let now = namespace.withLock { $0 }
        return try list(after: cursor, limit: limit, in: now)
    }

    private func list(
        after cursor: SyncCursor?, limit: Int, in namespace: Namespace
    ) throws(SyncServerError) -> ListAnswer {
        let start = cursor?.jid ?? 0
        if let cursor, cursor.epoch != namespace.epoch || cursor.jid > namespace.head {
            throw .resetRequired
        }
        if start < namespace.forgotten { throw .resetRequired }
        var newest: [NodeID: JID] = [:]
        for entry in namespace.journal[Int(start)...] { newest[entry.node.id] = entry.node.revision }
        var entries: [RemoteEntry] = []
        var jid = start
        var hasMore = false
        for entry in namespace.journal[Int(start)...] {
            if entries.count == limit {
                hasMore = true
                break
            }
            jid = entry.node.revision
            // That a directory came back is never left out: what is below it has no entries of its own.
            let cameBack = entry.isRestored && entry.node.kind == .directory
            guard newest[entry.node.id] == jid || cameBack else { continue }
            var entry = entry
            if cursor != nil { entry.edit = Self.edit(entry, since: start, namespace) }
            entries.append(entry)
        }
        return ListAnswer(
            entries: entries, cursor: SyncCursor(epoch: namespace.epoch, jid: jid, text: "\(jid)"),
            hasMore: hasMore, mergesText: mergesText)
    }

    /// What comes along of a file that was changed since a client's cursor.
    private static func edit(_ entry: RemoteEntry, since jid: JID, _ namespace: Namespace) -> FileEdit? {
        guard !entry.isDeleted, let root = entry.node.content, let leaves = namespace.leaves[root],
            let before = namespace.journal.prefix(Int(jid)).last(where: { $0.node.id == entry.node.id }),
            !before.isDeleted, let base = before.node.content, base != root,
            let old = namespace.leaves[base]
        else { return nil }
        let edit = LeafLists.edit(from: old, root: base, to: leaves)
        let blocks = edit.splices.flatMap(\.insert).compactMap { namespace.blocks[$0.cid] }
        // What is large is asked for.
        guard blocks.reduce(0, { $0 + $1.count }) <= 64 * 1024 else { return nil }
        return FileEdit(edit, blocks: blocks)
    }

    func snapshot(of directory: NodeID?, page: String?, pageSize: Int) throws(SyncServerError) -> SnapshotPage
    {
        namespace.withLock { namespace in
            var all: [RemoteEntry] = []
            let start = directory ?? root
            if start == root || Self.isLive(start, namespace, root) {
                var queue = [start]
                var index = 0
                while index < queue.count {
                    for id in (namespace.children[queue[index]] ?? []).sorted() {
                        guard let row = namespace.rows[id], !row.isDeleted else { continue }
                        all.append(RemoteEntry(node: row.node, inline: Self.inline(row.node, namespace)))
                        if row.node.kind == .directory { queue.append(id) }
                    }
                    index += 1
                }
            }
            // A page names the moment and the place: `jid offset`.
            let parts = (page ?? "\(namespace.head) 0").split(separator: " ").compactMap { Int($0) }
            let end = min(parts[1] + pageSize, all.count)
            let cursor = SyncCursor(epoch: namespace.epoch, jid: JID(parts[0]), text: "\(parts[0])")
            // The tree may have changed between pages; what is missed comes with the journal.
            let entries = parts[1] < end ? Array(all[parts[1]..<end]) : []
            return SnapshotPage(
                entries: entries, cursor: cursor, next: end < all.count ? "\(parts[0]) \(end)" : nil)
        }
    }

    private static func inline(_ node: SyncNode, _ namespace: Namespace) -> [UInt8]? {
        guard let cid = node.content, node.size <= 20 else { return nil }
        return namespace.blocks[cid]
    }

    func missing(_ cids: [CID]) -> [CID] { namespace.withLock { n in cids.filter { n.blocks[$0] == nil } } }

    func store(_ blocks: [Block]) {
        namespace.withLock { namespace in
            for block in blocks where (try? block.cid.verify(block.bytes)) != nil {
                namespace.blocks[block.cid] = block.bytes
            }
        }
    }

    func retrieve(_ cids: [CID]) -> RetrievedBlocks {
        namespace.withLock { namespace in
            // A few at a time, so that answers end early.
            let asked = cids.prefix(3)
            return RetrievedBlocks(
                asked.compactMap { cid in namespace.blocks[cid].map { Block(cid: cid, bytes: $0) } },
                answered: asked.count)
        }
    }

    func leaves(of root: CID, base: CID?) throws(SyncServerError) -> LeafEdit {
        try namespace.withLock { (namespace) throws(SyncServerError) in
            guard let leaves = namespace.leaves[root] else { throw .badAnswer("no such file") }
            if let base, let old = namespace.leaves[base] {
                return LeafLists.edit(from: old, root: base, to: leaves)
            }
            return LeafEdit(splices: [LeafEdit.Splice(start: 0, remove: 0, insert: leaves)])
        }
    }

    func commit(
        _ operations: [SyncOperation], after cursor: SyncCursor?, device: String
    ) throws(SyncServerError) -> CommitAnswer {
        try namespace.withLock { (namespace) throws(SyncServerError) in
            guard cursor?.epoch ?? 0 == namespace.epoch else { throw .resetRequired }
            let previousHead = namespace.head
            var results: [CommitResult] = []
            var guarding = removals.withLock { $0 }
            defer { removals.withLock { [guarding] in $0 = guarding } }
            guarding?.weigh(operations, by: device, in: namespace, root: root)
            for operation in operations {
                if let known = namespace.results[operation.id] {
                    results.append(known)
                    continue
                }
                var change = ModelCommit(
                    namespace: namespace, root: root, ignoresCase: ignoresCase, device: device)
                let result = change.apply(operation.change)
                if change.namespace.head != namespace.head {
                    if let refusal = guarding?.refusal(of: operation, by: device, in: namespace, root: root) {
                        results.append(refusal)
                        continue
                    }
                    let before = namespace
                    recent.withLock { recent in
                        recent.append(before)
                        if recent.count > Self.recentStates { recent.removeFirst() }
                    }
                    namespace = change.namespace
                    namespace.results[operation.id] = result
                }
                results.append(result)
            }
            var answer = CommitAnswer(head: namespace.head, results: results)
            if cursor?.jid == previousHead {
                let head = namespace.head
                answer.cursor = SyncCursor(epoch: namespace.epoch, jid: head, text: "\(head)")
            }
            return answer
        }
    }

    static func isLive(_ id: NodeID, _ namespace: Namespace, _ root: NodeID) -> Bool {
        var next = id
        while next != root {
            guard let row = namespace.rows[next], !row.isDeleted else { return false }
            next = row.node.parent
        }
        return true
    }
}
