import BlockStorage
import Catalog
import Foundation
import IPLD
import Multiformats
import NodeCore
import TestKit
import Testing
import UnixFS

/// What the tests of a node have in common: small packs, small leaves, a clock that stands still.
struct NodeLaboratory {
    let directory: TemporaryDirectory
    let clock = ManualClock()

    init() throws { directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent) }

    /// Leaves of 1000 bytes and four links a node: every file is a tree.
    static let parameters: ImportParameters = {
        var parameters = ImportParameters.unixfsV1_2025
        parameters.chunker = .fixed(bytes: 1000)
        parameters.maximumLinks = 4
        return parameters
    }()

    /// Opens the node in `directory`, by default on the real disk and with RocksDB.
    func open(
        files: any FileSystem = DiskFileSystem(), index: (any BlockIndex)? = nil, at path: String? = nil
    ) throws -> StorageNode {
        var options = PackBlockStore.Options()
        options.packTargetBytes = 64 * 1024
        options.reserveBytes = 0
        options.now = { [clock] in clock.milliseconds }
        var ground = StorageNode.Ground(options)
        ground.files = files
        ground.index = index
        return try StorageNode.open(path ?? directory.path("data"), on: ground)
    }

    /// The bytes of all files in the folder of packs.
    func packBytes() throws -> Int64 {
        let packs = directory.path("data/blocks/packs")
        return try FileManager.default.contentsOfDirectory(atPath: packs).reduce(0) { sum, name in
            let attributes = try FileManager.default.attributesOfItem(atPath: packs + "/" + name)
            return try sum + #require(attributes[.size] as? Int64)
        }
    }

    /// Removes pins as `nacre pin rm` does.
    static func unpin(_ root: CID, in node: StorageNode) throws {
        for pin in try node.catalog.pins.list(PinFilter(root: root)).pins {
            try node.catalog.pins.remove(pin.id)
        }
    }

    /// A collection without grace that gives every dead byte back.
    @discardableResult
    static func collect(
        _ node: StorageNode, dryRun: Bool = false, grace: Duration = .zero
    ) throws -> CollectionReport {
        var options = CollectionOptions(grace: grace, maximumUnusedShare: 0)
        options.isDryRun = dryRun
        return try node.collectGarbage(options)
    }

    /// The trees that such a collection would drop.
    static func garbageTrees(_ node: StorageNode) throws -> [GarbageTree] {
        var trees: [GarbageTree] = []
        try node.forEachGarbageTree(CollectionOptions(grace: .zero, maximumUnusedShare: 0)) {
            trees.append($0)
        }
        return trees
    }

    static func expectSound(_ node: StorageNode) throws {
        let report = try node.verify()
        #expect(
            report.isClean,
            "\(report.storage) \(report.catalog) \(report.incompletePins.map(\.problem)) \(report.openingNotes)"
        )
    }
}

/// Files in folders, by path.
struct Tree: Equatable {
    var files: [String: [UInt8]]

    init(_ files: [String: [UInt8]]) { self.files = files }

    /// A few files of random content, of which some have the same as those of other trees.
    init(_ random: inout SeededRandom) {
        files = [:]
        for _ in 0..<random.number(1...5) {
            let path = (random.oneIn(2) ? "sub/" : "") + "file \(random.number(0..<100))"
            if random.oneIn(3) {
                var common = SeededRandom(seed: UInt64(random.number(0..<5)))
                files[path] = common.bytes(4500)
            } else {
                files[path] = random.bytes(random.pick([0, 1, 1000, 1001, 5000, 9999]))
            }
        }
    }

    /// Adds and pins the tree, all under one lease: what is returned is durable.
    func add(to node: StorageNode, name: String) throws -> CID {
        let lease = try node.beginLease()
        defer { lease.end() }
        let root = try store(in: node.store)
        try node.pin(root, name: name, visibility: .public)
        return root
    }

    /// Puts all blocks of the tree, pins nothing.
    func store(in store: any BlockStore) throws -> CID {
        let folder = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        for (path, bytes) in files { try folder.write(bytes, to: "tree/" + path) }
        let options = ImportOptions(parameters: NodeLaboratory.parameters, threads: 2)
        return try Importer(store: store, options: options).add(path: Array(folder.path("tree").utf8)).cid
    }

    /// Reads the tree back.
    init(_ root: CID, from source: any BlockSource) throws {
        files = [:]
        var waiting: [(path: String, cid: CID)] = [("", root)]
        while let (path, cid) = waiting.popLast() {
            let block = try #require(try source.block(cid), "\(path) is missing")
            if try UnixFSStat.ifUnixFS(block)?.kind.isDirectory == true {
                try DirectoryReader(source: source, root: block).forEach { entry in
                    let name = String(decoding: entry.name, as: UTF8.self)
                    waiting.append((path.isEmpty ? name : path + "/" + name, entry.cid))
                }
            } else {
                var bytes: [UInt8] = []
                try UnixFSFileReader(source: source, root: block).read { bytes += $0 }
                files[path] = bytes
            }
        }
    }

    /// The bytes of all blocks below a root and of the root, each once.
    static func blocks(below root: CID, in node: StorageNode) throws -> (count: Int, bytes: Int64) {
        let walked = try node.walk(root)
        return (walked.blocks, Int64(walked.bytes))
    }
}
