import Multiformats
import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

/// Plans for trees that are made by hand or at random, carried out on the trees alone.
@Suite struct PlannerTests {
    /// Ids rise with time: the directory that went is looked at before the one in its place.
    @Test(arguments: [false, true]) func aDirectoryTakesOverFromOneThatIsNoMore(isSkipped: Bool) throws {
        let root = NodeID(bits: 1)
        let state = MemorySyncState(root: root)
        func directory(_ id: UInt128, _ name: String, in parent: NodeID) -> SyncNode {
            SyncNode(id: NodeID(bits: id), parent: parent, name: name, kind: .directory)
        }
        func file(_ content: UInt8, in parent: NodeID) -> SyncNode {
            SyncNode(
                id: NodeID(bits: 5), parent: parent, name: "f", kind: .file,
                content: SimulatedUser.root(of: [content]), size: 1)
        }
        for tree in [TreeName.local, .synced] {
            state.put(directory(2, "D", in: root), in: tree)
            // It stays: something that is not synced is in it.
            state.put(directory(3, "A", in: NodeID(bits: 2)), in: tree)
            state.put(directory(4, "E", in: NodeID(bits: 2)), in: tree)
            state.put(file(1, in: NodeID(bits: 4)), in: tree)
        }
        state.put(directory(12, "D", in: root), in: .remote)
        state.put(directory(14, "E", in: NodeID(bits: 12)), in: .remote)
        state.put(file(2, in: NodeID(bits: 14)), in: .remote)
        for (old, new) in [(2, 12), (4, 14)] as [(UInt128, UInt128)] {
            let nodes = try state.unsettledStates(after: nil, limit: 100)
            let plan = try Planner(SyncPolicy(conflictTag: "x")).plan(nodes, in: state) {
                isSkipped && $0 == NodeID(bits: 3)
            }
            #expect(plan.state.contains(.adopt(local: NodeID(bits: old), as: NodeID(bits: new))))
            state.remove(NodeID(bits: old), from: .synced)
            state.renameLocal(NodeID(bits: old), to: NodeID(bits: new))
            if let node = state.node(NodeID(bits: new), in: .remote) { state.put(node, in: .synced) }
        }
        #expect(state.node(NodeID(bits: 5), in: .local)?.parent == NodeID(bits: 14))
    }

    private let root = NodeID(bits: 1)

    private func file(_ id: UInt128, _ name: String, _ content: Int, in parent: NodeID? = nil) throws
        -> SyncNode
    {
        SyncNode(
            id: NodeID(bits: id), parent: parent ?? root, name: name, kind: .file,
            content: try PlannedTrees.content(content), size: 1)
    }

    private func plan(_ state: MemorySyncState, mode: SyncPolicy.Mode = .twoWay) throws -> Plan {
        let policy = SyncPolicy(mode: mode, conflictTag: "2026-11-21 1925 laptop")
        return try Planner(policy).plan(try state.unsettledStates(after: nil, limit: 1000), in: state)
    }

    @Test func nothingIsPlannedWhereAllAgree() throws {
        let state = MemorySyncState(root: root)
        for tree in TreeName.allCases { state.put(try file(2, "a", 1), in: tree) }
        #expect(try plan(state).isEmpty)
    }

    @Test func aNewDirectoryIsMadeBeforeWhatIsInIt() throws {
        let state = MemorySyncState(root: root)
        let directory = SyncNode(id: NodeID(bits: 9), parent: root, name: "d", kind: .directory)
        // Its id is the higher one, so that the file is looked at first.
        state.put(try file(2, "a", 1, in: directory.id), in: .local)
        state.put(directory, in: .local)
        #expect(try plan(state).server == [.makeDirectory(directory.id), .put(NodeID(bits: 2), base: nil)])
    }

    @Test func aPullOnlyFolderSendsNothingAndListsWhatItKeeps() throws {
        let state = MemorySyncState(root: root)
        state.put(try file(2, "mine", 1), in: .local)
        state.put(try file(3, "theirs", 2), in: .remote)
        let plan = try plan(state, mode: .pullOnly)
        #expect(plan.server.isEmpty && plan.disk == [.fetch(NodeID(bits: 3))])
        #expect(plan.held == [Plan.Held(id: NodeID(bits: 2), reason: .localChange)])
    }

    @Test func aPushOnlyFolderTakesNothingAndListsWhatIsThere() throws {
        let state = MemorySyncState(root: root)
        state.put(try file(2, "mine", 1), in: .local)
        state.put(try file(3, "theirs", 2), in: .remote)
        for tree in [TreeName.local, .synced] { state.put(try file(4, "gone", 3), in: tree) }
        let plan = try plan(state, mode: .pushOnly)
        #expect(plan.disk.isEmpty && plan.server == [.put(NodeID(bits: 2), base: nil)])
        #expect(plan.held.map(\.reason) == [.remoteChange, .remoteChange])
    }

    @Test func aRemovedDirectoryIsOneOperationWithTheNewestRevisionBelow() throws {
        let state = MemorySyncState(root: root)
        var directory = SyncNode(id: NodeID(bits: 2), parent: root, name: "d", kind: .directory)
        directory.revision = 3
        for tree in [TreeName.remote, .synced] {
            state.put(directory, in: tree)
            for number in 0..<50 {
                var child = try file(UInt128(10 + number), "f\(number)", number, in: directory.id)
                child.revision = JID(100 + number)
                state.put(child, in: tree)
            }
        }
        #expect(try plan(state).server == [.delete(directory.id, base: 3, newestBelow: 149)])
        #expect(try plan(state).disk.isEmpty)
    }

    /// A namespace of objects tells Unicode forms apart, and so does the disk.
    @Test func twoUnicodeFormsOfTheServersAreTwoFiles() throws {
        let state = MemorySyncState(root: root)
        for tree in TreeName.allCases { state.put(try file(2, "\u{e9}", 1), in: tree) }
        state.put(try file(3, "e\u{301}", 2), in: .remote)
        #expect(try plan(state).disk == [.fetch(NodeID(bits: 3))])
        // Where the disk takes them for one there is nothing to be done.
        let policy = SyncPolicy(ignoresCaseLocally: true, conflictTag: "tag")
        let plan = try Planner(policy).plan(try state.unsettledStates(after: nil, limit: 9), in: state)
        #expect(plan.isEmpty && plan.held.map(\.reason) == [.nameClash])
    }

    /// Of several that could be the server's it is the one of just its name.
    @Test func aFileIsTakenForTheServersByItsBytesFirst() throws {
        let state = MemorySyncState(root: root)
        state.put(try file(2, "e\u{301}", 1), in: .remote)
        state.put(try file(3, "\u{e9}", 1), in: .local)
        state.put(try file(4, "e\u{301}", 1), in: .local)
        let plan = try plan(state)
        #expect(plan.state == [.adopt(local: NodeID(bits: 4), as: NodeID(bits: 2))], "\(plan)")
    }

    /// It is another file, and no version of the one whose name it would have.
    @Test func aFileThatIsSpelledOtherwiseIsNoConflictCopy() throws {
        let state = MemorySyncState(root: root)
        state.put(try file(2, "\u{e9}", 1), in: .synced)
        state.put(try file(2, "\u{e9}", 2), in: .remote)
        state.put(try file(2, "\u{e9}", 3), in: .local)
        let other = try file(3, "e\u{301} (unicode conflict 2026-01-01 0000 laptop)", 3)
        for tree in TreeName.allCases { state.put(other, in: tree) }
        let name = "\u{e9} (conflict 2026-11-21 1925 laptop)"
        #expect(try plan(state).disk == [.setAside(NodeID(bits: 2), name: name, detach: true)])
    }

    @Test func aCopyWithTheSameContentIsNotMadeTwice() throws {
        let state = MemorySyncState(root: root)
        state.put(try file(2, "a.txt", 1), in: .synced)
        state.put(try file(2, "a.txt", 2), in: .remote)
        state.put(try file(2, "a.txt", 3), in: .local)
        let copy = try file(3, "a (conflict 2026-01-01 0000 other).txt", 3)
        for tree in TreeName.allCases { state.put(copy, in: tree) }
        #expect(try plan(state).disk == [.fetch(NodeID(bits: 2))])
    }

    @Test func elevenCopiesOfAFileAreOneTooMany() throws {
        let state = MemorySyncState(root: root)
        state.put(try file(2, "a.txt", 1), in: .synced)
        state.put(try file(2, "a.txt", 2), in: .remote)
        state.put(try file(2, "a.txt", 3), in: .local)
        for number in 0..<10 {
            let copy = try file(
                UInt128(10 + number), "a (conflict 2026-01-0\(number) 0000 other).txt", 10 + number)
            for tree in TreeName.allCases { state.put(copy, in: tree) }
        }
        #expect(
            try plan(state).disk == [
                .prune(NodeID(bits: 10)),
                .setAside(
                    NodeID(bits: 2), name: "a (conflict 2026-11-21 1925 laptop).txt", detach: true),
            ])
    }

    @Test func aConflictOnACopyKeepsTheNewestTwo() throws {
        let state = MemorySyncState(root: root)
        func copy(_ id: UInt128, _ day: Int, _ content: Int) throws -> SyncNode {
            try file(id, "a (conflict 2026-01-0\(day) 0000 other).txt", content)
        }
        state.put(try copy(2, 9, 1), in: .synced)
        state.put(try copy(2, 9, 2), in: .remote)
        state.put(try copy(2, 9, 3), in: .local)
        for tree in TreeName.allCases {
            state.put(try copy(3, 1, 4), in: tree)
            state.put(try copy(4, 2, 5), in: tree)
        }
        #expect(try plan(state).disk.first == .prune(NodeID(bits: 3)))
    }

    // MARK: Random trees

    /// Both sides of a random tree change at random; carrying out the plans, whole or in shuffled pieces,
    /// makes them equal, and no content is gone from everything.
    @Test(arguments: 0..<20)
    func plansEndWhereBothSidesAreEqual(group: Int) throws {
        for seed in group * 50..<(group + 1) * 50 {
            var trees = PlannedTrees(seed: UInt64(seed))
            try trees.makeBoth()
            for _ in 0..<trees.random.number(1...6) { trees.perturb(.local) }
            for _ in 0..<trees.random.number(1...6) { trees.perturb(.remote) }
            let before = trees.contents
            var rounds = 0
            while try trees.step() {
                rounds += 1
                if rounds > 200 { break }
            }
            #expect(rounds <= 200, "seed \(seed) does not end")
            #expect(trees.isEqual, "seed \(seed): the sides differ")
            #expect(before.isSubset(of: trees.contents), "seed \(seed): content is gone")
        }
    }

    @Test func aFirstSyncCostsTheSameForEachFile() throws {
        // The bound is far above what it takes, and far below what a plan costs that looks at all children
        // of a directory for each of them: 20,000 files would take minutes.
        let state = MemorySyncState(root: root)
        let count = 20_000
        for number in 0..<count {
            state.put(
                try file(UInt128(10 + number), "f\(number)", number), in: number % 2 == 0 ? .local : .remote)
        }
        let start = ContinuousClock.now
        var steps = 0
        var last: NodeID?
        while true {
            let nodes = try state.unsettledStates(after: last, limit: 2000)
            guard let end = nodes.last?.id else { break }
            last = end
            let plan = try Planner(SyncPolicy(conflictTag: "")).plan(nodes, in: state)
            steps += plan.server.count + plan.disk.count
        }
        #expect(steps == count)
        #expect(start.duration(to: .now) < .seconds(30))
    }
}
