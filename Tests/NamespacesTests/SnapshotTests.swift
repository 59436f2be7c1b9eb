import BlockStorage
import Catalog
import Digests
import IPLD
import Multiformats
import Synchronization
import TestKit
import Testing
import TreeValues
import UnixFS

@testable import Namespaces

/// The tree as UnixFS: built piece by piece it is what building it from nothing gives, at every version.
@Suite struct SnapshotTests {
    /// Content that is a block of the store.
    private func leaf(_ text: String, _ store: MemoryBlockStore) throws -> NodeContent {
        let bytes = Array(text.utf8)
        let cid = CID(codec: .raw, multihash: try Multihash(hashing: bytes, with: .sha2_256))
        try store.put(Block(cid: cid, bytes: bytes))
        return .file(cid, bytes: Int64(bytes.count))
    }

    /// The paths of a snapshot and what is there.
    private func listing(_ root: CID, _ store: MemoryBlockStore) throws -> [String: CID] {
        var found: [String: CID] = [:]
        var stack: [(String, CID)] = [("", root)]
        while let (path, cid) = stack.popLast() {
            guard cid.codec == .dagPB, let block = try store.block(cid),
                try UnixFSStat(block).kind.isDirectory
            else {
                found[path] = cid
                continue
            }
            found[path + "/"] = nil
            try DirectoryReader(source: store, root: cid).forEach {
                stack.append((path + "/" + String(decoding: $0.name, as: UTF8.self), $0.cid))
            }
        }
        return found
    }

    @Test func theEmptyNamespaceIsTheEmptyDirectory() throws {
        let (folder, store) = (try Folder(), MemoryBlockStore())
        let snapshot = try folder.store.snapshot(of: folder.namespace, in: store)
        // As Kubo 0.39 names it: `ipfs add -r --cid-version=1` of an empty folder.
        #expect(snapshot.root.description == "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354")
        #expect(snapshot.jid == 0)
        #expect(try folder.store.snapshot(of: folder.namespace, in: store) == snapshot)
    }

    @Test(arguments: Engine.all) func onlyWhatChangedIsMadeAndEveryVersionStaysReadable(engine: Engine) throws
    {
        let (folder, store) = (try Folder(engine), MemoryBlockStore())
        let soups = try folder.directory("soups")
        let cakes = try folder.directory("cakes")
        let borscht = try folder.must(
            .put(.init(leaf("beet", store), place: folder.place("borscht.txt", in: soups))))
        try folder.must(.put(.init(leaf("flour", store), place: folder.place("plain.txt", in: cakes))))
        try folder.must(.put(.init(.symlink("soups/borscht.txt"), place: folder.place("best"))))
        let first = try folder.store.snapshot(of: folder.namespace, in: store)
        #expect(
            try listing(first.root, store).keys.sorted() == [
                "/best", "/cakes/plain.txt", "/soups/borscht.txt",
            ])
        try folder.must(.put(.init(leaf("beetroot", store), node: borscht.id, base: borscht.contentRevision)))
        let blocks = store.count
        let second = try folder.store.snapshot(of: folder.namespace, in: store)
        // The changed directory and the root.
        #expect(store.count == blocks + 2)
        #expect(second.jid == first.jid + 1 && second.root != first.root)
        var differences: [TreeDifference] = []
        try TreeComparison(from: first.root, to: second.root, in: store).forEach { differences.append($0) }
        #expect(differences.map(\.path) == ["soups/borscht.txt"])
        #expect(differences.first?.kind == .changed)
        // A version between: made on demand, and the same whenever it is made.
        let third = try folder.store.snapshot(of: folder.namespace, asOf: 3, in: store)
        #expect(
            try listing(third.root, store).keys.sorted()
                == ["/cakes", "/soups/borscht.txt"].filter { $0 != "/cakes" })
        #expect(try folder.store.jid(of: first.root.description, in: folder.namespace) == first.jid)
        #expect(try folder.store.catalogProblems() == [])
    }

    @Test func largeDirectoriesAreChangedInPlaceOfBeingMadeAnew() throws {
        let (folder, store) = (try Folder(), MemoryBlockStore())
        let content = try leaf("x", store)
        let puts = try (0..<6000).map { number in
            try TreeOperation(
                .put(.init(content, place: folder.place("a rather long name of a file, number \(number)"))))
        }
        _ = try folder.store.commit(puts, to: folder.id, author: folder.author)
        let first = try folder.store.snapshot(of: folder.namespace, in: store)
        #expect(try UnixFSStat(#require(try store.block(first.root))).kind == .shardedDirectory)
        let blocks = store.count
        let one = try folder.must(.put(.init(content, place: folder.place("one more"))))
        let second = try folder.store.snapshot(of: folder.namespace, in: store)
        #expect(store.count - blocks <= 4)
        try folder.must(.delete(one.id, base: one.revision, newestBelow: 0))
        let third = try folder.store.snapshot(of: folder.namespace, in: store)
        #expect(third.root == first.root && third.jid == second.jid + 1)
    }

    /// Random changes; a snapshot now and then; each must be what a store without memory makes.
    @Test(arguments: SeededRandom.seeds(16))
    func piecewiseIsTheSameAsFromNothing(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let (folder, store) = (try Folder(), MemoryBlockStore())
        var options = NamespaceStore.CommitOptions()
        options.allowsMassDelete = true
        var known: [NodeID] = []
        var roots: [JID: CID] = [:]
        for _ in 0..<60 {
            let operations = try (0..<(1 + random.next() % 3)).map { _ -> TreeOperation in
                TreeOperation(try change(&random, folder, known, store))
            }
            let result = try folder.store.commit(
                operations, to: folder.id, author: folder.author, options: options)
            for case .done(let node, _) in result.outcomes where !known.contains(node.id) {
                known.append(node.id)
            }
            if random.next() % 3 == 0 {
                let snapshot = try folder.store.snapshot(of: folder.namespace, in: store)
                roots[snapshot.jid] = snapshot.root
            }
            if random.next() % 4 == 0, result.head > 1 {
                let past = 1 + JID(random.next() % UInt64(result.head - 1))
                let snapshot = try folder.store.snapshot(of: folder.namespace, asOf: past, in: store)
                #expect(roots[past] ?? snapshot.root == snapshot.root)
                roots[past] = snapshot.root
            }
        }
        // The rows of snapshots are derived: without them everything is made again, and is the same.
        try folder.store.forgetSnapshots(of: folder.namespace)
        for (jid, root) in roots {
            #expect(try folder.store.snapshot(of: folder.namespace, asOf: jid, in: store).root == root)
            try folder.store.forgetSnapshots(of: folder.namespace)
        }
    }

    private func change(
        _ random: inout SeededRandom, _ folder: Folder, _ known: [NodeID], _ store: MemoryBlockStore
    ) throws -> TreeChange {
        let nodes = try known.compactMap { try folder.node($0) }
        let directories = nodes.filter { $0.kind == .directory }
        let parent = directories.isEmpty || random.next() % 3 == 0 ? nil : random.pick(directories)
        let place = try folder.place(random.pick(["a", "b", "c", "d"]), in: parent)
        guard !nodes.isEmpty, random.next() % 2 == 0 else {
            if random.next() % 3 == 0 { return .makeDirectory(at: place, node: nil, .init()) }
            return .put(.init(try leaf("\(random.next() % 9)", store), place: place))
        }
        let node = random.pick(nodes)
        switch random.next() % 4 {
        case 0: return .move(node.id, to: place, base: node.revision)
        case 1: return .delete(node.id, base: node.revision, newestBelow: try folder.namespace.head)
        case 2: return .restore(node.id, to: nil)
        default:
            return .put(
                .init(try leaf("\(random.next() % 9)", store), node: node.id, base: node.contentRevision))
        }
    }
}

extension SnapshotTests {
    /// A store that asks for something while a snapshot is being made.
    private struct AskingStore: BlockStore {
        let base = MemoryBlockStore()
        let ask: @Sendable (AskingStore) -> Void

        func block(_ cid: CID) throws -> Block? { try base.block(cid) }
        func size(of cid: CID) throws -> Int? { try base.size(of: cid) }
        func commit() throws { ask(self) }
        func put(_ blocks: [BlockView], scope: ScopeMarks) throws -> PutSummary {
            try base.put(blocks, scope: scope)
        }
    }

    @Test func readersNeverWaitForOthers() throws {
        let folder = try Folder()
        for name in ["a", "b", "c"] { try folder.directory(name) }
        let (store, id) = (folder.store, folder.id.text)
        let answers = Mutex<[String]>([])
        @Sendable func ask(_ jid: JID?) {
            let quiet = AskingStore { _ in }
            do {
                let made = try store.snapshot(of: store.namespace(id), asOf: jid, in: quiet, for: .reader)
                answers.withLock { $0.append("\(made.jid)") }
            } catch {
                answers.withLock { $0.append("\(error)") }
            }
        }
        let asking = AskingStore { _ in
            ask(1)
            ask(2)
            ask(nil)
        }
        _ = try store.snapshot(of: folder.namespace, asOf: 1, in: asking, for: .reader)
        let busy = NamespaceError.snapshotBusy(seconds: 1).description
        #expect(answers.withLock { $0 } == [busy, busy, "3"])
        // What is there is given at once, and the next turn is free.
        #expect(try store.snapshot(of: folder.namespace, asOf: 1, in: asking.base, for: .reader).jid == 1)
        #expect(try store.snapshot(of: folder.namespace, asOf: 2, in: asking.base, for: .reader).jid == 2)
    }

    @Test func whatReadersHaveStoredIsBoundedInTime() {
        let start = ContinuousClock.now
        var budget = ReaderBudget(at: start)
        #expect(budget.wait(at: start) == nil)
        budget.take(ReaderBudget.bytes - 1)
        #expect(budget.wait(at: start) == nil)
        budget.take(ReaderBudget.bytes + 1)
        #expect((3600...3601).contains(budget.wait(at: start) ?? 0))
        #expect(budget.wait(at: start + .seconds(3590)) != nil)
        #expect(budget.wait(at: start + .seconds(3601)) == nil)
        budget.take(ReaderBudget.bytes)
        #expect(budget.wait(at: start + .seconds(3600)) != nil, "time that went back gives nothing")
    }
}

extension NamespaceStore {
    /// Forgets what can be made again.
    func forgetSnapshots(of namespace: Namespace) throws {
        try catalog.namespaces.database.write { connection in
            for table in ["tree_snapshots", "tree_directories"] {
                _ = try connection.execute(
                    "DELETE FROM \(table) WHERE ns = $1", [.integer(namespace.number)])
            }
        }
    }
}
