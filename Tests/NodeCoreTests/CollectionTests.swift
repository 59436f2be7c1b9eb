import BlockStorage
import Catalog
import Dispatch
import Foundation
import IPLD
import Multiformats
import NodeCore
import Synchronization
import TestKit
import Testing

/// What nothing keeps goes, to the byte; what is pinned, leased or young stays.
@Suite struct CollectionTests {
    private let laboratory: NodeLaboratory

    init() throws { laboratory = try NodeLaboratory() }

    @Test(arguments: SeededRandom.seeds(scaled(6, full: 60)))
    func aDryRunTellsExactlyWhatTheRunThenRemoves(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let node = try laboratory.open()
        let trees = (0..<12).map { _ in Tree(&random) }
        let roots = try trees.enumerated().map { try $1.add(to: node, name: "tree \($0)") }
        let kept = Set(roots.filter { _ in random.oneIn(2) })
        for root in roots where !kept.contains(root) { try NodeLaboratory.unpin(root, in: node) }
        laboratory.clock.advance(milliseconds: 1)

        let before = node.store.statistics()
        let told = try NodeLaboratory.collect(node, dryRun: true)
        let doomed = try NodeLaboratory.garbageTrees(node)
        #expect(node.store.statistics() == before)
        for (root, tree) in zip(roots, trees) { #expect(try Tree(root, from: node.store) == tree) }
        #expect(doomed.reduce(0) { $0 + $1.blocks } == told.blocks)
        #expect(doomed.reduce(0) { $0 + $1.bytes } == told.bytes)
        #expect(Set(doomed.map(\.root)) == Set(roots).subtracting(kept))

        let done = try NodeLaboratory.collect(node)
        #expect(done.blocks == told.blocks)
        #expect(done.bytes == told.bytes)
        #expect(done.keptBlocks == told.keptBlocks)
        let after = node.store.statistics()
        #expect(before.blocks - after.blocks == Int64(told.blocks))
        #expect(after.deadBytes == 0)
        #expect(before.packBytes - after.packBytes >= told.bytes)
        for (root, tree) in zip(roots, trees) where kept.contains(root) {
            #expect(try Tree(root, from: node.store) == tree)
        }
        for root in roots where !kept.contains(root) { #expect(try node.store.block(root) == nil) }
        #expect(try NodeLaboratory.collect(node).blocks == 0)
        try NodeLaboratory.expectSound(node)
        try node.close()
    }

    @Test func theDataDirectoryShrinksByWhatWentAndIsPlainPacks() throws {
        var random = SeededRandom(seed: 1)
        let node = try laboratory.open()
        let kept = Tree(["a": random.bytes(300_000)])
        let keptRoot = try kept.add(to: node, name: "kept")
        let gone = try Tree(["b": random.bytes(2_000_000)]).add(to: node, name: "gone")
        let size = try Tree.blocks(below: gone, in: node)
        try node.close()
        let before = try laboratory.packBytes()

        let again = try laboratory.open()
        try NodeLaboratory.unpin(gone, in: again)
        laboratory.clock.advance(milliseconds: 1)
        let report = try NodeLaboratory.collect(again)
        #expect(report.blocks == size.count)
        #expect(report.bytes == size.bytes)
        try again.close()
        let after = try laboratory.packBytes()
        #expect(before - after >= size.bytes, "the headers of sections and packs go too")
        #expect(before - after <= size.bytes + Int64(size.count) * 45 + 64 * 1024)

        let reopened = try laboratory.open()
        #expect(try Tree(keptRoot, from: reopened.store) == kept)
        #expect(try reopened.store.block(gone) == nil)
        try NodeLaboratory.expectSound(reopened)
        try reopened.close()
    }

    @Test func nothingYoungerThanTheGracePeriodGoes() throws {
        let node = try laboratory.open()
        let old = try Tree(["old": [1, 2, 3]]).store(in: node.store)
        laboratory.clock.advance(milliseconds: 1000)
        let young = try Tree(["young": [4, 5, 6]]).store(in: node.store)
        laboratory.clock.advance(milliseconds: 500)

        let first = try NodeLaboratory.collect(node, grace: .milliseconds(500))
        #expect(first.blocks == 2)
        #expect(first.youngBlocks == 2)
        #expect(try node.store.block(old) == nil)
        #expect(try node.store.block(young) != nil)
        laboratory.clock.advance(milliseconds: 1)
        #expect(try NodeLaboratory.collect(node, grace: .milliseconds(500)).blocks == 2)
        #expect(try node.store.block(young) == nil)
        try node.close()
    }

    @Test func aBlockThatIsPutAgainIsYoungAgain() throws {
        let node = try laboratory.open()
        let tree = Tree(["a": [UInt8](repeating: 7, count: 5000)])
        let root = try tree.store(in: node.store)
        laboratory.clock.advance(milliseconds: 24 * 3_600_000)
        #expect(try tree.store(in: node.store) == root)
        laboratory.clock.advance(milliseconds: 1000)
        #expect(try NodeLaboratory.collect(node, grace: .seconds(2)).blocks == 0)
        #expect(try Tree(root, from: node.store) == tree)
        try node.close()
    }

    @Test func aLeaseKeepsWhatIsPutUnderItAlsoWhatWasHeldBefore() throws {
        let node = try laboratory.open()
        let held = Tree(["held": [UInt8](repeating: 1, count: 3000)])
        let heldRoot = try held.store(in: node.store)
        let other = try Tree(["other": [9]]).store(in: node.store)
        try node.store.commit()
        laboratory.clock.advance(milliseconds: 10_000)
        let lease = try node.beginLease()
        #expect(try held.store(in: node.store) == heldRoot)
        let new = try Tree(["new": [2]]).store(in: node.store)
        laboratory.clock.advance(milliseconds: 10_000)

        #expect(try NodeLaboratory.collect(node).blocks == 2)
        #expect(try node.store.block(other) == nil)
        #expect(try Tree(heldRoot, from: node.store) == held)
        #expect(try node.store.block(new) != nil)
        lease.end()
        #expect(try NodeLaboratory.collect(node).keptBlocks == 0)
        #expect(node.store.statistics().blocks == 0)
        try node.close()
    }

    @Test func nothingGoesIfAPinMissesABlock() throws {
        let node = try laboratory.open()
        let root = try Tree(["a": [1]]).add(to: node, name: "whole")
        let loose = try Tree(["b": [2]]).store(in: node.store)
        var absent = SeededRandom(seed: 1)
        let missing = CID(codec: .dagPB, multihash: absent.block(bytes: 10).cid.multihash)
        try node.pin(missing, name: "promised", visibility: .public)
        laboratory.clock.advance(milliseconds: 1)
        #expect(throws: NodeError.self) { try NodeLaboratory.collect(node) }
        #expect(try node.store.block(loose) != nil)
        try NodeLaboratory.unpin(missing, in: node)
        #expect(try NodeLaboratory.collect(node).blocks == 2)
        #expect(try node.store.block(root) != nil)
        try node.close()
    }

    @Test func aMissingLeafKeepsNothingElseFromBeingCollected() throws {
        let node = try laboratory.open()
        let loose = try Tree(["b": [2]]).store(in: node.store)
        var absent = SeededRandom(seed: 1)
        try node.pin(absent.block(bytes: 10).cid, name: "promised", visibility: .public)
        laboratory.clock.advance(milliseconds: 1)
        let report = try NodeLaboratory.collect(node)
        #expect(report.missingLeaves == 1)
        #expect(try node.store.block(loose) == nil)
        try node.close()
    }

    @Test func aCancelledCollectionDropsNothingThatIsKeptAndCanBeRepeated() throws {
        let node = try laboratory.open()
        let tree = Tree(["a": [UInt8](repeating: 3, count: 9000)])
        let root = try tree.add(to: node, name: "kept")
        let loose = try Tree(["b": [4]]).store(in: node.store)
        laboratory.clock.advance(milliseconds: 1)
        let cancellation = Cancellation()
        #expect(throws: CancelledError.self) {
            try node.collectGarbage(
                CollectionOptions(grace: .zero, maximumUnusedShare: 0), cancellation: cancellation
            ) { _, _ in cancellation.cancel() }
        }
        #expect(try node.store.block(loose) != nil)
        #expect(try NodeLaboratory.collect(node).blocks == 2)
        #expect(try Tree(root, from: node.store) == tree)
        try node.close()
    }

    // MARK: Work that goes on meanwhile

    /// A put of a known root during the marking sets its mark. The walk of the pin that comes later must go
    /// below it all the same.
    @Test func aRootThatIsPutAgainWhileMarkingDoesNotHideWhatIsBelowIt() throws {
        let node = try laboratory.open()
        let first = try Tree(["a": [1]]).add(to: node, name: "first")
        let tree = Tree(["b": [UInt8](repeating: 5, count: 9000)])
        let second = try tree.add(to: node, name: "second")
        let root = try node.store.requireBlock(second)
        laboratory.clock.advance(milliseconds: 120_000)
        var isFirstStep = true
        _ = try node.collectGarbage(CollectionOptions(grace: .zero, maximumUnusedShare: 0)) { _, _ in
            guard isFirstStep else { return }
            isFirstStep = false
            try node.store.put(root)
        }
        #expect(try node.store.block(first) != nil)
        #expect(try Tree(second, from: node.store) == tree)
        try NodeLaboratory.expectSound(node)
        try node.close()
    }

    @Test func aPinThatIsMadeWhileMarkingIsKept() throws {
        let node = try laboratory.open()
        _ = try Tree(["a": [1]]).add(to: node, name: "first")
        let old = Tree(["b": [UInt8](repeating: 5, count: 9000)])
        let oldRoot = try old.store(in: node.store)
        let new = Tree(["c": [UInt8](repeating: 6, count: 9000)])
        laboratory.clock.advance(milliseconds: 120_000)
        var newRoot: CID?
        _ = try node.collectGarbage(CollectionOptions(grace: .zero, maximumUnusedShare: 0)) { _, _ in
            guard newRoot == nil else { return }
            newRoot = try new.add(to: node, name: "new")
            try node.pinExisting(oldRoot, name: "old", visibility: .public)
        }
        #expect(try Tree(oldRoot, from: node.store) == old)
        #expect(try Tree(try #require(newRoot), from: node.store) == new)
        try NodeLaboratory.expectSound(node)
        try node.close()
    }

    @Test(arguments: SeededRandom.seeds(scaled(3, full: 12)))
    func whatIsPinnedSurvivesCollectionsThatRunMeanwhile(seed: UInt64) throws {
        let node = try laboratory.open()
        let workers = try (0..<3).map { try CollectionWorker(number: $0, seed: seed, node: node) }
        let failures = Mutex<[String]>([])
        let running = Mutex(workers.count)
        DispatchQueue.concurrentPerform(iterations: workers.count + 1) { thread in
            do {
                if thread == workers.count {
                    var runs = 0
                    while running.withLock({ $0 > 0 }) || runs < 3 {
                        laboratory.clock.advance(milliseconds: 70_000)
                        try NodeLaboratory.collect(node)
                        runs += 1
                    }
                } else {
                    defer { running.withLock { $0 -= 1 } }
                    for _ in 0..<scaled(25, full: 80) { try workers[thread].step() }
                }
            } catch {
                failures.withLock { $0.append("thread \(thread): \(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        for worker in workers { try worker.expectEverything(in: node) }
        try NodeLaboratory.expectSound(node)
        try node.close()

        let again = try laboratory.open()
        for worker in workers { try worker.expectEverything(in: again) }
        try NodeLaboratory.expectSound(again)
        // What is left is what the pins reach, and nothing else.
        laboratory.clock.advance(milliseconds: 1)
        try NodeLaboratory.collect(again)
        for worker in workers { try worker.unpinAll(in: again) }
        try NodeLaboratory.collect(again)
        #expect(again.store.statistics().blocks == 0)
        try again.close()
    }
}

/// One user of a node: adds, reads, pins and unpins trees of which some share blocks with those of others.
private final class CollectionWorker: @unchecked Sendable {
    // Proof of Sendable: each is used by one thread at a time.
    private let number: Int
    private let node: StorageNode
    private var random: SeededRandom
    private var pinned: [CID: Tree] = [:]
    private var unpinned: [CID: Tree] = [:]
    private var names = 0

    init(number: Int, seed: UInt64, node: StorageNode) throws {
        self.number = number
        self.node = node
        random = SeededRandom(seed: seed &* 31 &+ UInt64(number))
    }

    func step() throws {
        switch random.number(0..<10) {
        case 0..<4:
            var tree = Tree(&random)
            tree.files["owner"] = [UInt8(number)]
            try add(tree)
        case 4..<6:
            // The same again, of which a collection may have taken any part.
            if let (root, tree) = unpinned.first {
                unpinned[root] = nil
                try add(tree)
            }
        case 6:
            guard let root = pinned.keys.first else { return }
            names += 1
            try node.pinExisting(root, name: "\(number) again \(names)", visibility: .private)
        case 7:
            guard let root = pinned.keys.first else { return }
            try node.store.put(try node.store.requireBlock(root))
        case 8:
            guard let (root, tree) = pinned.first else { return }
            pinned[root] = nil
            try NodeLaboratory.unpin(root, in: node)
            unpinned[root] = tree
        default:
            guard let (root, tree) = pinned.first else { return }
            #expect(try Tree(root, from: node.store) == tree)
        }
    }

    private func add(_ tree: Tree) throws {
        names += 1
        pinned[try tree.add(to: node, name: "\(number) \(names)")] = tree
    }

    func expectEverything(in node: StorageNode) throws {
        for (root, tree) in pinned { #expect(try Tree(root, from: node.store) == tree) }
    }

    func unpinAll(in node: StorageNode) throws {
        for root in pinned.keys { try NodeLaboratory.unpin(root, in: node) }
    }
}
