import Catalog
@testable import Namespaces
import TestKit
import Testing
import TreeValues

/// Earlier states come back by new entries, whatever happened since.
@Suite struct RestoreTests {
    /// Every live path and what is there.
    private func tree(_ folder: Folder) throws -> [String: TreeNode] {
        var found: [String: TreeNode] = [:]
        var stack: [(NodeID?, String)] = [(nil, "")]
        while let (directory, path) = stack.popLast() {
            for child in try folder.store.children(of: directory, in: folder.namespace) {
                var same = child
                // What a restore may change: it is a later change.
                (same.revision, same.contentRevision) = (0, 0)
                found[path + child.name] = same
                if child.kind == .directory { stack.append((child.id, path + child.name + "/")) }
            }
        }
        return found
    }

    @Test(arguments: Engine.all) func namesThatWentRoundInACircleComeBack(engine: Engine) throws {
        let folder = try Folder(engine)
        let (a, b) = (try folder.put("a", 1), try folder.put("b", 2))
        let before = try tree(folder)
        try folder.must(.move(a.id, to: folder.place("c"), base: a.revision))
        try folder.must(.move(b.id, to: folder.place("a"), base: b.revision))
        try folder.must(.move(a.id, to: folder.place("b"), base: 3))
        let result = try folder.store.restore(folder.id, asOf: 2, author: folder.author)
        #expect(result.entries == 2 && result.head == 7)
        #expect(try tree(folder) == before)
        #expect(try folder.store.restore(folder.id, asOf: 2, author: folder.author).entries == 0)
        #expect(try folder.store.catalogProblems() == [])
    }

    @Test(arguments: Engine.all) func aFileDoesNotComeBackWhereItCannotBeSeen(engine: Engine) throws {
        let folder = try Folder(engine)
        let soups = try folder.directory("soups")
        let soup = try folder.put("soup", 1, in: soups)
        let then = try folder.namespace.head
        try folder.must(.move(soup.id, to: folder.place("elsewhere"), base: soup.revision))
        let other = try folder.put("soup", 2, in: soups)
        #expect(throws: NamespaceError.placeTaken("elsewhere")) {
            try folder.store.restore(folder.id, path: "elsewhere", asOf: then, author: folder.author)
        }
        try folder.must(.move(other.id, to: folder.place("other"), base: other.revision))
        let head = try folder.namespace.head
        try folder.must(.delete(soups.id, base: soups.revision, newestBelow: head))
        // Its folder is made again, without what else was in it.
        _ = try folder.store.restore(folder.id, path: "elsewhere", asOf: then, author: folder.author)
        #expect(Set(try tree(folder).keys) == ["other", "soups", "soups/soup"])
        #expect(try folder.store.catalogProblems() == [])
    }

    /// Machines send what the rules do not leave out: earlier rules come back where they are asked for alone.
    @Test(arguments: Engine.all) func theRulesStayAsTheyAre(engine: Engine) throws {
        let folder = try Folder(engine)
        func restore(_ path: String = "", to jid: JID, rules: Bool = false) throws -> [String] {
            try folder.store.restore(
                folder.id, path: path, asOf: jid, bringingBackRules: rules, author: folder.author
            ).kept
        }
        let soups = try folder.directory("soups")
        let rules = try folder.put("rules", 1, in: soups)
        let soup = try folder.put("soup", 2)
        let before = try folder.namespace.head
        try folder.must(.move(rules.id, to: folder.place(".syncignore"), base: rules.revision))
        let first = try folder.namespace.head
        try folder.must(.put(.init(file(3), node: rules.id, base: rules.contentRevision)))
        try folder.must(.delete(soup.id, base: soup.revision, newestBelow: try folder.namespace.head))
        for (path, jid) in [("", before), ("", first), ("soups", before)] {
            #expect(try restore(path, to: jid) == [".syncignore"], "\(path) \(jid)")
            #expect(try tree(folder)[".syncignore"]?.size == 3)
            #expect(try tree(folder)["soups/rules"] == nil)
        }
        #expect(try tree(folder)["soup"]?.id == soup.id)
        #expect(try restore(".syncignore", to: first).isEmpty)
        #expect(try tree(folder)[".syncignore"]?.size == 1)
        #expect(try restore("", to: first).isEmpty)
        #expect(try restore("", to: before, rules: true).isEmpty)
        #expect(Set(try tree(folder).keys) == ["soup", "soups", "soups/rules"])

        // Rules that are not there now come back, and others that had their place stay in the trash.
        #expect(try restore("", to: first).isEmpty)
        let current = try #require(try folder.store.node(rules.id, in: folder.namespace))
        let then = try folder.namespace.head
        try folder.must(.delete(current.id, base: current.revision, newestBelow: try folder.namespace.head))
        let other = try folder.put(".syncignore", 9)
        #expect(try restore("", to: then) == [".syncignore"])
        #expect(try tree(folder)[".syncignore"]?.id == other.id)
        #expect(try folder.store.catalogProblems() == [])
    }

    /// `mv soup old; echo new > soup`: what was at the path comes back, and nothing that is elsewhere goes.
    @Test(arguments: Engine.all) func anotherFileAtThePathGetsTheContentThatWasThere(engine: Engine) throws {
        let folder = try Folder(engine)
        let soup = try folder.put("soup", 1)
        let then = try folder.namespace.head
        try folder.must(.move(soup.id, to: folder.place("old"), base: soup.revision))
        let other = try folder.put("soup", 2)
        try folder.store.requireContent(of: then, path: "soup", in: folder.namespace)
        let done = try folder.store.restore(folder.id, path: "soup", asOf: then, author: folder.author)
        let after = try tree(folder)
        #expect(done.entries == 1 && Set(after.keys) == ["old", "soup"])
        #expect(after["soup"]?.id == other.id && after["soup"]?.content == soup.content)
        #expect(after["old"]?.id == soup.id)
        #expect(try folder.namespace.bytes == 2)
        #expect(
            try folder.store.restore(folder.id, path: "soup", asOf: then, author: folder.author).entries == 0)
        // What was not there yet goes only where that is meant, and what was elsewhere goes back.
        #expect(throws: NamespaceError.pathNotThen("soup", 0)) {
            try folder.store.requireContent(of: 0, path: "soup", in: folder.namespace)
        }
        try folder.store.requireContent(of: then, path: "old", in: folder.namespace)
        #expect(try folder.store.catalogProblems() == [])
    }

    @Test(arguments: Engine.all) func anotherFolderAtThePathMakesWay(engine: Engine) throws {
        let folder = try Folder(engine)
        let soups = try folder.directory("soups")
        let soup = try folder.put("soup", 1, in: soups)
        let then = try folder.namespace.head
        let full = try tree(folder)
        try folder.must(.delete(soups.id, base: soups.revision, newestBelow: then))
        // An empty one, one with other content, a file.
        let empty = try folder.directory("soups")
        for round in 0..<3 {
            if round == 1 { try folder.put("bread", 5, in: empty) }
            if round == 2 { try folder.put("soups", 7) }
            let done = try folder.store.restore(folder.id, path: "soups", asOf: then, author: folder.author)
            #expect(done.entries == 2, "\(round)")
            #expect(try tree(folder) == full)
            #expect(try tree(folder)["soups/soup"]?.id == soup.id)
            let head = try folder.namespace.head
            try folder.must(.delete(soups.id, base: head, newestBelow: head))
            guard round == 0 else { continue }
            try folder.must(.restore(empty.id, to: nil))
        }
        #expect(try folder.store.catalogProblems() == [])
    }

    /// A file, whose folders were deleted, comes back alone, in folders of the same names.
    @Test(arguments: Engine.all) func foldersThatAreGoneAreMadeAgain(engine: Engine) throws {
        let folder = try Folder(engine)
        let soups = try folder.directory("soups")
        let cold = try folder.directory("cold", in: soups)
        let first = try folder.put("gazpacho", 1, in: cold)
        try folder.put("vichyssoise", 2, in: cold)
        let then = try folder.namespace.head
        try folder.must(.put(.init(file(3), node: first.id, base: first.contentRevision)))
        var namespace = try folder.namespace
        let before = (namespace.nodes, namespace.bytes)
        try folder.must(.delete(soups.id, base: soups.revision, newestBelow: namespace.head))

        let done = try folder.store.restore(
            folder.id, path: "soups/cold/gazpacho", asOf: then, author: folder.author)
        #expect(try folder.namespace.head == done.head && done.entries == 4)
        let after = try tree(folder)
        #expect(Set(after.keys) == ["soups", "soups/cold", "soups/cold/gazpacho"])
        #expect(after["soups/cold/gazpacho"]?.content == first.content)
        #expect(after["soups/cold/gazpacho"]?.id == first.id)
        #expect(after["soups"]?.id != soups.id && after["soups"]?.modified == soups.modified)
        namespace = try folder.namespace
        #expect((namespace.nodes, namespace.bytes) == (3, 1))

        // Again: nothing is to do. A second file goes into the folders that are there by now.
        #expect(
            try folder.store.restore(
                folder.id, path: "soups/cold/gazpacho", asOf: then, author: folder.author
            ).entries == 0)
        let second = try folder.store.restore(
            folder.id, path: "soups/cold/vichyssoise", asOf: then, author: folder.author)
        #expect(second.entries == 1)
        namespace = try folder.namespace
        #expect((namespace.nodes, namespace.bytes) == (before.0, 3))
        #expect(try folder.store.catalogProblems() == [])
    }

    @Test(arguments: Engine.all) func aFolderInAFolderThatIsGoneComesBackWhole(engine: Engine) throws {
        let folder = try Folder(engine)
        let soups = try folder.directory("soups")
        let cold = try folder.directory("cold", in: soups)
        try folder.put("gazpacho", 1, in: cold)
        try folder.put("borscht", 2, in: soups)
        let then = try folder.namespace.head
        try folder.must(.delete(cold.id, base: cold.revision, newestBelow: then))
        let head = try folder.namespace.head
        try folder.must(.delete(soups.id, base: soups.revision, newestBelow: head))
        _ = try folder.store.restore(folder.id, path: "soups/cold", asOf: then, author: folder.author)
        #expect(Set(try tree(folder).keys) == ["soups", "soups/cold", "soups/cold/gazpacho"])
        #expect(try folder.namespace.nodes == 3 && folder.namespace.bytes == 1)

        // A file has the name of the folder by now: nothing is changed.
        let taken = try folder.put("broth", 5)
        let made = try folder.directory("stocks")
        try folder.put("brown", 7, in: made)
        let full = try folder.namespace.head
        try folder.must(.delete(made.id, base: made.revision, newestBelow: full))
        try folder.must(.move(taken.id, to: folder.place("stocks"), base: taken.revision))
        let last = try folder.namespace.head
        #expect(throws: NamespaceError.placeTaken("stocks/brown")) {
            try folder.store.restore(folder.id, path: "stocks/brown", asOf: full, author: folder.author)
        }
        #expect(try folder.namespace.head == last)
        #expect(try folder.store.catalogProblems() == [])
    }

    @Test(arguments: Engine.all) func noMoreComesBackThanTheQuotaAllows(engine: Engine) throws {
        let folder = try Folder(engine)
        let soup = try folder.put("soup", 900)
        try folder.put("bread", 50)
        let head = try folder.namespace.head
        try folder.must(.delete(soup.id, base: soup.revision, newestBelow: 0))
        var policy = NamespacePolicy()
        policy.maximumBytes = 100
        let json = policy.json
        _ = try folder.store.catalog.namespaces.change(folder.id) { $0.policy = json }
        #expect(throws: NamespaceError.quotaExceeded(.bytes, limit: 100, wanted: 950)) {
            try folder.store.restore(folder.id, asOf: head, author: folder.author)
        }
        let item = try folder.store.trashItem("soup", of: folder.namespace)
        #expect(throws: NamespaceError.self) {
            try folder.store.restoreFromTrash(item, of: folder.namespace, author: folder.author)
        }
        (policy.maximumBytes, policy.maximumNodes) = (nil, 1)
        let nodes = policy.json
        _ = try folder.store.catalog.namespaces.change(folder.id) { $0.policy = nodes }
        #expect(throws: NamespaceError.quotaExceeded(.entries, limit: 1, wanted: 2)) {
            try folder.store.restore(folder.id, asOf: head, author: folder.author)
        }
        // Less is always possible.
        #expect(try folder.store.restore(folder.id, asOf: 0, author: folder.author).entries == 1)
        #expect(try folder.namespace.nodes == 0)
    }

    @Test(arguments: Engine.all) func aDamagedRowIsNotBroughtBack(engine: Engine) throws {
        let folder = try Folder(engine)
        let soup = try folder.put("soup", 1)
        try folder.must(.put(.init(file(2), node: soup.id, base: soup.contentRevision)))
        let database = folder.store.catalog.namespaces.database
        try database.write { _ = try $0.execute("UPDATE tree_journal SET size = 7 WHERE jid = 1") }
        let error = #expect(throws: CatalogError.self) {
            try folder.store.restore(folder.id, asOf: 1, author: folder.author)
        }
        #expect(error?.isDamage == true)
        #expect(try folder.namespace.head == 2)
    }

    /// Where an entry says that it follows one of another node, nothing of that node is taken for this one's,
    /// and nothing is deleted for want of an earlier state.
    @Test(arguments: Engine.all, [1, 2])
    func anEntryThatFollowsAnotherNodesIsDamage(engine: Engine, previous: Int) throws {
        let folder = try Folder(engine)
        _ = try folder.put("salad", 3)
        let soup = try folder.put("soup", 1)
        try folder.must(.put(.init(file(2), node: soup.id, base: soup.contentRevision)))
        let database = folder.store.catalog.namespaces.database
        try database.write {
            _ = try $0.execute("UPDATE tree_journal SET previous = \(previous) WHERE jid = 3")
        }
        let restore = { try folder.store.restore(folder.id, asOf: 2, author: folder.author) }
        // PostgreSQL looks for the entry, and does not read of what it follows.
        if previous == 2 || engine == .postgresql {
            #expect(try restore().entries == 1)
            #expect(try tree(folder)["soup"]?.size == 1)
        } else {
            let error = #expect(throws: CatalogError.self) { try restore() }
            #expect(error?.isDamage == true)
            #expect(try folder.namespace.head == 3)
        }
    }

    @Test func onlyAFolderCanBeRestored() throws {
        let folder = try Folder()
        let (soups, cakes) = (try folder.directory("soups"), try folder.directory("cakes"))
        let soup = try folder.put("soup", 1, in: soups)
        let cake = try folder.put("cake", 2, in: cakes)
        let then = try folder.namespace.head
        try folder.must(.put(.init(file(3), node: soup.id, base: soup.contentRevision)))
        let newCake = try folder.must(.put(.init(file(4), node: cake.id, base: cake.contentRevision)))
        try folder.put("later", 5, in: soups)
        let result = try folder.store.restore(folder.id, path: "/soups", asOf: then, author: folder.author)
        #expect(result.entries == 2)
        #expect(try folder.node(soup.id)?.content == soup.content)
        #expect(try folder.node(cake.id) == newCake)
        #expect(try folder.store.children(of: soups.id, in: folder.namespace).map(\.name) == ["soup"])
        #expect(throws: NamespaceError.pathAbsent("no")) {
            try folder.store.restore(folder.id, path: "no", asOf: then, author: folder.author)
        }
        #expect(throws: NamespaceError.versionAbsent(99, head: result.head)) {
            try folder.store.restore(folder.id, asOf: 99, author: folder.author)
        }
    }

    /// What a restore leaves: entries, nodes, counters.
    private struct Outcome: Equatable {
        var entries: [JournalEntry] = []
        var nodes: [NodeID: TreeNode] = [:]
        var totals: [Int64] = []
    }

    private func outcome(
        _ folder: Folder, _ connection: any SQLConnection, after head: JID, _ known: [NodeID]
    ) throws -> Outcome {
        let namespace = try #require(try NamespaceRepository.find(folder.id, connection))
        let tables = TreeTables(connection, of: namespace)
        var outcome = Outcome()
        outcome.entries = try tables.entries(after: head, limit: 10_000)
        for id in known { outcome.nodes[id] = try tables.node(id) }
        outcome.totals = [namespace.head, namespace.nodes, namespace.bytes]
        return outcome
    }

    /// Restores as the reference does, takes it back, and restores as the store does: both must leave the
    /// same.
    private func restoreBothWays(
        _ folder: Folder, asOf jid: JID, scope: NodeID? = nil, _ known: [NodeID], window: JID
    ) throws {
        struct Undo: Error {}
        let database = folder.store.catalog.namespaces.database
        let namespace = try folder.namespace
        let time = folder.store.catalog.namespaces.now()
        var expected: Outcome?
        do {
            try database.write { connection in
                let restore = ReferenceRestore(
                    namespace: namespace, connection: connection, author: folder.author, time: time)
                _ = try restore.restore(asOf: jid, scope: scope)
                expected = try outcome(folder, connection, after: namespace.head, known)
                throw Undo()
            }
        } catch is Undo {
        } catch CatalogError.notUnique where scope != nil {
            // What is outside of the scope has the name.
        }
        var actual: Outcome?
        do {
            actual = try database.write { connection in
                let restore = TreeRestore(
                    namespace: namespace, connection: connection, author: folder.author, time: time,
                    window: window)
                _ = try restore.restore(asOf: jid, scope: scope)
                return try outcome(folder, connection, after: namespace.head, known)
            }
        } catch CatalogError.notUnique where scope != nil {}
        #expect(actual == expected, "as of \(jid), scope \(scope?.text ?? "all")")
    }

    @Test(arguments: Engine.all, SeededRandom.seeds(12))
    func anyStateComesBack(engine: Engine, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let folder = try Folder(engine)
        var options = NamespaceStore.CommitOptions()
        options.allowsMassDelete = true
        var known: [NodeID] = []
        var states: [(jid: JID, tree: [String: TreeNode])] = []
        for _ in 0..<80 {
            let nodes = try known.compactMap { try folder.node($0) }
            let directories = nodes.filter { $0.kind == .directory }
            let parent = directories.isEmpty || random.oneIn(3) ? nil : random.pick(directories)
            let place = try folder.place(random.pick(["a", "b", "c", "D", "d"]), in: parent)
            let change: TreeChange
            if nodes.isEmpty || random.oneIn(2) {
                change =
                    random.oneIn(3)
                    ? .makeDirectory(at: place, node: nil, .init())
                    : .put(.init(file(random.next() % 30), place: place))
            } else {
                let node = random.pick(nodes)
                switch random.number(0..<4) {
                case 0: change = .move(node.id, to: place, base: node.revision)
                case 1:
                    change = .delete(node.id, base: node.revision, newestBelow: try folder.namespace.head)
                case 2: change = .restore(node.id, to: nil)
                default:
                    change = .put(
                        .init(file(random.next() % 30), node: node.id, base: node.contentRevision))
                }
            }
            let outcome = try folder.store.commit(
                [TreeOperation(change)], to: folder.id, author: folder.author, options: options)
            if case .done(let node, _) = outcome.outcomes[0], !known.contains(node.id) {
                known.append(node.id)
            }
            if random.oneIn(5) { states.append((outcome.head, try tree(folder))) }
            let window: JID = random.pick([1, 3, 4096])
            if random.oneIn(12), let state = states.randomElement(using: &random) {
                if random.oneIn(2) {
                    try restoreBothWays(
                        folder, asOf: state.jid, scope: random.pick(known), known, window: window)
                }
                try restoreBothWays(folder, asOf: state.jid, known, window: window)
                #expect(try tree(folder) == state.tree)
                let again = try folder.store.restore(folder.id, asOf: state.jid, author: folder.author)
                #expect(again.entries == 0)
                let live = try tree(folder).values
                #expect(try folder.namespace.nodes == Int64(live.count))
                #expect(try folder.namespace.bytes == live.reduce(0) { $0 + $1.size })
            }
        }
        #expect(try folder.store.catalogProblems() == [])
    }
}
