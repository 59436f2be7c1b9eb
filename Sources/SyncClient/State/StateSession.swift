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

    /// Nodes that the transaction touched, with what is known of them by tree: whether they are settled is
    /// decided once for all changes of a node.
    private var touched: [NodeID: Touched] = [:]

    /// An object, since three nodes are much to move about in a table.
    private final class Touched {
        /// By tree; the outer `nil` for what has to be read.
        var remote: SyncNode??
        var local: SyncNode??
        var synced: SyncNode??
    }

    /// The most nodes that wait to be settled.
    private static let maximumTouched = 8192

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
        let before = Set(touched.keys)
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
            // What is known of them may be of the changes that were undone.
            touched.removeAll(keepingCapacity: true)
            for id in before { touched[id] = Touched() }
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
        if touched.count >= Self.maximumTouched { try settle() }
        let entry: Touched
        if let known = touched[id] {
            entry = known
        } else {
            entry = Touched()
            touched[id] = entry
        }
        switch tree {
        case .remote: entry.remote = .some(node)
        case .local: entry.local = .some(node)
        case .synced: entry.synced = .some(node)
        }
    }

    /// Writes which of the touched nodes are settled and which are not.
    func settle() throws {
        guard !touched.isEmpty else { return }
        let insert = try statement(.insertUnsettled)
        let delete = try statement(.deleteUnsettled)
        for (id, entry) in touched {
            let states = NodeStates(
                id: id, remote: try entry.remote ?? node(id, in: .remote),
                local: try entry.local ?? node(id, in: .local),
                synced: try entry.synced ?? node(id, in: .synced))
            let statement = states.isSettled ? delete : insert
            statement.bind(1, id)
            try statement.run()
        }
        touched.removeAll(keepingCapacity: true)
    }

    func node(_ id: NodeID, in tree: TreeName) throws -> SyncNode? {
        let statement = try statement(.node(tree))
        statement.bind(1, id)
        defer { statement.reset() }
        return try statement.step() ? try statement.node() : nil
    }
}
