import GRDB
import SyncProtocol
import TreeValues

/// The connection's prepared statements, and what a transaction has changed and not yet settled.
final class StateSession {
    let path: String
    private var database: Database?
    private var statements: [Statement?] = Array(repeating: nil, count: StateQuery.allCases.count)
    private var isClosed = false
    private var depth = 0

    /// Nodes that were read or written of late: one that is dealt with is asked for a dozen times.
    private var known: [NodeID: Known] = [:]
    /// Nodes that the transaction touched: whether they are settled is decided once for all changes of one.
    private var touched: [NodeID] = []

    /// What the rows say of a node. An object, since three nodes are much to move about in a table.
    private final class Known {
        /// By tree; the outer `nil` for what has to be read.
        private var remote: SyncNode??
        private var local: SyncNode??
        private var synced: SyncNode??
        var isTouched = false

        subscript(tree: TreeName) -> SyncNode?? {
            get {
                switch tree {
                case .remote: remote
                case .local: local
                case .synced: synced
                }
            }
            set {
                switch tree {
                case .remote: remote = newValue
                case .local: local = newValue
                case .synced: synced = newValue
                }
            }
        }
    }

    /// The most nodes that are known: some 10 MB.
    private static let maximumKnown = 16_384

    init(path: String) { self.path = path }

    /// Takes the connection that is lent.
    func begin(_ database: Database) throws(SyncStateError) {
        guard !isClosed else { throw .closed(path: path) }
        self.database = database
    }

    func close() {
        isClosed = true
        // They belong to the connection, and have to be gone before it is.
        statements.removeAll()
        database = nil
    }

    var isInTransaction: Bool { depth > 0 }

    /// Everything in `body` is there afterwards, or nothing.
    func transaction<Result>(_ body: (StateSession) throws -> Result) throws -> Result {
        let database = try lent()
        let before = touched
        depth += 1
        defer { depth -= 1 }
        var result: Result?
        func run() throws -> Database.TransactionCompletion {
            result = try body(self)
            if depth == 1 { try settle() }
            return .commit
        }
        do {
            if depth == 1 {
                try database.inTransaction(.immediate, run)
            } else {
                try database.inSavepoint(run)
            }
        } catch {
            // What is known may be of the changes that were undone.
            known.removeAll(keepingCapacity: true)
            touched = before
            for id in before { entry(of: id).isTouched = true }
            throw error
        }
        guard let result else { throw SyncStateError.closed(path: path) }
        return result
    }

    /// The connection.
    func lent() throws(SyncStateError) -> Database {
        guard let database, !isClosed else { throw .closed(path: path) }
        return database
    }

    /// A statement, ready for parameters.
    func statement(_ query: StateQuery) throws -> StateStatement {
        if let statement = statements.indices.contains(query.rawValue) ? statements[query.rawValue] : nil {
            return StateStatement(statement, path: path)
        }
        let statement = try lent().makeStatement(sql: query.sql)
        statements[query.rawValue] = statement
        return StateStatement(statement, path: path)
    }

    // MARK: Settling

    /// Notes that a node is something else in one tree.
    func touch(_ id: NodeID, _ tree: TreeName, _ node: SyncNode?) throws {
        try makeRoom()
        let entry = entry(of: id)
        entry[tree] = .some(node)
        guard !entry.isTouched else { return }
        entry.isTouched = true
        touched.append(id)
    }

    /// Writes which of the touched nodes are settled and which are not.
    func settle() throws {
        guard !touched.isEmpty else { return }
        let insert = try statement(.insertUnsettled)
        let delete = try statement(.deleteUnsettled)
        for id in touched {
            let entry = entry(of: id)
            let statement = try states(of: id, entry).isSettled ? delete : insert
            statement.bind(1, id)
            try statement.run()
            entry.isTouched = false
        }
        touched.removeAll(keepingCapacity: true)
    }

    func node(_ id: NodeID, in tree: TreeName) throws -> SyncNode? {
        if let entry = known[id], let node = entry[tree] { return node }
        try makeRoom()
        return try node(id, in: tree, of: entry(of: id))
    }

    /// What the three trees say of a node.
    func states(of id: NodeID) throws -> NodeStates {
        if known[id] == nil { try makeRoom() }
        return try states(of: id, entry(of: id))
    }

    private func states(of id: NodeID, _ entry: Known) throws -> NodeStates {
        NodeStates(
            id: id, remote: try node(id, in: .remote, of: entry), local: try node(id, in: .local, of: entry),
            synced: try node(id, in: .synced, of: entry))
    }

    private func node(_ id: NodeID, in tree: TreeName, of entry: Known) throws -> SyncNode? {
        if let node = entry[tree] { return node }
        let statement = try statement(.node(tree))
        statement.bind(1, id)
        defer { statement.reset() }
        let node = try statement.step() ? try statement.node() : nil
        entry[tree] = .some(node)
        return node
    }

    private func entry(of id: NodeID) -> Known {
        if let entry = known[id] { return entry }
        let entry = Known()
        known[id] = entry
        return entry
    }

    /// Forgets everything once it is much: the next batch is about other nodes.
    private func makeRoom() throws {
        guard known.count >= Self.maximumKnown else { return }
        try settle()
        known.removeAll(keepingCapacity: true)
    }
}
