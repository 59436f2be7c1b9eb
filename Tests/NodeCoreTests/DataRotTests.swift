import BlockStorage
import Catalog
import Foundation
import Multiformats
import NodeCore
import TestKit
import Testing

/// Bits that flip in the files of a data directory: found, named, never served, and mended from the packs.
@Suite struct DataRotTests {
    private let laboratory: NodeLaboratory
    private let roots: [CID: Tree]

    /// A closed node whose index has tables and a log.
    init() throws {
        laboratory = try NodeLaboratory()
        var random = SeededRandom(seed: 40)
        var roots: [CID: Tree] = [:]
        for number in 0..<4 {
            // Opening anew turns the log of the time before into a table.
            let node = try laboratory.open()
            let tree = Tree(["a": random.bytes(20_000), "b": [UInt8(number)]])
            roots[try tree.add(to: node, name: "\(number)")] = tree
            try node.close()
        }
        self.roots = roots
    }

    private func indexFiles() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: laboratory.directory.path("data/blocks/index"))
            .filter { $0 != "LOCK" && !$0.hasPrefix("LOG") }.sorted()
    }

    @Test(arguments: SeededRandom.seeds(scaled(10, full: 200)))
    func badInput40ABitThatFlipsInTheIndexIsFoundOrMeansNothing(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let files = try indexFiles()
        #expect(files.contains { $0.hasSuffix(".sst") })
        let name = "data/blocks/index/" + files[Int(seed) % files.count]
        var bytes = try laboratory.directory.read(name)
        guard !bytes.isEmpty else { return }
        bytes[random.number(0..<bytes.count)] ^= 1 << UInt8(random.number(0..<8))
        try laboratory.directory.write(bytes, to: name)

        do {
            let node = try laboratory.open()
            for (root, tree) in roots {
                // Right bytes or an error that says what is wrong; never other bytes, never "not here".
                do { #expect(try Tree(root, from: node.store) == tree, "\(name)") } catch is BlockStoreError {
                }
            }
            do {
                let report = try node.verify()
                if report.isClean {
                    for (root, tree) in roots { #expect(try Tree(root, from: node.store) == tree) }
                }
            } catch is BlockStoreError {}
            try node.close()
        } catch let error as BlockStoreError {
            #expect("\(error)".contains("index"), "\(error)")
        }
        try expectRebuildMends()
    }

    @Test func badInput40AnIndexWithoutItsFilesIsMadeAnew() throws {
        for name in try indexFiles() {
            try FileManager.default.removeItem(atPath: laboratory.directory.path("data/blocks/index/" + name))
        }
        let node = try laboratory.open()
        for (root, tree) in roots { #expect(try Tree(root, from: node.store) == tree) }
        try NodeLaboratory.expectSound(node)
        try node.close()
    }

    /// A table that is gone leaves entries gone: nothing may then pass for whole.
    @Test func badInput40AMissingTableIsFound() throws {
        let tables = try indexFiles().filter { $0.hasSuffix(".sst") }
        let table = try #require(tables.first)
        try FileManager.default.removeItem(atPath: laboratory.directory.path("data/blocks/index/" + table))
        #expect(throws: BlockStoreError.self) {
            let node = try laboratory.open()
            try node.close()
        }
        try expectRebuildMends()
    }

    @Test func badInput40BitRotInTheCatalogIsFoundAndStopsTheCollector() throws {
        let catalog = "data/catalog.sqlite"
        var bytes = try laboratory.directory.read(catalog)
        let root = try #require(roots.keys.first)
        let place = try #require(bytes.firstRange(of: root.bytes))
        bytes[place.lowerBound + 20] ^= 1
        try laboratory.directory.write(bytes, to: catalog)
        let node = try laboratory.open()
        laboratory.clock.advance(milliseconds: 1)
        #expect(try !node.verify().catalog.isEmpty)
        #expect(throws: (any Error).self) { try NodeLaboratory.collect(node) }
        for (root, tree) in roots { #expect(try Tree(root, from: node.store) == tree) }
        try node.close()
    }

    @Test func badInput40BitRotInAPackIsFoundByItsPinAndMendedByAddingAgain() throws {
        let (root, tree) = try #require(roots.first)
        let content = try #require(tree.files["a"])
        let packs = try FileManager.default.contentsOfDirectory(
            atPath: laboratory.directory.path("data/blocks/packs"))
        for pack in packs {
            var bytes = try laboratory.directory.read("data/blocks/packs/" + pack)
            guard let place = bytes.firstRange(of: content[3000..<4000]) else { continue }
            bytes[place.lowerBound + 500] ^= 4
            try laboratory.directory.write(bytes, to: "data/blocks/packs/" + pack)
        }
        let node = try laboratory.open()
        #expect(throws: BlockStoreError.self) { try Tree(root, from: node.store) }
        let report = try node.verify()
        #expect(report.storage.count == 1)
        #expect(report.incompletePins.map(\.pin.root) == [root])
        // Nothing lies below a leaf, so the collector knows all that is to stay.
        laboratory.clock.advance(milliseconds: 1)
        #expect(try NodeLaboratory.collect(node).blocks == 0)
        for (other, tree) in roots where other != root { #expect(try Tree(other, from: node.store) == tree) }
        #expect(try tree.add(to: node, name: "again") == root)
        try NodeLaboratory.expectSound(node)
        #expect(try Tree(root, from: node.store) == tree)
        try node.close()
    }

    private func expectRebuildMends() throws {
        _ = try PackBlockStore.rebuildIndex(directory: laboratory.directory.path("data"))
        let node = try laboratory.open()
        for (root, tree) in roots { #expect(try Tree(root, from: node.store) == tree) }
        try NodeLaboratory.expectSound(node)
        try node.close()
    }
}
