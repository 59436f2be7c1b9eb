import Foundation
import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

/// Published CIDs of directories and symlinks.
@Suite struct DirectoryVectorTests {
    @Test(arguments: try DirectoryVector.all())
    func directoriesGetThePublishedCID(vector: DirectoryVector) throws {
        let source = DictionaryBlockSource()
        let root = try vector.tree.store(vector.parameters, into: source)
        #expect(root.cid == (try CID(text: vector.cid)))
        if let sharded = vector.tree.sharded { #expect(root.isSharded == sharded) }
    }

    @Test(arguments: try MetadataVector.all().filter { $0.type == "directory" })
    func emptyDirectoriesWithModeAndTimeGetThePublishedCID(vector: MetadataVector) throws {
        var builder = DirectoryBuilder(parameters: .unixfsV0_2015, metadata: vector.metadata)
        let root = try builder.finish { _ in }
        #expect(root.cid == (try CID(text: vector.cid)))
    }

    @Test(arguments: try MetadataVector.all().filter { $0.type == "symlink" })
    func symlinksWithTimeGetThePublishedCID(vector: MetadataVector) throws {
        let link = UnixFSSymlink(target: Array("nothing".utf8), metadata: vector.metadata)
        #expect(try link.block(parameters: .unixfsV0_2015).cid == CID(text: vector.cid))
    }

    @Test func symlinksGetThePublishedCID() throws {
        struct File: Decodable { let symlinks: [Link] }
        struct Link: Decodable { let target: String, cid: String }
        for link in try Vectors.json("unixfs/vectors.json", as: File.self).symlinks {
            let symlink = UnixFSSymlink(target: Array(link.target.utf8))
            #expect(try symlink.block(parameters: .unixfsV0_2015).cid == CID(text: link.cid))
        }
    }
}

struct DirectoryVector: Decodable, CustomTestStringConvertible {
    let id: String
    let tree: VectorTree
    let cid: String
    let parameters: ImportParameters

    var testDescription: String { id }

    private enum Key: String, CodingKey { case id, tree, cid, params }

    private struct Sharding: Decodable {
        let hamt_fanout: Int?
        let hamt_threshold: Int?
        let hamt_estimate: String?
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        id = try container.decode(String.self, forKey: .id)
        tree = try container.decode(VectorTree.self, forKey: .tree)
        cid = try container.decode(String.self, forKey: .cid)
        var parameters = try container.decode(FileVector.Parameters.self, forKey: .params).parameters()
        let sharding = try container.decode(Sharding.self, forKey: .params)
        if let estimate = sharding.hamt_estimate {
            parameters.directory = DirectoryParameters(
                hamtThreshold: sharding.hamt_threshold,
                hamtEstimate: try #require(.init(rawValue: estimate)),
                fanout: try #require(sharding.hamt_fanout))
        }
        self.parameters = parameters
    }

    static func all() throws -> [DirectoryVector] {
        struct File: Decodable { let directories: [DirectoryVector] }
        return try Vectors.json("unixfs/vectors.json", as: File.self).directories
    }
}

/// A tree of the vectors: spelled out, or made by a generator.
indirect enum VectorTree: Decodable {
    case file(String)
    case symlink(String)
    case directory([String: VectorTree])
    case generated(Generator)

    struct Generator: Decodable {
        let generator: String
        let sharded: Bool
        // named-by-chacha20
        let seed: String?
        let count: Int?
        let name_length: Int?
        let last_name_length: Int?
        let content_of_each: String?
        // numbered
        let name: String?
        let content: String?
        let from: Int?
        let to: Int?

        func files() throws -> [(name: String, content: String)] {
            if generator == "numbered" {
                let (name, content) = (try #require(self.name), try #require(self.content))
                return try (#require(from)...#require(to)).map { number in
                    let digits = String(number)
                    let ownName = name.replacingOccurrences(of: "{i}", with: digits)
                    // Some vectors describe the content instead of spelling it out.
                    if content == "the name of the file itself" { return (ownName, ownName) }
                    return (
                        ownName,
                        content.replacingOccurrences(of: "{i}", with: digits)
                            .replacingOccurrences(of: "\\n", with: "\n")
                    )
                }
            }
            let alphabet = Array("abcdefghijklmnopqrstuvwxyz01234567890-_")
            let stream = try ContentStream.chaCha20(seed: #require(seed), size: 1 << 20).bytes(1 << 20)
            let (count, length) = (try #require(count), try #require(name_length))
            let last = try #require(last_name_length)
            return try (0..<count).map { number in
                let bytes = stream[(number * length)...].prefix(number == count - 1 ? last : length)
                return (String(bytes.map { alphabet[Int($0) % 39] }), try #require(content_of_each))
            }
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .file(text)
        } else if let link = try? container.decode([String: String].self), link.count == 1,
            let target = link["symlink"]
        {
            self = .symlink(target)
        } else if let generator = try? container.decode(Generator.self) {
            self = .generated(generator)
        } else {
            self = .directory(try container.decode([String: VectorTree].self))
        }
    }

    var sharded: Bool? { if case .generated(let generator) = self { generator.sharded } else { nil } }

    func store(_ parameters: ImportParameters, into source: DictionaryBlockSource) throws -> DirectoryRoot {
        switch self {
        case .file(let text):
            let file = try importFile(Array(text.utf8), parameters, into: source)
            return DirectoryRoot(cid: file.cid, dagBytes: file.dagBytes, isSharded: false)
        case .symlink(let target):
            let block = try UnixFSSymlink(target: Array(target.utf8)).block(parameters: parameters)
            source.insert(block)
            return DirectoryRoot(cid: block.cid, dagBytes: UInt64(block.bytes.count), isSharded: false)
        case .directory(let children):
            var builder = DirectoryBuilder(parameters: parameters)
            for (name, child) in children {
                let root = try child.store(parameters, into: source)
                try builder.add(name: Array(name.utf8), cid: root.cid, dagBytes: root.dagBytes)
            }
            return try builder.finish { source.insert($0) }
        case .generated(let generator):
            var builder = DirectoryBuilder(parameters: parameters)
            var known: [String: DirectoryRoot] = [:]
            for (name, content) in try generator.files() {
                let root = try known[content] ?? VectorTree.file(content).store(parameters, into: source)
                known[content] = root
                try builder.add(name: Array(name.utf8), cid: root.cid, dagBytes: root.dagBytes)
            }
            return try builder.finish { source.insert($0) }
        }
    }
}
