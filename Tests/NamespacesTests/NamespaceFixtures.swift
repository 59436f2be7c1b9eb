import Catalog
import Foundation
import Multiformats
import Namespaces
import TestKit
import Testing
import TreeValues

/// Which database a catalog is in. Tests that hold for both take it as an argument.
enum Engine: String, CaseIterable, Sendable {
    case sqlite
    case postgresql

    /// Both, or SQLite alone where there is no PostgreSQL (which is said aloud).
    static let all: [Engine] = PostgreSQLServer.isAvailable ? allCases : [.sqlite]

    func catalog(_ clock: ManualClock = ManualClock()) throws -> CatalogDatabase {
        var environment = CatalogDatabase.Environment()
        environment.now = { Int64(clock.milliseconds) }
        switch self {
        case .sqlite: return try .inMemory(environment: environment)
        case .postgresql:
            let url = try #require(PostgreSQLURL(try PostgreSQLServer.shared.get().urlOfNewSchema()))
            // Many tests share one server.
            var options = PostgreSQLOptions()
            options.connections = 3
            return try CatalogDatabase(server: url, options: options, environment: environment)
        }
    }
}

/// A namespace, and short ways to change it.
struct Folder {
    let store: NamespaceStore
    let id: NamespaceID
    var author = ChangeAuthor(user: "somebody", device: "laptop")

    init(
        _ engine: Engine = .sqlite, policy: NamespacePolicy = NamespacePolicy(),
        clock: ManualClock = ManualClock()
    )
        throws
    {
        store = NamespaceStore(catalog: try engine.catalog(clock))
        id = try store.create("recipes", project: .default, policy: policy).id
    }

    var namespace: Namespace { get throws { try store.namespace(id.text) } }
    var root: NodeID { get throws { try namespace.root } }

    @discardableResult
    func commit(_ changes: TreeChange...) throws -> [ChangeOutcome] {
        try store.commit(changes.map { TreeOperation($0) }, to: id, author: author).outcomes
    }

    /// Does one change that must go through.
    @discardableResult
    func must(_ change: TreeChange, _ location: SourceLocation = #_sourceLocation) throws -> TreeNode {
        let outcome = try commit(change)[0]
        guard case .done(let node, _) = outcome else {
            Issue.record("\(outcome)", sourceLocation: location)
            throw NamespaceError.notAtomic(index: 0, outcome)
        }
        return node
    }

    func place(_ name: String, in parent: TreeNode? = nil) throws -> JournalEntry.Place {
        try JournalEntry.Place(parent: parent?.id ?? root, name: name)
    }

    @discardableResult
    func put(_ name: String, _ number: UInt64, in parent: TreeNode? = nil) throws -> TreeNode {
        try must(.put(.init(file(number), place: place(name, in: parent))))
    }

    @discardableResult
    func directory(_ name: String, in parent: TreeNode? = nil) throws -> TreeNode {
        try must(.makeDirectory(at: place(name, in: parent), node: nil, .init()))
    }
}

/// Content that differs by number; so many bytes.
func file(_ number: UInt64) -> NodeContent {
    var random = SeededRandom(seed: number)
    let digest = random.bytes(32)
    guard let multihash = try? Multihash(code: .sha2_256, digest: digest.span.bytes) else {
        preconditionFailure("32 bytes are a digest")
    }
    return .file(CID(codec: .raw, multihash: multihash), bytes: Int64(number))
}
