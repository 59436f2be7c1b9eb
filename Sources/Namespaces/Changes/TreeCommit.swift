import Catalog
import TreeValues

/// Operations on one namespace within one transaction.
///
/// Each operation is checked against the rows as the ones before it left them, and becomes at most one
/// journal entry. Rows are written only once it is certain that they can be: after a failed statement
/// PostgreSQL takes nothing more. Does no I/O but the rows, and no clocks: it can be run again.
struct TreeCommit {
    /// The tree as the operations so far left it.
    let view: TreeView
    private(set) var namespace: Namespace
    let policy: NamespacePolicy
    let rules: NameRules
    /// Before the first operation.
    private let firstHead: JID
    let author: ChangeAuthor
    /// Unix milliseconds.
    let time: Int64
    let makeNode: () -> NodeID
    /// How many nodes the device may remove without asking.
    let removalLimit: Int64
    /// Whether a person agreed, by a token, that a node goes, and so many nodes with the commit.
    let isConfirmed: (String, NodeID, Int64) -> Bool
    /// See ``NamespaceStore/CommitOptions/hidesNames``.
    var hidesNames = false
    /// How many nodes were removed.
    var removed: Int64 = 0
    /// How many all removals of the commit would remove.
    private(set) var asked: Int64 = 0
    /// Directories that are known to be live, with their depth and the bytes of their path.
    var directories: [NodeID: Position] = [:]

    /// Directories that were not made since nothing may be called so or be there, and why not.
    var refusedDirectories: [NodeID: NameProblem] = [:]

    /// Operations that were looked up and made no entry yet, and nodes that were and have no row.
    private var newOperations: Set<OperationID> = []
    private var newNodes: Set<NodeID> = []

    var tables: TreeTables { view.tables }

    /// Where a directory is.
    struct Position {
        /// 0 for the root.
        var depth: Int
        /// With a slash after each name.
        var pathBytes: Int
    }

    init(
        _ namespace: Namespace, _ connection: any SQLConnection, author: ChangeAuthor, time: Int64,
        removalLimit: Int64 = .max,
        isConfirmed: @escaping (String, NodeID, Int64) -> Bool = { _, _, _ in true },
        makeNode: @escaping () -> NodeID
    ) throws {
        view = TreeView(namespace, connection)
        self.namespace = namespace
        firstHead = namespace.head
        policy = try NamespacePolicy(json: namespace.policy)
        rules = NameRules(policy)
        self.author = author
        self.time = time
        self.makeNode = makeNode
        self.removalLimit = removalLimit
        self.isConfirmed = isConfirmed
    }

    /// Does operations in order.
    ///
    /// - Throws: `notAtomic` for the first that does not go through, if all are to be done or none.
    mutating func apply(_ operations: [TreeOperation], isAtomic: Bool) throws -> [ChangeOutcome] {
        if operations.count > 1 {
            try prepare(operations)
            try weigh(operations)
        }
        var outcomes: [ChangeOutcome] = []
        outcomes.reserveCapacity(operations.count)
        for (index, operation) in operations.enumerated() {
            let outcome = try apply(operation)
            guard outcome.isDone || !isAtomic else {
                throw NamespaceError.notAtomic(index: index, outcome)
            }
            outcomes.append(outcome)
        }
        return outcomes
    }

    /// Writes the row of the namespace, once all operations are done.
    ///
    /// - Returns: the namespace afterwards.
    mutating func save() throws -> Namespace {
        guard namespace.head != firstHead else { return namespace }
        namespace.updated = time
        try NamespaceRepository.update(namespace, tables.connection)
        return namespace
    }

    /// Looks up what operations are about in a few statements, so that most of it need not be asked for
    /// one by one: most are new, and bring in new nodes.
    private mutating func prepare(_ operations: [TreeOperation]) throws {
        let ids = operations.compactMap(\.id)
        newOperations = Set(ids).subtracting(try tables.operations(of: ids))
        let nodes = operations.compactMap(\.change.madeNode)
        newNodes = Set(nodes).subtracting(try tables.nodes(of: nodes))
    }

    /// Adds up what the removals of a commit would remove: a large part is one in pieces as well, and none of
    /// it goes before a person agreed to all of it.
    private mutating func weigh(_ operations: [TreeOperation]) throws {
        let ids = operations.compactMap { if case .delete(let id, _, _) = $0.change { id } else { nil } }
        guard ids.count > 1, removalLimit < .max else { return }
        let all = Set(ids)
        for id in all {
            guard let current = try tables.node(id), try isLive(current),
                try ancestors(of: current.parent).isDisjoint(with: all)
            else { continue }
            asked += try current.kind == .directory ? tables.below(id).nodes + 1 : 1
        }
    }

    /// The node of that id, deleted or not.
    func node(_ id: NodeID) throws -> TreeNode? {
        newNodes.contains(id) ? nil : try tables.node(id)
    }

    /// Does one operation, or says why not.
    mutating func apply(_ operation: TreeOperation) throws -> ChangeOutcome {
        // One that is there twice is new the first time only.
        if let id = operation.id, newOperations.remove(id) == nil, let entry = try tables.entry(of: id) {
            guard operation.change.isWhat(entry, byName: !hidesNames) else {
                return .refused(.operationReused(id))
            }
            var node = entry.node
            node.folded = rules.folded(node.name)
            return .done(node, isNew: false)
        }
        if let id = operation.change.madeNode, id == namespace.root { return .refused(.idOfRoot(id)) }
        switch operation.change {
        case .put(let put): return try apply(put, operation)
        case .makeDirectory(let place, let node, let attributes):
            return try makeDirectory(at: place, node, attributes, operation)
        case .move(let node, let place, let base): return try move(node, to: place, base: base, operation)
        case .delete(let node, let base, let newest):
            return try delete(node, base: base, newestBelow: newest, operation)
        case .setAttributes(let node, let attributes):
            guard let current = try tables.node(node) else { return .refused(.unknownNode(node)) }
            guard try isLive(current) else { return .conflict(.stale, current: current) }
            return try write(attributes, current, operation)
        case .restore(let node, let place): return try restore(node, to: place, operation)
        }
    }

    func quotaRefusal(nodes: Int64, bytes: Int64) -> ChangeRefusal? {
        if nodes > 0, namespace.nodes + nodes > policy.maximumNodes {
            return .quotaExceeded(.entries, limit: policy.maximumNodes, wanted: namespace.nodes + nodes)
        }
        // Many files that are as large as one may be add up to more than a counter holds.
        let limit = policy.maximumBytes ?? .max
        let (wanted, overflows) = namespace.bytes.addingReportingOverflow(bytes)
        if bytes > 0, overflows || wanted > limit {
            return .quotaExceeded(.bytes, limit: limit, wanted: overflows ? .max : wanted)
        }
        return nil
    }

    /// Writes the row and the entry of a change.
    mutating func record(
        _ kind: JournalOperation, _ state: TreeNode, from current: TreeNode?, _ operation: TreeOperation,
        below: TreeTables.Below = TreeTables.Below()
    ) throws -> ChangeOutcome {
        let jid = namespace.head + 1
        var node = state
        node.revision = jid
        if kind == .create || current.map({ !$0.hasContent(of: node) }) == true { node.contentRevision = jid }
        let hasMoved = current.map { $0.parent != node.parent || $0.name != node.name } ?? false
        var author = author
        author.operation = operation.id
        try tables.append(
            JournalEntry(
                jid: jid, operation: kind, node: node, previous: current?.revision ?? 0,
                origin: hasMoved
                    ? current.map { JournalEntry.Place(parent: $0.parent, name: $0.name) } : nil,
                below: below.nodes + 1, author: author, time: time))
        newNodes.remove(node.id)
        if current == nil { try tables.insert(node) } else { try tables.update(node) }
        namespace.head = jid
        count(kind, node, current, below)
        // Where directories are, or whether they are there, may have changed.
        if node.kind == .directory, kind != .create, kind != .metadata { directories.removeAll() }
        return .done(node, isNew: true)
    }

    private mutating func count(
        _ kind: JournalOperation, _ node: TreeNode, _ current: TreeNode?, _ below: TreeTables.Below
    ) {
        switch kind {
        case .create, .restore:
            namespace.nodes += below.nodes + 1
            namespace.bytes += below.bytes + node.size
        case .delete:
            namespace.nodes -= below.nodes + 1
            namespace.bytes -= below.bytes + node.size
        case .content, .move, .metadata:
            namespace.bytes += node.size - (current?.size ?? 0)
        }
    }
}
