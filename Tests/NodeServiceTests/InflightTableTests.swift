import Catalog
import Multiformats
import SyncProtocol
import TestKit
import Testing
import TreeValues

@testable import NodeService

/// What of files that are being sent is remembered, for how long, and how often others are told.
@Suite struct InflightTableTests {
    private let namespaces: [NamespaceID]
    private let content: CutContent

    init() throws {
        content = try CutContent(SeededRandom.bytes(seed: 3, count: 6 << 20), leafBytes: 1 << 20)
        namespaces = try (0..<6).map { try NamespaceID(text: NodeID(bits: $0).text) }
    }

    private var namespace: NamespaceID { namespaces[5] }

    private func draft(
        _ node: UInt128, device: String = "a", user: String? = nil, leaves: [Leaf]? = nil, here: Set<CID> = []
    ) -> InflightTable.Draft {
        let leaves = leaves ?? content.leaves
        return InflightTable.Draft(
            key: .init(node: NodeID(bits: node), device: device), user: user, seesOnlyOwn: user != nil,
            parent: NodeID(bits: 1),
            name: "\(node)", root: content.root, size: leaves.reduce(0) { $0 + Int64($1.bytes) },
            leaves: leaves, missing: Set(leaves.map(\.cid)).subtracting(here))
    }

    /// Offers a file if it is worth it, as the desk does.
    @discardableResult
    private func offer(
        _ draft: InflightTable.Draft, to table: inout InflightTable, in namespace: NamespaceID? = nil,
        at now: Int64 = 0, lifetime: Int64 = 1000
    ) -> InflightTable.Announcement {
        guard InflightTable.isWorthwhile(draft) else { return .nothing }
        return table.insert(
            InflightTable.Offer(draft, revision: 0, head: 0), in: namespace ?? self.namespace, at: now,
            lifetime: lifetime)
    }

    private func table(_ count: Int, at now: Int64 = 0) -> InflightTable {
        var table = InflightTable(firstMark: 100)
        for node in 0..<count {
            offer(draft(UInt128(node)), to: &table, at: now)
        }
        return table
    }

    @Test func bitsAreThoseOfLeavesThatCame() throws {
        let cids = content.leaves.map(\.cid)
        var table = InflightTable(firstMark: 0)
        // A leaf that the file has twice, and one that was here before.
        let leaves = content.leaves + [content.leaves[4]]
        offer(draft(1, leaves: leaves, here: [cids[1]]), to: &table)
        _ = table.note([cids[4], content.root], by: nil, in: namespace, at: 0, lifetime: 1000)
        let found = try #require(table.offers(in: namespace).first)
        #expect(found.arrived == [0b101_0010] && found.arrivedBytes == 3 << 20 && table.bytes == 3 << 20)
        #expect(found.has(cids[1]) && found.has(cids[4]) && !found.has(cids[0]) && !found.has(content.root))
        _ = table.note(cids, by: nil, in: namespaces[0], at: 0, lifetime: 1000)
        #expect(table.offers(in: namespace).first?.arrivedBytes == 3 << 20, "of another namespace")
        _ = table.note(cids, by: nil, in: namespace, at: 0, lifetime: 1000)
        #expect(table.offers(in: namespace).first?.arrived == [0b111_1111])
    }

    /// A hash alone gets nobody the content: who sees nothing but what is its own has to bring it.
    @Test func whatOthersBringIsNotOfWhoSeesOnlyItsOwn() {
        var table = InflightTable(firstMark: 0)
        offer(draft(1, user: "anna"), to: &table)
        let cids = content.leaves.map(\.cid)
        for (user, bytes) in [("bert", 0), (nil, 0), ("anna", Int64(1 << 20))] {
            _ = table.note([cids[0]], by: user, in: namespace, at: 0, lifetime: 1000)
            #expect(table.bytes == bytes, "\(user ?? "a key")")
        }
    }

    @Test func whatLacksLittleOrHasTooManyLeavesIsNotShown() {
        var table = InflightTable(firstMark: 0)
        let cids = content.leaves.map(\.cid)
        func count(offering draft: InflightTable.Draft) -> Int {
            offer(draft, to: &table)
            return table.count
        }
        #expect(count(offering: draft(1, here: Set(cids[..<3]))) == 0, "3 MiB")
        #expect(count(offering: draft(1, here: Set(cids[..<2]))) == 1, "4 MiB")
        let many = [Leaf](repeating: content.leaves[0], count: SyncLimits.maximumInflightLeaves + 1)
        #expect(count(offering: draft(2, leaves: many)) == 1)
        #expect(count(offering: draft(2, leaves: many.dropLast())) == 1, "in the place of the other")
        #expect(table.offers(in: namespace).map(\.draft.key.node) == [NodeID(bits: 2)])
    }

    @Test func itEndsSoLongAfterSomethingCame() {
        var table = table(2)
        table.expire(at: 999)
        #expect(table.count == 2)
        // What comes is of both: content is known by its hash.
        _ = table.note([content.leaves[0].cid], by: nil, in: namespace, at: 999, lifetime: 1000)
        table.expire(at: 1998)
        #expect(table.count == 2)
        table.expire(at: 1999)
        #expect(table.count == 0 && table.bytes == 0)
        let last = table.note([content.leaves[1].cid], by: nil, in: namespace, at: 1999, lifetime: 1000)
        #expect(last == .nothing)
    }

    @Test func theOldestMakesRoom() {
        var table = table(SyncLimits.maximumInflight)
        offer(draft(0), to: &table, at: 5)
        #expect(table.count == SyncLimits.maximumInflight, "it is in its own place")
        offer(draft(1000), to: &table, at: 6)
        let nodes = Set(table.offers(in: namespace).map(\.draft.key.node))
        #expect(nodes.count == SyncLimits.maximumInflight)
        #expect(nodes.contains(NodeID(bits: 0)) && nodes.contains(NodeID(bits: 1000)))
        // Of all namespaces together too.
        let many = [Leaf](repeating: content.leaves[0], count: SyncLimits.maximumInflightLeaves)
        for other in 0..<5 {
            offer(draft(1, leaves: many), to: &table, in: namespaces[other], at: Int64(10 + other))
        }
        #expect(table.offers(in: namespaces[0]).isEmpty)
        #expect(table.offers(in: namespaces[4]).count == 1)
        #expect(table.count == 4)
    }

    @Test func aNodeIsLetGoOfWhoeverSendsIt() {
        var table = table(2)
        offer(draft(1, device: "b"), to: &table)
        #expect(table.count == 3)
        table.drop(NodeID(bits: 1), in: namespaces[0])
        table.drop(NodeID(bits: 1), in: namespace)
        #expect(table.offers(in: namespace).map(\.draft.key.node) == [NodeID(bits: 0)])
    }

    @Test func othersAreToldFourTimesASecondAndOfTheLast() {
        var table = InflightTable(firstMark: 100)
        let cids = content.leaves.map(\.cid)
        func note(_ index: Int, at now: Int64) -> InflightTable.Announcement {
            table.note([cids[index]], by: nil, in: namespace, at: now, lifetime: 10_000)
        }
        func offerIt(at now: Int64) -> InflightTable.Announcement {
            offer(draft(1), to: &table, at: now, lifetime: 10_000)
        }
        /// The mark afterwards; `nil` if there was nothing to tell.
        func announce(at now: Int64) -> Int64? {
            table.announce(namespace, at: now) ? table.offers(in: namespace).first?.mark : nil
        }
        #expect(offerIt(at: 0) == .now)
        #expect(table.offers(in: namespace).first?.mark == 0, "nobody was told")
        #expect(announce(at: 0) == 101)
        #expect(note(0, at: 100) == .after(150))
        #expect(note(1, at: 200) == .nothing, "it is on its way")
        #expect(table.offers(in: namespace).first?.mark == 101)
        #expect(announce(at: 250) == 102)
        #expect(note(1, at: 600) == .nothing, "known")
        #expect(note(2, at: 600) == .now)
        #expect(announce(at: 600) == 103)
        #expect(announce(at: 900) == nil)
        // What is offered again has no leaf that it had not.
        _ = offerIt(at: 1000)
        #expect(table.offers(in: namespace).first?.mark == 103)
    }
}
