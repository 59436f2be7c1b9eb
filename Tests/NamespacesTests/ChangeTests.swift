import Catalog
import Foundation
import Multiformats
import Namespaces
import TestKit
import Testing
import TreeValues

/// What a change is checked against: the table of docs/formats/namespaces.md, row by row.
@Suite struct ChangeTests {

    @Test(arguments: Engine.all) func changesAreNumberedWithoutAHole(engine: Engine) throws {
        let folder = try Folder(engine)
        let soups = try folder.directory("soups")
        let borscht = try folder.put("borscht.txt", 5, in: soups)
        #expect(soups.revision == 1 && borscht.revision == 2 && borscht.contentRevision == 2)
        try folder.must(.move(borscht.id, to: folder.place("beet.txt", in: soups), base: 2))
        try folder.must(.delete(soups.id, base: 1, newestBelow: 3))
        let namespace = try folder.namespace
        #expect(namespace.head == 4 && namespace.nodes == 0 && namespace.bytes == 0)
        let entries = try folder.store.changes(of: namespace, after: 0).entries
        #expect(entries.map(\.jid) == [1, 2, 3, 4])
        #expect(entries.map(\.operation) == [.create, .create, .move, .delete])
        #expect(try entries[2].origin == folder.place("borscht.txt", in: soups))
        #expect(entries[3].below == 2)
        #expect(entries.allSatisfy { $0.author.device == "laptop" && $0.author.user == "somebody" })
        #expect(try folder.store.catalogProblems() == [])
    }

    /// One that had it would be below itself.
    @Test(arguments: Engine.all) func nothingNewHasTheIdOfTheRoot(engine: Engine) throws {
        let folder = try Folder(engine)
        let root = try folder.root
        for change: TreeChange in [
            .put(.init(file(1), node: root, place: try folder.place("a"))),
            .put(.init(.symlink("b"), node: root, place: try folder.place("a"))),
            .makeDirectory(at: try folder.place("a"), node: root, .init()),
        ] {
            #expect(try folder.commit(change) == [.refused(.idOfRoot(root))])
        }
        for change: TreeChange in [
            .move(root, to: try folder.place("a"), base: 0), .delete(root, base: 0, newestBelow: 0),
            .setAttributes(root, .init(mode: 0o700)), .restore(root, to: nil),
        ] {
            #expect(try folder.commit(change) == [.refused(.unknownNode(root))])
        }
        #expect(try folder.namespace.head == 0)
    }

    @Test(arguments: Engine.all) func anEditOfWhatSomebodyElseEditedIsAConflict(engine: Engine) throws {
        let folder = try Folder(engine)
        let node = try folder.put("a", 1)
        try folder.must(.put(.init(file(2), node: node.id, base: node.contentRevision)))
        let stale = try folder.commit(.put(.init(file(3), node: node.id, base: node.contentRevision)))[0]
        guard case .conflict(.stale, let current?) = stale else {
            Issue.record("\(stale)")
            return
        }
        #expect(current.contentRevision == 2)
        // The same content is no conflict, and no entry.
        let same = try folder.commit(.put(.init(file(2), node: node.id, base: node.contentRevision)))[0]
        #expect(same == .done(current, isNew: false))
        #expect(try folder.namespace.head == 2)
    }

    @Test(arguments: Engine.all) func aMoveAndAnEditMeanwhileBothStand(engine: Engine) throws {
        let folder = try Folder(engine)
        let node = try folder.put("a", 1)
        try folder.must(.put(.init(file(2), node: node.id, base: 1)))
        let moved = try folder.must(.move(node.id, to: folder.place("b"), base: 1))
        #expect(moved.content == node.with(file(2)).content && moved.contentRevision == 2)
        // And the other way: an edit that has not seen the move.
        let edited = try folder.must(.put(.init(file(3), node: node.id, base: 2)))
        #expect(edited.name == "b")
        // Two moves to different places: the first stands.
        let second = try folder.commit(.move(node.id, to: folder.place("c"), base: 1))[0]
        #expect(second == .conflict(.moved, current: edited))
        #expect(
            try folder.commit(.move(node.id, to: folder.place("b"), base: 1))[0]
                == .done(edited, isNew: false))
    }

    @Test(arguments: Engine.all) func namesThatAreTakenAreConflicts(engine: Engine) throws {
        let folder = try Folder(engine)
        let node = try folder.put("a", 1)
        let other = try folder.commit(.put(.init(file(2), place: folder.place("a"))))[0]
        #expect(other == .conflict(.nameTaken, current: node))
        let equal = try folder.commit(.put(.init(file(1), place: folder.place("a"))))[0]
        #expect(equal == .done(node, isNew: false))
        let directory = try folder.commit(.makeDirectory(at: folder.place("a"), node: nil, .init()))[0]
        #expect(directory == .conflict(.nameTaken, current: node))
        let made = try folder.directory("d")
        #expect(
            try folder.commit(.makeDirectory(at: folder.place("d"), node: nil, .init()))[0]
                == .done(made, isNew: false))
        let b = try folder.put("b", 3)
        #expect(
            try folder.commit(.move(b.id, to: folder.place("a"), base: b.revision))[0]
                == .conflict(.nameTaken, current: node))
        #expect(try folder.namespace.head == 3)
    }

    @Test(arguments: Engine.all) func namesThatDifferByCaseOrFormAreTakenUnlessAllowed(engine: Engine) throws
    {
        let folder = try Folder(engine)
        let composed = "Cr\u{E8}me"
        let decomposed = "Cre\u{300}me"
        let node = try folder.put(composed, 1)
        for name in [decomposed, "CR\u{C8}ME", "cr\u{E8}me"] {
            #expect(
                try folder.commit(.put(.init(file(2), place: folder.place(name))))[0]
                    == .conflict(.nameTaken, current: node))
        }
        // The node itself may change its spelling.
        let renamed = try folder.must(.move(node.id, to: folder.place("cr\u{E8}me"), base: 1))
        #expect(Array(renamed.name.utf8) == Array("cr\u{E8}me".utf8))

        var policy = NamespacePolicy()
        policy.letterCase = .sensitive
        let sensitive = try Folder(engine, policy: policy)
        try sensitive.put("README", 1)
        try sensitive.put("readme", 2)
        #expect(try sensitive.namespace.nodes == 2)
    }

    @Test(arguments: Engine.all) func objectsMayHaveNamesThatFilesMayNot(engine: Engine) throws {
        var policy = NamespacePolicy()
        policy.names = .objects
        let folder = try Folder(engine, policy: policy)
        try folder.put("a", 1)
        let directory = try folder.directory("a")
        try folder.put("", 2, in: directory)
        try folder.put("A", 3)
        try folder.put("a.b", 4)
        try folder.put("..", 5)
        let keys = try folder.store.children(of: nil, in: folder.namespace).map(\.nameKey)
        #expect(keys == ["..", "A", "a", "a.b", "a/"])
    }

    @Test func badInput38namesThatNoFileSystemHoldsAreRefused() throws {
        let folder = try Folder()
        let long = String(repeating: "x", count: 256)
        let cases: [(String, NameProblem)] = [
            ("", .empty), (".", .isReserved), ("..", .isReserved), ("a/b", .containsSlash),
            ("a\0b", .containsNUL), (long, .tooLong(bytes: 256, maximum: 255)),
        ]
        for (name, problem) in cases {
            #expect(
                try folder.commit(.put(.init(file(1), place: folder.place(name))))[0]
                    == .refused(.badName(problem)))
        }
        try folder.put(String(repeating: "x", count: 255), 1)
        #expect(try folder.namespace.head == 1)
    }

    @Test func pathsHaveAtMostSixtyFourLevelsAndFourThousandBytes() throws {
        let folder = try Folder()
        var parent: TreeNode?
        for _ in 0..<63 { parent = try folder.directory("d", in: parent) }
        try folder.put("deepest", 1, in: parent)
        let last = try folder.directory("last", in: parent)
        #expect(
            try folder.commit(.put(.init(file(2), place: folder.place("x", in: last))))[0]
                == .refused(.badName(.tooDeep(levels: 65, maximum: 64))))
        let name = String(repeating: "n", count: 255)
        parent = nil
        for _ in 0..<15 { parent = try folder.directory(name, in: parent) }
        let outcome = try folder.commit(.put(.init(file(2), place: folder.place(name, in: parent))))[0]
        #expect(outcome.isDone)
        parent = try folder.directory("16", in: parent)
        let longest = String(repeating: "n", count: 253)
        #expect(try folder.commit(.put(.init(file(2), place: folder.place(longest, in: parent))))[0].isDone)
        #expect(
            try folder.commit(.put(.init(file(2), place: folder.place(longest + "n", in: parent))))[0]
                == .refused(.badName(.pathTooLong(bytes: 4097, maximum: 4096))))
    }

    /// A directory could be moved so that what was in it was too deep, or had too long a path.
    @Test(arguments: Engine.all) func aMovedDirectoryTakesNothingBeyondTheLimits(engine: Engine) throws {
        let folder = try Folder(engine)
        var deep: TreeNode?
        for _ in 0..<60 { deep = try folder.directory("d", in: deep) }
        let top = try folder.directory("top")
        var below = top
        for _ in 0..<3 { below = try folder.directory("e", in: below) }
        let place = try folder.place("top", in: deep)
        let deepest = try folder.commit(.move(top.id, to: place, base: top.revision))[0]
        #expect(deepest.isDone, "64 levels")
        let moved = try folder.namespace.head
        let back = try folder.commit(.move(top.id, to: folder.place("top"), base: moved))[0]
        #expect(back.isDone)
        try folder.put("file", 1, in: below)
        let head = try folder.namespace.head
        #expect(
            try folder.commit(.move(top.id, to: place, base: head))[0]
                == .refused(.badName(.tooDeep(levels: 65, maximum: 64))))
        let unchanged = try folder.namespace.head
        #expect(unchanged == head)
        // Where it does not go deeper nothing is in the way.
        let renamed = try folder.commit(.move(top.id, to: folder.place("Top"), base: head))[0]
        #expect(renamed.isDone)

        let name = String(repeating: "n", count: 255)
        var parent: TreeNode?
        for _ in 0..<15 { parent = try folder.directory(name, in: parent) }
        let short = try folder.directory("s")
        // Bytes count, not characters.
        try folder.put(String(repeating: "ü", count: 127) + "n", 2, in: short)
        #expect(
            try folder.commit(.move(short.id, to: folder.place("s", in: parent), base: short.revision))[0]
                == .refused(.badName(.pathTooLong(bytes: 15 * 256 + 2 + 255, maximum: 4096))))
    }

    /// Each item of a commit is told its own reason, also below a directory that was refused.
    @Test func whatIsBelowARefusedDirectoryIsRefusedForTheSameReason() throws {
        let folder = try Folder()
        var parent: TreeNode?
        for _ in 0..<63 { parent = try folder.directory("d", in: parent) }
        let ids = (1...3).map { NodeID(bits: $0) }
        func inside(_ index: Int, _ name: String) -> JournalEntry.Place {
            JournalEntry.Place(parent: ids[index], name: name)
        }
        let head = try folder.namespace.head
        let outcomes = try folder.commit(
            .makeDirectory(at: folder.place("64", in: parent), node: ids[0], .init()),
            .makeDirectory(at: inside(0, "65"), node: ids[1], .init()),
            .makeDirectory(at: inside(1, "66"), node: ids[2], .init()),
            .put(.init(file(1), place: inside(2, "67"))),
            .put(.init(file(2), place: inside(0, "also 65"))))
        #expect(outcomes[0].isDone)
        for (outcome, levels) in zip(outcomes.dropFirst(), [65, 66, 67, 65]) {
            #expect(outcome == .refused(.badName(.tooDeep(levels: levels, maximum: 64))))
        }
        #expect(try folder.namespace.head == head + 1)

        let name = String(repeating: "n", count: 255)
        parent = nil
        for _ in 0..<15 { parent = try folder.directory(name, in: parent) }
        let long = (11...12).map { NodeID(bits: $0) }
        parent = try folder.directory("n", in: parent)
        let refused = try folder.commit(
            .makeDirectory(at: folder.place(name, in: parent), node: long[0], .init()),
            .put(.init(file(1), place: JournalEntry.Place(parent: long[0], name: "abc"))),
            .makeDirectory(at: folder.place("a\0"), node: long[1], .init()),
            .put(.init(file(1), place: JournalEntry.Place(parent: long[1], name: "abc"))))
        #expect(refused[0] == .refused(.badName(.pathTooLong(bytes: 4097, maximum: 4096))))
        #expect(refused[1] == .refused(.badName(.pathTooLong(bytes: 4101, maximum: 4096))))
        #expect(refused[3] == .refused(.badName(.containsNUL)))
        // A directory that nobody heard of is still missing.
        let unknown = JournalEntry.Place(parent: NodeID(bits: 99), name: "x")
        let absent = try folder.commit(.put(.init(file(1), place: unknown)))[0]
        #expect(absent == .conflict(.parentMissing, current: nil))
    }

    @Test(arguments: Engine.all) func aDirectoryWithUnseenContentIsNotDeleted(engine: Engine) throws {
        let folder = try Folder(engine)
        let directory = try folder.directory("d")
        let deeper = try folder.directory("deeper", in: directory)
        let seen = try folder.put("seen", 1, in: deeper)
        try folder.put("unseen", 2, in: deeper)
        #expect(
            try folder.commit(.delete(directory.id, base: 1, newestBelow: seen.revision))[0]
                == .conflict(.notEmpty, current: directory))
        let outcome = try folder.commit(.delete(directory.id, base: 1, newestBelow: 4))[0]
        #expect(outcome.isDone)
        // What is below is not live any more.
        #expect(
            try folder.commit(.setAttributes(seen.id, .init(modified: 5)))[0]
                == .conflict(.stale, current: seen))
        #expect(
            try folder.commit(.put(.init(file(9), place: folder.place("x", in: deeper))))[0]
                == .conflict(.parentMissing, current: deeper))
        #expect(try folder.store.path(of: seen.id, in: folder.namespace) == nil)
    }

    @Test(arguments: Engine.all) func anEditBringsADeletedFileBackUnderItsID(engine: Engine) throws {
        let folder = try Folder(engine)
        let node = try folder.put("a", 1)
        try folder.must(.delete(node.id, base: 1, newestBelow: 0))
        let back = try folder.must(.put(.init(file(2), node: node.id, base: 1)))
        #expect(back.id == node.id && !back.isDeleted && back.contentRevision == 3)
        // Out of a directory that is gone, to another place.
        let directory = try folder.directory("d")
        let inside = try folder.put("b", 3, in: directory)
        try folder.must(.delete(directory.id, base: directory.revision, newestBelow: inside.revision))
        let edit = TreeChange.Put(file(4), node: inside.id, base: inside.contentRevision)
        #expect(
            try folder.commit(.put(edit))[0] == .conflict(.parentMissing, current: folder.node(directory.id)))
        var elsewhere = edit
        elsewhere.place = try folder.place("b")
        let moved = try folder.must(.put(elsewhere))
        #expect(try moved.id == inside.id && moved.parent == folder.root)
        #expect(try folder.namespace.nodes == 2)
        #expect(try folder.namespace.bytes == 6)
    }

    @Test(arguments: Engine.all) func aDeleteOfWhatChangedMeanwhileLeavesIt(engine: Engine) throws {
        let folder = try Folder(engine)
        let node = try folder.put("a", 1)
        let edited = try folder.must(.put(.init(file(2), node: node.id, base: 1)))
        #expect(
            try folder.commit(.delete(node.id, base: 1, newestBelow: 0))[0]
                == .conflict(.stale, current: edited))
        try folder.must(.delete(node.id, base: 2, newestBelow: 0))
        let again = try folder.commit(.delete(node.id, base: 2, newestBelow: 0))[0]
        #expect(again.isDone)
        #expect(try folder.namespace.head == 3)
    }

    @Test(arguments: Engine.all) func aDirectoryNeverComesToBeBelowItself(engine: Engine) throws {
        let folder = try Folder(engine)
        let a = try folder.directory("a")
        let b = try folder.directory("b", in: a)
        #expect(
            try folder.commit(.move(a.id, to: folder.place("a", in: b), base: a.revision))[0]
                == .conflict(.cycle, current: a))
        #expect(
            try folder.commit(.move(a.id, to: folder.place("a", in: a), base: a.revision))[0]
                == .conflict(.cycle, current: a))
        let c = try folder.directory("c")
        try folder.must(.move(c.id, to: folder.place("c", in: b), base: c.revision))
        #expect(try folder.store.path(of: c.id, in: folder.namespace) == "a/b/c")
    }

    @Test(arguments: Engine.all) func aDirectoryMovesGoesAndComesBackByOneEntry(engine: Engine) throws {
        let folder = try Folder(engine)
        let directory = try folder.directory("many")
        let puts = try (1...300).map { number in
            try TreeOperation(.put(.init(file(number), place: folder.place("f\(number)", in: directory))))
        }
        _ = try folder.store.commit(puts, to: folder.id, author: folder.author)
        let full = try folder.namespace
        #expect(full.head == 301 && full.nodes == 301 && full.bytes == 300 * 301 / 2)
        try folder.must(.move(directory.id, to: folder.place("renamed"), base: 1))
        #expect(try folder.namespace.head == 302)
        var options = NamespaceStore.CommitOptions()
        options.allowsMassDelete = true
        _ = try folder.store.commit(
            [TreeOperation(.delete(directory.id, base: 302, newestBelow: 301))], to: folder.id,
            author: folder.author, options: options)
        #expect(try folder.namespace.nodes == 0)
        #expect(try folder.namespace.bytes == 0)
        let back = try folder.must(.restore(directory.id, to: nil))
        #expect(back.revision == 304 && back.name == "renamed")
        #expect(try folder.namespace.nodes == 301)
        #expect(try folder.namespace.bytes == full.bytes)
        #expect(try folder.store.children(of: directory.id, in: folder.namespace).count == 300)
        #expect(try folder.store.changes(of: folder.namespace, after: 303).entries.first?.below == 301)
    }

    @Test(arguments: Engine.all) func anOperationThatIsSentAgainIsAnsweredAsTheFirstTime(engine: Engine)
        throws
    {
        let folder = try Folder(engine)
        let id = OperationID(bits: 77)
        let operation = TreeOperation(.put(.init(file(1), place: try folder.place("a"))), id: id)
        let first = try folder.store.commit([operation], to: folder.id, author: folder.author)
        let second = try folder.store.commit([operation], to: folder.id, author: folder.author)
        guard case .done(let node, true) = first.outcomes[0] else {
            Issue.record("\(first)")
            return
        }
        #expect(second.outcomes == [.done(node, isNew: false)])
        // Even when the node has moved on since.
        try folder.must(.put(.init(file(2), node: node.id, base: 1)))
        let third = try folder.store.commit([operation], to: folder.id, author: folder.author)
        #expect(third.outcomes == [.done(node, isNew: false)])
        #expect(try folder.namespace.head == 2)
    }

    @Test(arguments: Engine.all) func allOrNothingLeavesNothing(engine: Engine) throws {
        let folder = try Folder(engine)
        try folder.put("taken", 1)
        let operations = try [
            TreeOperation(.put(.init(file(2), place: folder.place("new")))),
            TreeOperation(.put(.init(file(3), place: folder.place("taken")))),
        ]
        var options = NamespaceStore.CommitOptions()
        options.isAtomic = true
        #expect {
            try folder.store.commit(operations, to: folder.id, author: folder.author, options: options)
        } throws: {
            if case NamespaceError.notAtomic(1, .conflict(.nameTaken, _)) = $0 { true } else { false }
        }
        #expect(try folder.namespace.head == 1)
        #expect(try folder.store.children(of: nil, in: folder.namespace).map(\.name) == ["taken"])
    }

    @Test func anotherEpochIsRefused() throws {
        let folder = try Folder()
        var options = NamespaceStore.CommitOptions()
        options.epoch = try folder.namespace.epoch &+ 1
        #expect(throws: NamespaceError.self) {
            try folder.store.commit([], to: folder.id, author: folder.author, options: options)
        }
    }

    /// What clients say of sizes is added up, and must not end the program.
    @Test func sizesThatNoFileHasAreRefused() throws {
        let folder = try Folder()
        guard case .file(let root, _) = file(1) else { return }
        for bytes in [Int64.min, -1, NodeContent.maximumFileBytes + 1, Int64.max] {
            #expect(
                try folder.commit(.put(.init(.file(root, bytes: bytes), place: folder.place("a"))))[0]
                    == .refused(.sizeNotAllowed(bytes: bytes, maximum: NodeContent.maximumFileBytes)))
        }
        // 2^44 bytes each: the 524,288th would be one too many, so the counter is brought near its end.
        _ = try folder.store.catalog.namespaces.change(folder.id) { $0.bytes = .max - 5 }
        #expect(
            try folder.commit(.put(.init(.file(root, bytes: 6), place: folder.place("a"))))[0]
                == .refused(.quotaExceeded(.bytes, limit: .max, wanted: .max)))
        try folder.must(.put(.init(.file(root, bytes: 5), place: folder.place("a"))))
    }

    @Test(arguments: Engine.all) func quotasHold(engine: Engine) throws {
        var policy = NamespacePolicy()
        policy.maximumBytes = 100
        policy.maximumNodes = 3
        let folder = try Folder(engine, policy: policy)
        let node = try folder.put("a", 60)
        #expect(
            try folder.commit(.put(.init(file(41), place: folder.place("b"))))[0]
                == .refused(.quotaExceeded(.bytes, limit: 100, wanted: 101)))
        #expect(
            try folder.commit(.put(.init(file(101), node: node.id, base: 1)))[0]
                == .refused(.quotaExceeded(.bytes, limit: 100, wanted: 101)))
        try folder.must(.put(.init(file(100), node: node.id, base: 1)))
        try folder.directory("b")
        try folder.directory("c")
        #expect(
            try folder.commit(.makeDirectory(at: folder.place("d"), node: nil, .init()))[0]
                == .refused(.quotaExceeded(.entries, limit: 3, wanted: 4)))
        let refusal = ChangeRefusal.quotaExceeded(.entries, limit: 3, wanted: 4)
        #expect(
            refusal.description.hasPrefix("the namespace may hold 3 files and folders, and would hold 4;"))
    }
}

extension NamespaceStore {
    /// What is wrong with the catalog behind it.
    func catalogProblems() throws -> [CatalogProblem] { try catalog.problems() }
}

extension Folder {
    /// The newest state of a node.
    func node(_ id: NodeID) throws -> TreeNode? { try store.node(id, in: namespace) }
}

extension TreeNode {
    /// The same node with other content.
    func with(_ content: NodeContent) -> TreeNode {
        var node = self
        if case .file(let root, let bytes) = content { (node.content, node.size) = (root, bytes) }
        return node
    }
}
