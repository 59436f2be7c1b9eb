import BlockStorage
import Foundation
import Multiformats
import NodeCore
import TestKit
import Testing
import UnixFS

/// Files on a disk get the CIDs that the formats, and other implementations, give them; each parameter by
/// itself.
@Suite struct ImportParametersTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent) }

    private func add(_ name: String, _ parameters: ImportParameters, threads: Int = 2) throws -> CID {
        var options = ImportOptions(parameters: parameters, threads: threads)
        options.hiddenEntries = .include
        return try Importer(store: DiscardingBlockStore(), options: options)
            .add(path: Array(directory.path(name).utf8)).cid
    }

    // MARK: Against vectors

    private static func parameters(_ vector: [String: Any]) throws -> ImportParameters {
        let json = try #require(vector["params"] as? [String: Any])
        let hash = try #require(MulticodecTable.code(named: json["hash"] as? String ?? ""))
        var directory = ImportParameters.unixfsV1_2025.directory
        if let estimate = json["hamt_estimate"] as? String {
            directory = DirectoryParameters(
                hamtThreshold: json["hamt_threshold"] as? Int,
                hamtEstimate: try #require(.init(rawValue: estimate)),
                fanout: try #require(json["hamt_fanout"] as? Int))
        }
        return ImportParameters(
            cidVersion: UInt8(try #require(json["cid_version"] as? Int)),
            rawLeaves: try #require(json["raw_leaves"] as? Bool), hash: MultihashCode(rawValue: hash),
            chunker: try ChunkerKind(text: try #require(json["chunker"] as? String)),
            layout: json["layout"] as? String == "trickle" ? .trickle : .balanced,
            maximumLinks: json["max_links"] as? Int ?? .max, directory: directory)
    }

    private static func vectors(_ group: String) throws -> [[String: Any]] {
        let all = try #require(try Vectors.jsonObject("unixfs/vectors.json") as? [String: Any])
        return try #require(all[group] as? [[String: Any]])
    }

    @Test func filesOnADiskGetThePublishedCIDs() throws {
        var checked = 0
        for vector in try Self.vectors("files") {
            let input = try #require(vector["input"] as? [String: Any])
            if let text = input["text"] as? String {
                try directory.write(Array(text.utf8), to: "file")
            } else if let file = input["file"] as? String {
                try directory.write(try Vectors.bytes("unixfs/" + file), to: "file")
            } else if input["generator"] as? String == "zeros" {
                try directory.write([], to: "file")
                #expect(truncate(directory.path("file"), off_t(try #require(input["size"] as? Int))) == 0)
            } else {
                continue
            }
            let expected = try CID(text: try #require(vector["cid"] as? String))
            #expect(try add("file", Self.parameters(vector)) == expected, "\(vector["id"] ?? "")")
            checked += 1
        }
        #expect(checked >= 25)
    }

    @Test func foldersOnADiskGetThePublishedCIDs() throws {
        var checked = 0
        for vector in try Self.vectors("directories") {
            guard let tree = try FolderTree(vector: try #require(vector["tree"])) else { continue }
            checked += 1
            try tree.write(to: directory.path("folder \(checked)"))
            let expected = try CID(text: try #require(vector["cid"] as? String))
            let root = try add("folder \(checked)", Self.parameters(vector))
            #expect(root == expected, "\(vector["id"] ?? "")")
        }
        #expect(checked >= 12)
    }

    // MARK: Against the formats

    /// One parameter changed in each.
    struct Variation: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let parameters: ImportParameters

        init(_ description: String, _ change: (inout ImportParameters) throws -> Void) rethrows {
            testDescription = description
            var parameters = ImportParameters.unixfsV1_2025
            try change(&parameters)
            self.parameters = parameters
        }

        static func all() throws -> [Variation] {
            let chunkers = [
                "size-1000", "size-262144", "buzhash", "rabin-1024-4096-8192", "fastcdc-256-1024-4096",
                "lines-4096", "line",
            ]
            return try chunkers.map { text in
                try Variation(text) { $0.chunker = try ChunkerKind(text: text) }
            } + [
                Variation("no raw leaves") { $0.rawLeaves = false },
                Variation("CID version 0") { $0.cidVersion = 0 },
                Variation("sha2-512") { $0.hash = .sha2_512 },
                Variation("2 links") {
                    $0.maximumLinks = 2; $0.chunker = .fixed(bytes: 9000)
                },
                Variation("trickle") {
                    $0.layout = .trickle
                    $0.maximumLinks = 3
                    $0.chunker = .fixed(bytes: 9000)
                },
                Variation("never sharded") { $0.directory.hamtThreshold = nil },
                Variation("always sharded") { $0.directory.hamtThreshold = 0 },
                Variation("sharded from 201 entries") {
                    $0.directory = DirectoryParameters(hamtThreshold: 200, hamtEstimate: .links)
                },
                Variation("sharded by bytes of links") {
                    $0.directory = DirectoryParameters(hamtThreshold: 8192, hamtEstimate: .linksBytes)
                },
                Variation("fanout 8") {
                    $0.directory.hamtThreshold = 0
                    $0.directory.fanout = 8
                },
            ]
        }
    }

    private static let folder: FolderTree = {
        var random = SeededRandom(seed: 3)
        var many: [String: FolderTree] = [:]
        for number in 0..<250 { many["entry \(number)"] = .file(Array("\(number % 90)".utf8)) }
        let lines = (0..<3000).map { "\($0) \(String(repeating: "x", count: $0 % 70))" }
        return .directory([
            "empty": .file([]), "one": .file([1]), "chunk": .file(random.bytes(1024 * 1024)),
            "more": .file(random.bytes(1024 * 1024 + 1)),
            "lines": .file(Array(lines.joined(separator: "\n").utf8)),
            "many": .directory(many), "nothing": .directory([:]), "link": .symlink("../else\u{301}where"),
            "a": .directory(["b": .directory(["c": .file([7]), ".hidden": .file([8])])]),
            "a.b": .file([9]), "é🌊": .file([10]),
        ])
    }()

    @Test(arguments: try Variation.all())
    func aFolderBecomesWhatTheFormatsSay(_ variation: Variation) throws {
        try variation.parameters.validate()
        try Self.folder.write(to: directory.path("folder"))
        #expect(try add("folder", variation.parameters) == Self.folder.root(variation.parameters).cid)
    }

    /// Larger than a buffer: the file is read, cut and hashed in pieces by several threads.
    @Test(arguments: ["size-262144", "size-1000003", "fastcdc-65536-262144-1048576", "lines-100000"])
    func aLargeFileBecomesWhatTheFormatsSay(_ chunker: String) throws {
        var parameters = ImportParameters.unixfsV1_2025
        parameters.chunker = try ChunkerKind(text: chunker)
        parameters.maximumLinks = 10
        var random = SeededRandom(seed: 4)
        var bytes = random.bytes(35_000_001)
        for position in stride(from: 0, to: bytes.count, by: 991) { bytes[position] = UInt8(ascii: "\n") }
        try directory.write(bytes, to: "large")
        let expected = try FolderTree.file(bytes).root(parameters).cid
        for threads in [1, 3] { #expect(try add("large", parameters, threads: threads) == expected) }
        var trickle = parameters
        trickle.layout = .trickle
        #expect(try add("large", trickle) == FolderTree.file(bytes).root(trickle).cid)
    }

    @Test func aStreamGetsTheCIDOfTheFile() throws {
        var random = SeededRandom(seed: 5)
        for size in [0, 1, 1024 * 1024, 17_000_000] {
            let bytes = random.bytes(size)
            for chunker in ["size-1048576", "fastcdc-65536-262144-1048576"] {
                var parameters = ImportParameters.unixfsV1_2025
                parameters.chunker = try ChunkerKind(text: chunker)
                var rest = bytes[...]
                let entry = try Importer(
                    store: DiscardingBlockStore(), options: ImportOptions(parameters: parameters, threads: 2)
                ).add(streamNamed: Array("stream".utf8)) { buffer in
                    // Odd pieces, as a pipe gives them.
                    let count = min(rest.count, buffer.count, 70_001)
                    buffer.copyBytes(from: rest.prefix(count))
                    rest = rest.dropFirst(count)
                    return count
                }
                #expect(entry.cid == (try FolderTree.file(bytes).root(parameters).cid))
                #expect(entry.contentBytes == UInt64(size))
            }
        }
    }
}
