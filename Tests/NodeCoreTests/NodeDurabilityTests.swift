import BlockStorage
import Catalog
import Foundation
import IPLD
import Multiformats
import NodeCore
import TestKit
import Testing

/// Calls that fail and power that goes, while a node adds, deletes, collects, compacts and rebuilds.
///
/// The store-level suites ask the same of blocks; here it is asked of what a user has: pins, and trees that
/// read back.
@Suite struct NodeDurabilityTests {
    private let laboratory: NodeLaboratory

    init() throws { laboratory = try NodeLaboratory() }

    private typealias Work = (StorageNode, NodeLedger) throws -> Void

    // MARK: Work

    private static func trees(_ seed: UInt64, _ count: Int) -> [Tree] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { _ in
            Tree([
                "a": random.bytes(random.pick([0, 900, 3000])), "b/c": random.bytes(random.pick([1, 5000])),
            ])
        }
    }

    /// Adds two trees that share nothing.
    private static func add(_ node: StorageNode, _ ledger: NodeLedger, seed: UInt64) throws {
        for tree in trees(seed, 2) { try ledger.add(tree, to: node) }
        try node.close()
    }

    /// Adds three trees, deletes two, collects and compacts, and brings one of them back.
    private static func delete(_ node: StorageNode, _ ledger: NodeLedger, seed: UInt64) throws {
        let all = trees(seed, 3)
        let roots = try all.map { try ledger.add($0, to: node) }
        for root in roots.prefix(2) { try ledger.unpin(root, in: node) }
        ledger.laboratory.clock.advance(milliseconds: 10)
        try NodeLaboratory.collect(node)
        try ledger.add(all[0], to: node)
        try node.close()
    }

    /// A node with three trees, which was closed or not.
    private func prepare(_ path: String, _ ledger: NodeLedger, seed: UInt64, closes: Bool) throws {
        let node = try laboratory.open(files: UnlockedDisk(), index: MemoryBlockIndex(), at: path)
        for tree in Self.trees(seed, 3) { try ledger.add(tree, to: node) }
        if closes { try node.close() } else { try node.catalog.close() }
    }

    // MARK: Faults

    private static func isTyped(_ error: any Error) -> Bool {
        error is BlockStoreError || error is CatalogError || error is NodeError
            || error is NodeCore.POSIXError
    }

    private func breakDisk(_ work: Work) throws {
        var index = MemoryBlockIndex()
        var ledger = NodeLedger(laboratory)
        let tried = try checkFaultSafety(
            base: DiskFileSystem(), step: scaled(4, full: 1), isTyped: Self.isTyped
        ) { system, path, _ in
            index = MemoryBlockIndex()
            ledger = NodeLedger(laboratory)
            let node = try laboratory.open(files: system, index: index, at: path + "/data")
            try work(node, ledger)
        } reopen: { path, _ in
            try ledger.reopen(at: path + "/data", index: index)
        }
        #expect(tried > 20)
    }

    @Test(arguments: SeededRandom.seeds(scaled(1, full: 5)))
    func aFailingDiskLosesNoPin(seed: UInt64) throws {
        try breakDisk { try Self.add($0, $1, seed: seed) }
    }

    @Test(arguments: SeededRandom.seeds(scaled(1, full: 5)))
    func aFailingDiskLosesNoPinWhileOthersAreDeletedAndCollected(seed: UInt64) throws {
        try breakDisk { try Self.delete($0, $1, seed: seed) }
    }

    @Test(arguments: SeededRandom.seeds(scaled(1, full: 5)))
    func aFailingIndexLosesNoPin(seed: UInt64) throws {
        for staysBroken in [false, true] {
            var call = 0
            while true {
                let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
                let base = MemoryBlockIndex()
                let index = FaultyBlockIndex(base: base, failing: call, staysBroken: staysBroken)
                let ledger = NodeLedger(laboratory)
                do {
                    let node = try laboratory.open(
                        files: UnlockedDisk(), index: index, at: directory.path("data"))
                    try Self.delete(node, ledger, seed: seed)
                } catch {
                    #expect(Self.isTyped(error), "\(type(of: error))")
                }
                _ = try ledger.reopen(at: directory.path("data"), index: base)
                if index.faults == 0 { break }
                call += 1
            }
        }
    }

    /// Reads fail as well: a pack that cannot be read must not be taken for one that ends there.
    @Test(arguments: [true, false])
    func aDiskThatFailsWhileTheIndexIsMadeAnewLosesNoPin(wasClosed: Bool) throws {
        for kind in [FaultyFileSystem.Kind.ioError, .noSpace] {
            var call = 0
            while true {
                let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
                let path = directory.path("data")
                let ledger = NodeLedger(laboratory)
                try prepare(path, ledger, seed: 1, closes: wasClosed)
                let plan = FaultyFileSystem.Plan(call: call, kind: kind)
                let system = FaultyFileSystem(base: UnlockedDisk(), plan: plan, countsReads: true)
                do {
                    let node = try laboratory.open(files: system, index: MemoryBlockIndex(), at: path)
                    try node.close()
                } catch {
                    #expect(Self.isTyped(error), "\(type(of: error))")
                }
                _ = try ledger.reopen(at: path, index: MemoryBlockIndex())
                if system.faults == 0 { break }
                call += scaled(2, full: 1)
            }
        }
    }

    // MARK: Power cuts

    /// - Parameter prepare: what is done before the recording begins.
    private func cutPower(
        seed: UInt64, prepare: (String, NodeLedger) throws -> Void = { _, _ in }, _ work: Work
    ) throws {
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        let ledger = NodeLedger(laboratory)
        try prepare(directory.path + "/data", ledger)
        var index: RecordingBlockIndex?
        let images = try checkCrashSafety(
            seed: seed, base: UnlockedDisk(), root: directory.path, stride: scaled(7, full: 1)
        ) { recording, _ in
            let recordingIndex = try RecordingBlockIndex(recording)
            index = recordingIndex
            ledger.record(directory.path + "/data") { recording.operationCount }
            // What was prepared is there from the first operation on.
            ledger.catalogChanged()
            let node = try laboratory.open(
                files: recording, index: recordingIndex, at: directory.path + "/data")
            ledger.catalogChanged()
            try work(node, ledger)
        } reopen: { image, path in
            try ledger.restoreCatalog(at: image.operationCount, to: path + "/data")
            return try ledger.reopen(
                at: path + "/data", index: try index?.afterCrash(image) ?? MemoryBlockIndex(),
                expectsAll: false)
        }
        #expect(images > 15)
    }

    @Test(arguments: SeededRandom.seeds(scaled(1, full: 10)))
    func aPowerCutWhileAddingLosesNoPin(seed: UInt64) throws {
        try cutPower(seed: seed) { try Self.add($0, $1, seed: seed) }
    }

    @Test(arguments: SeededRandom.seeds(scaled(1, full: 10)))
    func aPowerCutWhileDeletingCollectingOrCompactingLosesNoPin(seed: UInt64) throws {
        try cutPower(seed: seed) { try Self.delete($0, $1, seed: seed) }
    }

    @Test(arguments: [true, false])
    func aPowerCutWhileTheIndexIsMadeAnewLosesNoPin(wasClosed: Bool) throws {
        try cutPower(seed: 1) { path, ledger in
            try prepare(path, ledger, seed: 1, closes: wasClosed)
        } _: { node, ledger in
            try ledger.add(Tree(["more": [1, 2, 3]]), to: node)
            try node.close()
        }
    }

    /// `verify --rebuild-index` makes the new index beside the old one, moves the old one away and the new
    /// one to its place. It can end between any two of these steps.
    enum Interruption: CaseIterable, Sendable {
        case whileTheNewIndexIsMade
        case beforeTheNewIndexHasItsName
        case beforeTheOldIndexIsRemoved
    }

    @Test(arguments: Interruption.allCases)
    func aRebuildThatEndsBetweenItsStepsLosesNoPinAndCanBeRepeated(_ interruption: Interruption) throws {
        let ledger = NodeLedger(laboratory)
        let node = try laboratory.open()
        for tree in Self.trees(5, 3) { try ledger.add(tree, to: node) }
        try node.close()
        let index = laboratory.directory.path("data/blocks/index")
        let manager = FileManager.default
        switch interruption {
        case .whileTheNewIndexIsMade:
            try manager.copyItem(atPath: index, toPath: index + ".new")
            try manager.removeItem(atPath: index + ".new/CURRENT")
        case .beforeTheNewIndexHasItsName:
            try manager.copyItem(atPath: index, toPath: index + ".new")
            try manager.moveItem(atPath: index, toPath: index + ".old")
        case .beforeTheOldIndexIsRemoved:
            try manager.copyItem(atPath: index, toPath: index + ".old")
        }
        let again = try laboratory.open()
        try ledger.expectAll(in: again)
        try NodeLaboratory.expectSound(again)
        let blocks = again.store.statistics().blocks
        try again.close()
        let path = laboratory.directory.path("data")
        #expect(try PackBlockStore.rebuildIndex(directory: path).blocks == blocks)
        let names = try manager.contentsOfDirectory(atPath: path + "/blocks")
        #expect(Set(names).subtracting(["reserve"]) == ["packs", "index"])
        let last = try laboratory.open()
        try ledger.expectAll(in: last)
        try NodeLaboratory.expectSound(last)
        try last.close()
    }
}
