import BlockStorage
import Catalog
import Foundation
import Multiformats
import NodeCore
import TestKit
import Testing

/// What a node acknowledged: pins, with the trees that they keep. And the catalog as of every moment at which
/// it changed, for tests that cut the power.
final class NodeLedger {
    let laboratory: NodeLaboratory
    /// Every tree that was ever about to be pinned.
    private var trees: [CID: Tree] = [:]
    private var pinned: Set<CID> = []
    private var catalog: (directory: String, now: () -> Int)?
    private var snapshots: [(moment: Int, files: [String: Data])] = []

    init(_ laboratory: NodeLaboratory) { self.laboratory = laboratory }

    @discardableResult
    func add(_ tree: Tree, to node: StorageNode) throws -> CID {
        // Its root is known beforehand: a pin that was made and not acknowledged may be there as well.
        let root = try tree.store(in: DiscardingBlockStore())
        trees[root] = tree
        #expect(try tree.add(to: node, name: "\(root)") == root)
        pinned.insert(root)
        catalogChanged()
        return root
    }

    func unpin(_ root: CID, in node: StorageNode) throws {
        pinned.remove(root)
        try NodeLaboratory.unpin(root, in: node)
        catalogChanged()
    }

    // MARK: The catalog as of a moment

    /// Keeps a copy of the catalog from here on whenever it changes.
    func record(_ directory: String, now: @escaping () -> Int) { catalog = (directory, now) }

    func catalogChanged() {
        guard let catalog else { return }
        var files: [String: Data] = [:]
        for suffix in ["", "-wal"] {
            let name = CatalogDatabase.fileName + suffix
            files[name] = try? Data(contentsOf: URL(fileURLWithPath: catalog.directory + "/" + name))
        }
        snapshots.append((catalog.now(), files))
    }

    /// Writes the catalog as it was after so many operations of the disk. Every change of it is durable when
    /// it is acknowledged.
    func restoreCatalog(at moment: Int, to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: directory)
        where name.hasPrefix(CatalogDatabase.fileName) || name == "LOCK" {
            try FileManager.default.removeItem(atPath: directory + "/" + name)
        }
        for (name, bytes) in snapshots.last(where: { $0.moment <= moment })?.files ?? [:] {
            try bytes.write(to: URL(fileURLWithPath: directory + "/" + name))
        }
    }

    // MARK: Afterwards

    /// Opens what a fault or a power cut left: every pin reads back byte for byte, nothing is wrong, and the
    /// node goes on working.
    ///
    /// - Parameter expectsAll: whether every acknowledged pin must be in the catalog; not if that is an
    ///   older one.
    func reopen(at path: String, index: MemoryBlockIndex, expectsAll: Bool = true) throws -> PackBlockStore {
        let node = try laboratory.open(index: index, at: path)
        if expectsAll { try expectAll(in: node) }
        try expectPins(of: node)
        try NodeLaboratory.expectSound(node)
        let fresh = Tree(["fresh": [UInt8](repeating: 42, count: 2500)])
        let root = try fresh.add(to: node, name: "fresh")
        try node.close()
        let again = try laboratory.open(index: index, at: path)
        #expect(try Tree(root, from: again.store) == fresh)
        try expectPins(of: again)
        return again.store
    }

    func expectAll(in node: StorageNode) throws {
        for root in pinned {
            #expect(try node.catalog.pins.isPinned(root))
            #expect(try Tree(root, from: node.store) == trees[root])
        }
    }

    private func expectPins(of node: StorageNode) throws {
        for pin in try node.catalog.pins.list(limit: 1000).pins where pin.name != "fresh" {
            #expect(try Tree(pin.root, from: node.store) == trees[pin.root])
        }
    }
}
