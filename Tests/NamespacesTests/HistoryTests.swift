import Catalog
import Multiformats
@testable import Namespaces
import TestKit
import Testing
import TreeValues

/// What a policy keeps stays readable to the last byte; of the rest nothing stays.
@Suite struct HistoryTests {
    private static let day: Int64 = 24 * 3600 * 1000

    /// Every live file of a version and what it holds.
    private func files(
        _ folder: Folder, asOf jid: JID
    ) throws -> [String: CID?] {
        let namespace = try folder.namespace
        return try folder.store.read { connection in
            let view = TreeView(namespace, connection, asOf: jid == namespace.head ? nil : jid)
            var found: [String: CID?] = [:]
            var stack: [(NodeID, String)] = [(namespace.root, "")]
            while let (directory, path) = stack.popLast() {
                try view.forEachChild(of: directory) { child in
                    if child.kind == .directory {
                        stack.append((child.id, path + child.name + "/"))
                    } else {
                        found.updateValue(child.content, forKey: path + child.name)
                    }
                }
            }
            return found
        }
    }

    /// What is to be kept, said version by version.
    private func kept(
        _ folder: Folder, _ policy: NamespacePolicy.History, held: Set<JID>, now: Int64
    ) throws -> Set<JID> {
        let namespace = try folder.namespace
        let times = try folder.store.read { connection in
            try TreeTables(connection, of: namespace).times(after: 0, limit: 100_000).map(\.time)
        }
        var kept = held.union([namespace.head])
        var clock: Int64 = 0
        for (index, time) in times.enumerated() {
            let superseded = max(clock, time)
            let midnight = superseded / Self.day * Self.day
            let isLastOfDay = index > 0 && midnight > clock
            if superseded > now - policy.all * 1000 { kept.insert(JID(index)) }
            if isLastOfDay, midnight > now - (policy.all + policy.daily) * 1000 { kept.insert(JID(index)) }
            clock = superseded
        }
        return kept
    }

    /// All content that the journal still has.
    private func content(_ folder: Folder) throws -> Set<CID> {
        var found: Set<CID> = []
        var marks = NamespaceRepository.RootMarks()
        try folder.store.catalog.namespaces.forEachRoot(of: folder.namespace, since: &marks) {
            found.insert($0.cid)
        }
        return found
    }

    /// Random changes of a folder, and what every version of it was like.
    private struct Player {
        var random: SeededRandom
        let folder: Folder
        let clock: ManualClock
        var known: [NodeID] = []
        var next: UInt64 = 1
        var states: [JID: [String: CID?]] = [:]

        mutating func step() throws {
            clock.advance(milliseconds: UInt64(random.number(0..<20)) * 3_600_000 / 2)
            let nodes = try known.compactMap { try folder.node($0) }
            let directories = nodes.filter { $0.kind == .directory }
            let parent = directories.isEmpty || random.oneIn(3) ? nil : random.pick(directories)
            let place = try folder.place(random.pick(["a", "b", "c", "d"]), in: parent)
            next += 1
            let change: TreeChange
            switch nodes.isEmpty ? 0 : random.number(0..<10) {
            case 0, 1: change = .put(.init(file(next), place: place))
            case 2: change = .makeDirectory(at: place, node: nil, .init())
            case 3, 4:
                let node = random.pick(nodes)
                change = .put(.init(file(next), node: node.id, base: node.contentRevision))
            case 5: change = .move(random.pick(nodes).id, to: place, base: .max)
            case 6, 7:
                let node = random.pick(nodes)
                change = .delete(node.id, base: node.revision, newestBelow: .max)
            case 8: change = .restore(random.pick(nodes).id, to: random.oneIn(2) ? place : nil)
            default: change = .setAttributes(random.pick(nodes).id, .init(modified: Int64(next)))
            }
            var options = NamespaceStore.CommitOptions()
            options.allowsMassDelete = true
            let outcome = try folder.store.commit(
                [TreeOperation(change)], to: folder.id, author: folder.author, options: options)
            if case .done(let node, true) = outcome.outcomes[0], !known.contains(node.id) {
                known.append(node.id)
            }
        }
    }

    @Test(arguments: Engine.all, SeededRandom.seeds(10))
    func whatThePolicyKeepsIsReadableAndTheRestIsGone(engine: Engine, seed: UInt64) throws {
        let clock = ManualClock(milliseconds: 1_700_000_000_000)
        var random = SeededRandom(seed: seed)
        var policy = NamespacePolicy()
        policy.history.all = Int64(random.number(0..<6)) * 43_200
        policy.history.daily = Int64(random.number(0..<10)) * 86_400
        let folder = try Folder(engine, policy: policy, clock: clock)
        var player = Player(random: random, folder: folder, clock: clock)
        var held: Set<JID> = []
        for round in 0..<4 {
            for _ in 0..<40 {
                try player.step()
                let head = try folder.namespace.head
                if player.states[head] == nil { player.states[head] = try files(folder, asOf: head) }
            }
            let head = try folder.namespace.head
            if random.oneIn(2), head > 0 {
                try folder.store.hold(head, of: folder.id, note: "round \(round)")
                held.insert(head)
            }
            if random.oneIn(3), let some = held.first {
                #expect(try folder.store.release(some, of: folder.id))
                held.remove(some)
            }
            try folder.store.thinHistory(of: folder.id)
            try check(folder, player, policy.history, held, Int64(clock.milliseconds))
        }
        // Time alone goes on: what is live stays.
        clock.advance(milliseconds: 400 * UInt64(Self.day))
        try folder.store.thinHistory(of: folder.id)
        try check(folder, player, policy.history, held, Int64(clock.milliseconds))
        #expect(try folder.store.thinHistory(of: folder.id) == 0)
        #expect(try folder.store.catalogProblems() == [])
    }

    private func check(
        _ folder: Folder, _ player: Player, _ policy: NamespacePolicy.History, _ held: Set<JID>, _ now: Int64
    ) throws {
        let kept = try kept(folder, policy, held: held, now: now)
        let namespace = try folder.namespace
        var needed: Set<CID> = []
        for jid in 1...namespace.head {
            if kept.contains(jid) {
                let state = try #require(player.states[jid])
                #expect(try files(folder, asOf: jid) == state, "version \(jid)")
                needed.formUnion(state.values.compactMap { $0 })
                #expect(try folder.store.keptVersion(jid, of: namespace).jid == jid)
            } else {
                let next = kept.filter { $0 > jid }.min() ?? namespace.head
                #expect(throws: NamespaceError.versionRemoved(jid, next: next)) {
                    try folder.store.keptVersion(jid, of: namespace)
                }
                #expect(throws: NamespaceError.versionRemoved(jid, next: next)) {
                    try folder.store.restore(folder.id, asOf: jid, author: folder.author)
                }
            }
        }
        #expect(try content(folder) == needed)
        // The journal has no hole, and each entry can be read.
        let page = try folder.store.changes(of: namespace, after: 0, limit: 10_000)
        #expect(page.entries.map(\.jid) == (1...namespace.head).map { $0 })
    }

    /// A connection that fails at one statement.
    private final class FailingConnection: SQLConnection {
        struct Mishap: Error {}
        let base: any SQLConnection
        var left: Int

        init(_ base: any SQLConnection, after count: Int) { (self.base, left) = (base, count) }

        var dialect: SQLDialect { base.dialect }

        private func count() throws {
            left -= 1
            if left < 0 { throw Mishap() }
        }

        func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
            try count()
            return try base.execute(sql, values)
        }

        func query(_ sql: String, _ values: [SQLValue], _ body: (SQLRow) throws -> Void) throws {
            try count()
            try base.query(sql, values, body)
        }
    }

    @Test(arguments: Engine.all) func aFailureAtAnyStatementLosesNothing(engine: Engine) throws {
        let clock = ManualClock(milliseconds: 1_700_000_000_000)
        var policy = NamespacePolicy()
        (policy.history.all, policy.history.daily) = (86_400, 3 * 86_400)
        let folder = try Folder(engine, policy: policy, clock: clock)
        var player = Player(random: SeededRandom(seed: 5), folder: folder, clock: clock)
        for _ in 0..<60 {
            try player.step()
            let head = try folder.namespace.head
            if player.states[head] == nil { player.states[head] = try files(folder, asOf: head) }
        }
        let namespace = try folder.namespace
        let database = folder.store.catalog.namespaces.database
        var statement = 0
        var hasMore = true
        while hasMore {
            do {
                hasMore = try database.write { connection in
                    let failing = FailingConnection(connection, after: statement)
                    let sweep = try HistorySweep(
                        namespace, failing, time: Int64(clock.milliseconds))
                    return try sweep.run().hasMore
                }
            } catch is FailingConnection.Mishap {
                statement += 1
                let kept = try kept(
                    folder, policy.history, held: [], now: Int64(clock.milliseconds))
                for jid in kept where jid > 0 {
                    #expect(try files(folder, asOf: jid) == player.states[jid])
                }
            }
        }
        #expect(statement > 10)
        try check(folder, player, policy.history, [], Int64(clock.milliseconds))
    }

    @Test(arguments: Engine.all) func versionsSayUntilWhenTheyAreKept(engine: Engine) throws {
        let clock = ManualClock(milliseconds: UInt64(Self.day) * 20_000 + 3_600_000)
        var policy = NamespacePolicy()
        (policy.history.all, policy.history.daily) = (86_400, 2 * 86_400)
        let folder = try Folder(engine, policy: policy, clock: clock)
        try folder.put("a", 1)
        clock.advance(milliseconds: 3_600_000)
        try folder.put("b", 2)
        clock.advance(milliseconds: UInt64(Self.day))
        try folder.put("c", 3)
        let start = Self.day * 20_000
        let first = try folder.store.keptVersion(1, of: folder.namespace)
        #expect(first.time == start + 3_600_000 && first.until == start + 7_200_000 + Self.day)
        // The last of its day is kept from the midnight on.
        #expect(try folder.store.keptVersion(2, of: folder.namespace).until == start + 4 * Self.day)
        #expect(try folder.store.keptVersion(3, of: folder.namespace).until == nil)
        try folder.store.hold(1, of: folder.id, note: "before the party")
        clock.advance(milliseconds: 3 * UInt64(Self.day) - 7_200_001)
        try folder.store.thinHistory(of: folder.id)
        let versions = try folder.store.keptVersions(of: folder.namespace)
        #expect(versions.map(\.jid) == [3, 2, 1])
        #expect(versions.map(\.note) == [nil, nil, "before the party"])
        clock.advance(milliseconds: 7_200_000)
        try folder.store.thinHistory(of: folder.id)
        #expect(try folder.store.keptVersions(of: folder.namespace).map(\.jid) == [3, 1])
        #expect(try folder.store.release(1, of: folder.id))
        #expect(try !folder.store.release(1, of: folder.id))
        #expect(throws: NamespaceError.versionRemoved(1, next: 3)) {
            try folder.store.hold(1, of: folder.id, note: "")
        }
    }
}
