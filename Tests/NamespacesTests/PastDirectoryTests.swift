import Catalog
import TestKit
import Testing
import TreeValues

@testable import Namespaces

/// Directories as of earlier versions.
@Suite struct PastDirectoryTests {
    /// A connection that remembers what it was asked.
    private final class RecordingConnection: SQLConnection {
        let base: any SQLConnection
        private(set) var statements: [(sql: String, values: [SQLValue])] = []

        init(_ base: any SQLConnection) { self.base = base }

        var dialect: SQLDialect { base.dialect }

        func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
            statements.append((sql, values))
            return try base.execute(sql, values)
        }

        func query(_ sql: String, _ values: [SQLValue], _ body: (SQLRow) throws -> Void) throws {
            statements.append((sql, values))
            try base.query(sql, values, body)
        }
    }

    /// However many others there are in it: not all of them are read, nor sorted.
    @Test func aPageAndAChildAreReadOffAnIndexInOrder() throws {
        let folder = try Folder()
        for name in ["b", "a", "c"] { try folder.put(name, 1) }
        let head = try folder.namespace.head
        try folder.put("d", 2)
        let namespace = try folder.namespace
        try folder.store.catalog.namespaces.database.read { connection in
            let recording = RecordingConnection(connection)
            let view = TreeView(namespace, recording, asOf: head)
            #expect(try view.children(of: view.root, limit: 2).map(\.name) == ["a", "b"])
            #expect(try view.children(of: view.root, after: "a", limit: 9).map(\.name) == ["b", "c"])
            #expect(try view.child(of: view.root, named: "b", isDirectory: false)?.name == "b")
            #expect(try view.child(of: view.root, named: "d", isDirectory: false) == nil)
            #expect(recording.statements.count == 4)
            for (index, statement) in recording.statements.enumerated() {
                let plan = try connection.rows("EXPLAIN QUERY PLAN " + statement.sql, statement.values)
                    .map { try $0.text(3) }
                #expect(!plan.contains { $0.contains("TEMP B-TREE") || $0.contains("SCAN") }, "\(plan)")
                let place = index == 0 ? "ns=? AND parent=?" : "ns=? AND parent=? AND name_key"
                #expect(plan.contains { $0.contains("tree_journal_by_parent (\(place)") }, "\(plan)")
            }
        }
    }

    /// What was renamed, removed and made again is found where it was then, by whatever way it is looked for.
    @Test(arguments: Engine.all, SeededRandom.seeds(6))
    func oneChildIsWhatTheListSays(engine: Engine, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let folder = try Folder(engine)
        let names = ["a", "b", "é", "\u{10FFFF}", "b/", "z"].filter { !$0.contains("/") }
        var known: [TreeNode] = []
        for number in 0..<60 {
            let place = try folder.place(random.pick(names))
            let change: TreeChange
            let nodes = try known.compactMap { try folder.node($0.id) }
            switch nodes.isEmpty ? 0 : random.number(0..<5) {
            case 0: change = .put(.init(file(UInt64(number)), place: place))
            case 1: change = .makeDirectory(at: place, node: nil, .init())
            case 2: change = .move(random.pick(nodes).id, to: place, base: .max)
            case 3:
                let node = random.pick(nodes)
                change = .delete(node.id, base: node.revision, newestBelow: .max)
            default: change = .restore(random.pick(nodes).id, to: place)
            }
            if case .done(let node, _) = try folder.commit(change)[0] { known.append(node) }
        }
        let namespace = try folder.namespace
        try folder.store.read { connection in
            for jid in 0..<namespace.head {
                let view = TreeView(namespace, connection, asOf: jid)
                let all = try view.children(of: view.root, limit: 100)
                #expect(
                    all.map(\.nameKey)
                        == all.map(\.nameKey).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
                for name in names {
                    for isDirectory in [false, true] {
                        let listed = all.first { $0.name == name && ($0.kind == .directory) == isDirectory }
                        #expect(
                            try view.child(of: view.root, named: name, isDirectory: isDirectory) == listed)
                    }
                }
            }
        }
    }
}
