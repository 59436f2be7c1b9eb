import Catalog
import Namespaces
import TestKit
import Testing
import TreeValues

/// Random changes, good and bad ones; after each the rows must say what the journal says.
@Suite struct TreeModelTests {
    /// The tree that a client makes of the journal alone.
    private struct Replica {
        var nodes: [NodeID: TreeNode] = [:]

        mutating func apply(_ entry: JournalEntry) { nodes[entry.node.id] = entry.node }

        func isLive(_ node: TreeNode, under root: NodeID) -> Bool {
            var next = node
            for _ in 0...nodes.count {
                if next.isDeleted { return false }
                if next.parent == root { return true }
                guard let parent = nodes[next.parent] else { return false }
                next = parent
            }
            return false
        }

        func live(under root: NodeID) -> [TreeNode] { nodes.values.filter { isLive($0, under: root) } }
    }

    /// A state of the world in which a client chooses what to do.
    private struct Player {
        var random: SeededRandom
        let folder: Folder
        var replica = Replica()
        var history: [JID: Replica] = [:]

        mutating func pick(_ kind: TreeNodeKind? = nil) -> TreeNode? {
            let nodes = replica.nodes.values.filter { kind == nil || $0.kind == kind }
                .sorted { $0.id < $1.id }
            return nodes.isEmpty ? nil : nodes[Int(random.next() % UInt64(nodes.count))]
        }

        mutating func place() throws -> JournalEntry.Place {
            let isTop = random.next() % 3 == 0
            let parent = isTop ? nil : pick(.directory)?.id
            return try JournalEntry.Place(
                parent: parent ?? folder.root,
                name: ["a", "b", "B", "c", "d\u{E9}", "de\u{301}"].randomElement(using: &random) ?? "a")
        }

        mutating func change() throws -> TreeChange {
            let node = pick()
            // Mostly what is so, sometimes what was so.
            let isStale = random.next() % 4 == 0
            switch random.next() % 10 {
            case 0, 1, 2: return .put(.init(file(random.next() % 50), place: try place()))
            case 3: return .makeDirectory(at: try place(), node: nil, .init())
            case 4:
                guard let node else { fallthrough }
                return .put(
                    .init(
                        file(random.next() % 50), node: node.id,
                        base: node.contentRevision - (isStale ? 1 : 0)))
            case 5, 6:
                guard let node else { fallthrough }
                return .move(node.id, to: try place(), base: node.revision - (isStale ? 2 : 0))
            case 7:
                guard let node else { fallthrough }
                let head = try folder.namespace.head
                return .delete(node.id, base: node.revision, newestBelow: isStale ? 0 : head)
            case 8:
                guard let node else { fallthrough }
                return .restore(node.id, to: random.next() % 2 == 0 ? nil : try place())
            default:
                guard let node else { return .makeDirectory(at: try place(), node: nil, .init()) }
                return .setAttributes(node.id, .init(modified: Int64(random.next() % 3)))
            }
        }
    }

    private func play(_ engine: Engine, seed: UInt64, steps: Int) throws {
        let folder = try Folder(engine)
        var player = Player(random: SeededRandom(seed: seed), folder: folder)
        var cursor: JID = 0
        var options = NamespaceStore.CommitOptions()
        options.allowsMassDelete = true
        var states: [(jid: JID, nodes: [NodeID: TreeNode])] = []
        for _ in 0..<steps {
            let changes = try (0..<(1 + player.random.next() % 4)).map { _ in
                TreeOperation(try player.change())
            }
            let result = try folder.store.commit(
                changes, to: folder.id, author: folder.author, options: options)
            let new = result.outcomes.filter { if case .done(_, true) = $0 { true } else { false } }
            #expect(Int64(new.count) == result.head - result.previousHead)
            let page = try folder.store.changes(of: folder.namespace, after: cursor, limit: 10_000)
            #expect(page.entries.map(\.jid) == Array(cursor..<result.head).map { $0 + 1 })
            for entry in page.entries {
                #expect(entry.previous == player.replica.nodes[entry.node.id]?.revision ?? 0)
                player.replica.apply(entry)
            }
            cursor = page.cursor
            states.append((cursor, player.replica.nodes))
        }
        try check(folder, player.replica)
        // Any earlier state can be read off the journal.
        for state in states where state.jid % 7 == 0 {
            for (id, node) in state.nodes {
                let past = try folder.store.node(id, in: folder.namespace, asOf: state.jid)
                #expect(past?.isSame(as: node) == true)
            }
        }
    }

    private func check(_ folder: Folder, _ replica: Replica) throws {
        let namespace = try folder.namespace
        for (id, node) in replica.nodes {
            let row = try #require(try folder.store.node(id, in: namespace))
            #expect(row.isSame(as: node))
        }
        let live = replica.live(under: namespace.root)
        #expect(Int64(live.count) == namespace.nodes)
        #expect(live.reduce(0) { $0 + $1.size } == namespace.bytes)
        // The same by walking from the root, in the order of keys, each name once.
        var walked: Set<NodeID> = []
        var directories: [NodeID?] = [nil]
        while let directory = directories.popLast() {
            let children = try folder.store.children(of: directory, in: namespace)
            #expect(children.map { Array($0.nameKey.utf8) }.isSortedStrictly)
            #expect(Set(children.compactMap(\.folded)).count == children.count)
            for child in children {
                #expect(walked.insert(child.id).inserted)
                if child.kind == .directory { directories.append(child.id) }
            }
        }
        #expect(walked == Set(live.map(\.id)))
        #expect(try folder.store.catalogProblems() == [])
    }

    @Test(arguments: SeededRandom.seeds(24))
    func theJournalSaysWhatTheRowsSay(seed: UInt64) throws { try play(.sqlite, seed: seed, steps: 150) }

    @Test(arguments: Engine.all) func theJournalSaysWhatTheRowsSayOnBothEngines(engine: Engine) throws {
        try play(engine, seed: 4711, steps: 120)
    }
}

extension TreeNode {
    /// Equal but for the folded name, which the journal does not have.
    fileprivate func isSame(as other: TreeNode) -> Bool {
        var (a, b) = (self, other)
        (a.folded, b.folded) = (nil, nil)
        return a == b
    }
}

extension [[UInt8]] {
    fileprivate var isSortedStrictly: Bool {
        zip(self, dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) }
    }
}
