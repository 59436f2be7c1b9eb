import BlockStorage
import Catalog
import Digests
import IPLD
import Multiformats
import TestKit
import Testing
import TreeValues

@testable import Namespaces

/// What differs between two versions, as people are told.
@Suite struct TreeComparisonTests {
    let folder: Folder
    let store = MemoryBlockStore()

    init() throws { folder = try Folder() }

    @discardableResult
    private func put(
        _ name: String, _ text: String, in parent: TreeNode? = nil, over node: TreeNode? = nil
    ) throws -> TreeNode {
        let bytes = Array(text.utf8)
        let cid = CID(codec: .raw, multihash: try Multihash(hashing: bytes, with: .sha2_256))
        try store.put(Block(cid: cid, bytes: bytes))
        let content = NodeContent.file(cid, bytes: Int64(bytes.count))
        guard let node else {
            return try folder.must(.put(.init(content, place: folder.place(name, in: parent))))
        }
        return try folder.must(.put(.init(content, node: node.id, base: node.contentRevision)))
    }

    private func move(_ node: TreeNode, _ name: String, in parent: TreeNode? = nil) throws {
        try folder.must(.move(node.id, to: folder.place(name, in: parent), base: node.revision))
    }

    private func remove(_ node: TreeNode) throws {
        try folder.must(.delete(node.id, base: node.revision, newestBelow: .max))
    }

    /// `+ a/ 3`: what came, its path, and how much is below it.
    private func lines(from old: JID, to new: JID? = nil, recursive: Bool = false) throws -> [String] {
        let namespace = try folder.namespace
        let new = new ?? namespace.head
        let comparison = try TreeComparison(
            from: folder.store.snapshot(of: namespace, asOf: old, in: store).root,
            to: folder.store.snapshot(of: namespace, asOf: new, in: store).root, in: store,
            moves: folder.store.moves(from: old, to: new, in: namespace), isRecursive: recursive)
        var lines: [String] = []
        try comparison.forEach { found in
            let mark = [.added: "+", .removed: "-", .changed: "~", .renamed: "R"][found.kind] ?? "?"
            let slash = found.entry == .directory ? "/" : ""
            let origin = found.origin.map { "\($0)\(slash) -> " } ?? ""
            let below = found.below.map { " \($0)" } ?? ""
            lines.append("\(mark) \(origin)\(found.path)\(slash)\(below)")
        }
        return lines
    }

    @Test func directoriesThatCameOrWentAreOneLineOrAll() throws {
        try folder.directory("old")
        let start = try folder.namespace.head
        let soups = try folder.directory("soups")
        let cold = try folder.directory("cold", in: soups)
        try folder.directory("empty", in: cold)
        try put("borscht", "beet", in: soups)
        try put("gazpacho", "tomato", in: cold)
        #expect(try lines(from: start) == ["+ soups/ 4"])
        let all = [
            "+ soups/", "+ soups/borscht", "+ soups/cold/", "+ soups/cold/empty/", "+ soups/cold/gazpacho",
        ]
        #expect(try lines(from: start, recursive: true) == all)
        #expect(
            try lines(from: folder.namespace.head, to: start, recursive: true)
                == all.map { $0.replacing("+", with: "-") })
        try folder.directory("new")
        #expect(try lines(from: start) == ["+ new/ 0", "+ soups/ 4"], "an empty one came without another")
    }

    @Test func whatIsTheSameNodeWasMovedWhateverBecameOfIt() throws {
        let a = try folder.directory("a")
        let inner = try put("x", "x", in: a)
        let plain = try put("plain", "flour", in: a)
        try put("stays", "s", in: a)
        let start = try folder.namespace.head
        try move(a, "b")
        try move(plain, "out", in: nil)
        try put("", "xx", in: nil, over: inner)
        try put("new", "n", in: a)
        #expect(
            try lines(from: start) == ["R a/ -> b/", "+ b/new", "~ b/x", "R a/plain -> out"])
        #expect(
            try lines(from: folder.namespace.head, to: start)
                == ["R b/ -> a/", "- b/new", "R out -> a/plain", "~ a/x"])
    }

    @Test func whatWentAndCameWithTheSameContentWasMoved() throws {
        let first = try put("one", "content")
        let second = try put("other", "content")
        let empty = try put("void", "")
        let start = try folder.namespace.head
        try remove(first)
        try remove(second)
        try remove(empty)
        let docs = try folder.directory("docs")
        try put("three", "content", in: docs)
        try put("nothing", "", in: docs)
        // Into a directory that came itself, whose other content counts.
        #expect(try lines(from: start) == ["+ docs/ 2", "- one", "- other", "- void"])
        try put("four", "content")
        #expect(
            try lines(from: start) == ["+ docs/ 2", "R one -> four", "- other", "- void"],
            "one of two, and what is empty is never the same")
    }

    @Test func placesThatWereSwappedOrTakenAreToldApart() throws {
        let (a, b) = (try put("a", "first"), try put("b", "second"))
        let (c, d) = (try put("c", "third"), try put("d", "fourth"))
        let start = try folder.namespace.head
        try move(a, "t")
        try move(b, "a")
        let moved = try #require(try folder.store.node(a.id, in: folder.namespace))
        try move(moved, "b")
        try remove(d)
        try move(c, "d")
        #expect(try lines(from: start) == ["R b -> a", "R a -> b", "- d", "R c -> d"])
    }

    @Test func whatWasMovedOutOfOrIntoWhatLooksTheSameIsNotLost() throws {
        let (source, target) = (try folder.directory("source"), try folder.directory("target"))
        let moved = try put("n", "same", in: source)
        let replaced = try put("n", "same", in: target)
        let start = try folder.namespace.head
        try remove(replaced)
        try move(moved, "n", in: target)
        // `target` is the same directory by its CID.
        #expect(try lines(from: start) == ["- target/n", "R source/n -> target/n"])
    }

    @Test func aFileThatBecameADirectoryWentAndItCame() throws {
        let file = try put("x", "text")
        let start = try folder.namespace.head
        try remove(file)
        let directory = try folder.directory("x")
        try put("in", "it", in: directory)
        #expect(try lines(from: start) == ["- x", "+ x/ 1"])
        #expect(try lines(from: folder.namespace.head, to: start) == ["- x/ 1", "+ x"])
    }

    @Test func aDirectoryThatCameWithWhatWasMovedIntoItNamesThat() throws {
        let file = try put("a", "text")
        let start = try folder.namespace.head
        let directory = try folder.directory("new")
        try put("b", "other", in: directory)
        try move(file, "a", in: directory)
        #expect(try lines(from: start) == ["+ new/ 1", "R a -> new/a"])
        #expect(try lines(from: start, recursive: true) == ["+ new/", "R a -> new/a", "+ new/b"])
    }

    /// Random trees: what is told of turns one listing into the other.
    @Test(arguments: SeededRandom.seeds(12)) func theDifferencesLeadFromOneToTheOther(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var directories: [TreeNode?] = [nil]
        func step() throws {
            let live = try folder.live()
            let parent = directories.randomElement(using: &random) ?? nil
            let name = "n\(random.next() % 6)"
            let place = try folder.place(name, in: parent)
            let change: TreeChange
            switch random.next() % 6 {
            case 0: change = .makeDirectory(at: place, node: nil, .init())
            case 1, 2:
                let bytes = Array("content \(random.next() % 4)".utf8)
                let cid = CID(codec: .raw, multihash: try Multihash(hashing: bytes, with: .sha2_256))
                try store.put(Block(cid: cid, bytes: bytes))
                change = .put(.init(.file(cid, bytes: Int64(bytes.count)), place: place))
            case 3, 4:
                guard let node = live.randomElement(using: &random) else { return }
                change = .move(node.id, to: place, base: node.revision)
            default:
                guard let node = live.randomElement(using: &random) else { return }
                change = .delete(node.id, base: node.revision, newestBelow: .max)
            }
            if case .done(let node, _) = try folder.commit(change)[0], node.kind == .directory,
                !directories.contains(where: { $0?.id == node.id })
            {
                directories.append(node)
            }
        }
        for _ in 0..<30 { try step() }
        let start = try folder.namespace.head
        for _ in 0..<20 { try step() }
        let end = try folder.namespace.head
        for (old, new) in [(start, end), (end, start)] {
            let (before, after) = (try listing(old), try listing(new))
            let moves = try folder.store.moves(from: old, to: new, in: folder.namespace)
            let comparison = try TreeComparison(
                from: folder.store.snapshot(of: folder.namespace, asOf: old, in: store).root,
                to: folder.store.snapshot(of: folder.namespace, asOf: new, in: store).root, in: store,
                moves: moves)
            var (gone, come): (Set<String>, Set<String>) = ([], [])
            var renames: [(String, String)] = []
            try comparison.forEach { found in
                switch found.kind {
                case .added: #expect(come.insert(found.path).inserted, "\(found)")
                case .removed: #expect(gone.insert(found.path).inserted, "\(found)")
                case .renamed: renames.append((found.origin ?? "", found.path))
                case .changed: #expect(after[found.path] != nil, "\(found)")
                }
            }
            // Where everything is afterwards that was there before: by the longest move above it.
            var result: Set<String> = come
            for path in before.keys where !gone.contains(path) {
                let move = renames.filter { path == $0.0 || path.hasPrefix($0.0 + "/") }
                    .max { $0.0.utf8.count < $1.0.utf8.count }
                result.insert(move.map { $0.1 + path.dropFirst($0.0.count) } ?? path)
            }
            #expect(result == Set(after.keys), "seed \(seed), \(old) to \(new)")
        }
    }

    /// Every path of a version.
    private func listing(_ jid: JID) throws -> [String: TreeNodeKind] {
        let namespace = try folder.namespace
        return try folder.store.read { connection in
            let view = TreeView(namespace, connection, asOf: jid)
            var found: [String: TreeNodeKind] = [:]
            var stack: [(String, NodeID)] = [("", view.root)]
            while let (path, directory) = stack.popLast() {
                try view.forEachChild(of: directory) { child in
                    let path = path.isEmpty ? child.name : path + "/" + child.name
                    found[path] = child.kind
                    if child.kind == .directory { stack.append((path, child.id)) }
                }
            }
            return found
        }
    }
}

extension Folder {
    /// The nodes that are live, in the order of their ids.
    fileprivate func live() throws -> [TreeNode] {
        let namespace = try namespace
        return try store.read { connection in
            let view = TreeView(namespace, connection)
            var found: [TreeNode] = []
            var stack = [view.root]
            while let directory = stack.popLast() {
                try view.forEachChild(of: directory) { child in
                    found.append(child)
                    if child.kind == .directory { stack.append(child.id) }
                }
            }
            return found
        }
    }
}
