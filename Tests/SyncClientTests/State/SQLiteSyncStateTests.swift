import Digests
import Foundation
import Multiformats
import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

func testNode(
    _ id: UInt128, _ name: String, parent: UInt128 = 1, kind: TreeNodeKind = .file, content: String? = nil,
    modified: Int64 = 5, mode: UInt32? = nil, revision: JID = 0
) throws -> SyncNode {
    SyncNode(
        id: NodeID(bits: id), parent: NodeID(bits: parent), name: name, kind: kind,
        content: try content.map { try CID(hashing: Array($0.utf8), codec: .raw) },
        target: kind == .symlink ? "there" : nil, size: Int64(content?.utf8.count ?? 0), modified: modified,
        mode: mode, revision: revision, contentRevision: revision)
}

@Suite struct SQLiteSyncStateTests {
    let root = NodeID(bits: 1)

    @Test func keepsEverythingAcrossOpening() throws {
        let scratch = try ScratchFolder()
        let node = try testNode(7, "Straße.txt", content: "abc", modified: -3, mode: 0o644, revision: 9)
        let stamp = LocalStamp(
            identity: FileIdentity(device: .max, inode: .max - 1), size: 3, modified: -3, changed: 4, seen: 5)
        let cursor = SyncCursor(epoch: -4, jid: 77, text: "a cursor")
        do {
            let state = try SQLiteSyncState(path: scratch.path("state"), root: root)
            try state.put(node, in: .remote)
            try state.putLocal(node, stamp: stamp)
            try state.setCursor(cursor)
            try state.setValue("v", "k")
            try state.setValue("w", "gone")
            try state.setValue(nil, "gone")
            try state.close()
        }
        let state = try SQLiteSyncState(path: scratch.path("state"), root: root)
        #expect(try state.node(node.id, in: .remote) == node)
        #expect(try state.node(node.id, in: .local) == node)
        #expect(try state.node(node.id, in: .synced) == nil)
        #expect(try state.stamp(of: node.id) == stamp)
        #expect(try state.localNodes(with: stamp.identity, limit: 10) == [node.id])
        #expect(try state.cursor() == cursor)
        #expect(try state.value("k") == "v")
        #expect(try state.value("gone") == nil)
        #expect(try state.unsettled(after: nil, limit: 10) == [node.id])
        #expect(
            try state.child(of: root, named: NameKey("STRASSE.txt", ignoringCase: true), in: .local) == nil)
        #expect(
            try state.child(of: root, named: NameKey("straße.TXT", ignoringCase: true), in: .local) == node)
        #expect(try state.child(of: root, named: NameKey("straße.TXT"), in: .local) == nil)
    }

    @Test func onlyTheUserReadsIt() throws {
        let scratch = try ScratchFolder()
        let state = try SQLiteSyncState(path: scratch.path("state"), root: root)
        try state.setValue("v", "k")
        for name in ["state", "state-wal"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: scratch.path(name))
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        try state.close()
    }

    @Test func aSecondProcessIsRefused() throws {
        let scratch = try ScratchFolder()
        let state = try SQLiteSyncState(path: scratch.path("state"), root: root)
        try state.setValue("v", "k")
        #expect(throws: SyncStateError.inUse(path: scratch.path("state"))) {
            try SQLiteSyncState(path: scratch.path("state"), root: root)
        }
        try state.close()
        #expect(throws: SyncStateError.closed(path: scratch.path("state"))) { try state.value("k") }
    }

    @Test func undoesWhatATransactionDidNotFinish() throws {
        struct Stop: Error {}
        let scratch = try ScratchFolder()
        let state = try SQLiteSyncState(path: scratch.path("state"), root: root)
        let (a, b, c) = (try testNode(2, "a"), try testNode(3, "b"), try testNode(4, "c"))
        try state.put(a, in: .local)
        #expect(throws: Stop.self) {
            try state.transaction {
                try state.put(b, in: .local)
                try state.remove(a.id, from: .local)
                #expect(try state.unsettled(after: nil, limit: 9) == [b.id])
                throw Stop()
            }
        }
        #expect(try state.children(of: root, in: .local) == [a])
        #expect(try state.unsettled(after: nil, limit: 9) == [a.id])
        try state.transaction {
            try state.put(b, in: .local)
            // What fails inside and is caught takes back itself only.
            try? state.transaction {
                try state.put(c, in: .local)
                throw Stop()
            }
        }
        #expect(Set(try state.children(of: root, in: .local)) == [a, b])
        #expect(try state.unsettled(after: nil, limit: 9) == [a.id, b.id])
        #expect(try state.unsettled(after: a.id, limit: 9) == [b.id])
        try state.close()
    }

    @Test func aFullDiskUndoesTheTransactionAndNothingElse() throws {
        let scratch = try ScratchFolder()
        let state = try SQLiteSyncState(path: scratch.path("state"), root: root)
        let first = try testNode(2, "first")
        try state.put(first, in: .local)
        try state.limitFile(toPages: 60)
        #expect(throws: SyncStateError.storageFull(path: scratch.path("state"))) {
            try state.transaction {
                for number in 0..<10_000 {
                    try state.put(testNode(UInt128(number + 3), "\(number)"), in: .local)
                }
            }
        }
        #expect(try state.children(of: root, in: .local) == [first])
        #expect(try state.unsettled(after: nil, limit: 9) == [first.id])
        try state.limitFile(toPages: 1_000_000)
        let second = try testNode(3, "second")
        try state.transaction { try state.put(second, in: .local) }
        #expect(try state.unsettled(after: nil, limit: 9) == [first.id, second.id])
        try state.close()
    }

    /// What lies on the disk after each transaction is that transaction, as a killed process leaves it.
    @Test func aKillLosesNothingThatReturned() throws {
        let scratch = try ScratchFolder()
        let state = try SQLiteSyncState(path: scratch.path("state"), root: root)
        for number in 1...12 as ClosedRange<UInt128> {
            try state.transaction {
                for part in 0..<50 as Range<UInt128> {
                    try state.put(testNode(number * 100 + part, "\(number) \(part)"), in: .remote)
                }
                try state.setCursor(SyncCursor(epoch: 1, jid: JID(number), text: ""))
            }
            for name in ["state", "state-wal"] {
                try? FileManager.default.removeItem(atPath: scratch.path("copy of " + name))
                try FileManager.default.copyItem(
                    atPath: scratch.path(name), toPath: scratch.path("copy of " + name))
            }
            let copy = try SQLiteSyncState(path: scratch.path("copy of state"), root: root)
            #expect(try copy.cursor()?.jid == JID(number))
            #expect(try copy.children(of: root, in: .remote).count == Int(number) * 50)
            #expect(try copy.unsettled(after: nil, limit: 10_000).count == Int(number) * 50)
            try copy.close()
        }
        try state.close()
    }

    /// Random writes, compared with dictionaries after each transaction and after opening again.
    @Test(arguments: Array(0..<20) as [UInt64])
    func agreesWithAModel(seed: UInt64) throws {
        let scratch = try ScratchFolder()
        var random = LocalRandom(seed: seed)
        var state = try SQLiteSyncState(path: scratch.path("state"), root: root)
        var model = ModelTrees()
        for _ in 0..<60 {
            try state.transaction {
                for _ in 0..<Int.random(in: 1...8, using: &random) { try model.change(state, &random) }
                // One within another takes back itself only.
                try Self.undone(state, model, &random)
                try model.check(state)
            }
            try Self.undone(state, model, &random)
            try model.check(state)
            if Int.random(in: 0..<20, using: &random) == 0 {
                try state.close()
                state = try SQLiteSyncState(path: scratch.path("state"), root: root)
            }
            #expect(try state.unsettled(after: nil, limit: 1000) == model.unsettled)
            for tree in TreeName.allCases {
                for parent in 1...6 as ClosedRange<UInt128> {
                    let id = NodeID(bits: parent)
                    #expect(Set(try state.children(of: id, in: tree)) == model.children(of: id, in: tree))
                }
            }
            for (id, stamp) in model.stamps { #expect(try state.stamp(of: id) == stamp) }
        }
        try state.close()
    }

    /// Changes that are taken back.
    private static func undone(
        _ state: SQLiteSyncState, _ model: ModelTrees, _ random: inout LocalRandom
    ) throws {
        struct Changed: Error {}
        var copy = model
        #expect(throws: Changed.self) {
            try state.transaction {
                for _ in 0..<3 { try copy.change(state, &random) }
                try copy.check(state)
                throw Changed()
            }
        }
    }

    /// More nodes than are kept in memory, in one transaction.
    @Test func settlesMoreNodesThanItRemembers() throws {
        let scratch = try ScratchFolder()
        let state = try SQLiteSyncState(path: scratch.path("state"), root: root)
        let count = 40_000
        try state.transaction {
            for tree in TreeName.allCases {
                for number in 0..<count where tree == .remote || number % 2 == 0 {
                    try state.put(
                        testNode(UInt128(number + 2), "n\(number)", parent: 1, kind: .file, content: "x"),
                        in: tree)
                }
            }
        }
        let expected = stride(from: 1, to: count, by: 2).map { NodeID(bits: UInt128($0 + 2)) }
        let unsettled = try state.unsettled(after: nil, limit: count)
        #expect(unsettled == expected)
        try state.close()
    }
}

/// The trees as dictionaries.
private struct ModelTrees {
    var trees: [TreeName: [NodeID: SyncNode]] = [.remote: [:], .local: [:], .synced: [:]]
    var stamps: [NodeID: LocalStamp] = [:]

    mutating func change(_ state: SQLiteSyncState, _ random: inout LocalRandom) throws {
        let tree = TreeName.allCases.randomElement(using: &random) ?? .local
        let id = UInt128.random(in: 2...12, using: &random)
        let node = try testNode(
            id, ["a", "A", "b"].randomElement(using: &random) ?? "",
            parent: .random(in: 1...6, using: &random),
            kind: TreeNodeKind.allCases.randomElement(using: &random) ?? .file,
            content: Bool.random(using: &random) ? "x" : nil, modified: .random(in: 0...1, using: &random),
            mode: [nil, 0o644, 0o600].randomElement(using: &random) ?? nil)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5:
            try state.put(node, in: tree)
            trees[tree]?[node.id] = node
        case 5, 6:
            try state.remove(node.id, from: tree)
            trees[tree]?[node.id] = nil
            if tree == .local { stamps[node.id] = nil }
        case 7:
            let stamp = LocalStamp(
                identity: FileIdentity(device: 1, inode: UInt64(id)), size: 1, modified: 2, changed: 3,
                seen: 4)
            try state.putLocal(node, stamp: stamp)
            trees[.local]?[node.id] = node
            stamps[node.id] = stamp
        case 8:
            for name in TreeName.allCases {
                try state.put(node, in: name)
                trees[name]?[node.id] = node
            }
        default:
            try renameLocal(node.id, to: NodeID(bits: .random(in: 2...12, using: &random)), state)
        }
    }

    private mutating func renameLocal(_ id: NodeID, to new: NodeID, _ state: SQLiteSyncState) throws {
        try state.renameLocal(id, to: new)
        guard id != new, var node = trees[.local]?.removeValue(forKey: id) else { return }
        node.id = new
        trees[.local]?[new] = node
        stamps[new] = stamps.removeValue(forKey: id)
        for (child, var node) in trees[.local] ?? [:] where node.parent == id {
            node.parent = new
            trees[.local]?[child] = node
        }
    }

    /// Whether the state says the same of every node.
    func check(_ state: SQLiteSyncState) throws {
        for tree in TreeName.allCases {
            for number in 1...12 as ClosedRange<UInt128> {
                let id = NodeID(bits: number)
                #expect(try state.node(id, in: tree) == trees[tree]?[id])
            }
        }
    }

    func children(of id: NodeID, in tree: TreeName) -> Set<SyncNode> {
        Set((trees[tree] ?? [:]).values.filter { $0.parent == id })
    }

    var unsettled: [NodeID] {
        Set(trees.values.flatMap(\.keys)).sorted().filter { id in
            !NodeStates(
                id: id, remote: trees[.remote]?[id], local: trees[.local]?[id], synced: trees[.synced]?[id]
            ).isSettled
        }
    }
}
