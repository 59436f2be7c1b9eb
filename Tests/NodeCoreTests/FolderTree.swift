import Digests
import Foundation
import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

/// A folder as a test describes it: written to a disk for the importer, or made into blocks by the formats
/// directly, to compare the two.
indirect enum FolderTree {
    case file([UInt8])
    case symlink(String)
    case directory([String: FolderTree])

    func write(to path: String) throws {
        switch self {
        case .file(let bytes):
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        case .symlink(let target):
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
        case .directory(let children):
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            for (name, child) in children { try child.write(to: path + "/" + name) }
        }
    }

    /// What the tree becomes, without any of the importer.
    func root(_ parameters: ImportParameters) throws -> DirectoryRoot {
        switch self {
        case .file(let bytes):
            let root = try Self.file(bytes, parameters)
            return DirectoryRoot(cid: root.cid, dagBytes: root.dagBytes, isSharded: false)
        case .symlink(let target):
            let block = try UnixFSSymlink(target: Array(target.utf8)).block(parameters: parameters)
            return DirectoryRoot(cid: block.cid, dagBytes: UInt64(block.bytes.count), isSharded: false)
        case .directory(let children):
            var builder = DirectoryBuilder(parameters: parameters)
            for (name, child) in children {
                let root = try child.root(parameters)
                try builder.add(name: Array(name.utf8), cid: root.cid, dagBytes: root.dagBytes)
            }
            return try builder.finish { _ in }
        }
    }

    private static func file(_ bytes: [UInt8], _ parameters: ImportParameters) throws -> FileRoot {
        var layout = FileLayoutBuilder(parameters: parameters)
        let encoder = LeafEncoder(parameters)
        try bytes.withUnsafeBytes { bytes in
            var chunker = Chunker(parameters.chunker)
            var offset = 0
            repeat {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
                let length = rest.isEmpty ? 0 : chunker.nextChunk(in: rest, isLast: true) ?? rest.count
                let chunk = UnsafeRawBufferPointer(rebasing: rest[..<length])
                var leaf = [UInt8](repeating: 0, count: encoder.encodedSize(contentBytes: length))
                leaf.withUnsafeMutableBytes { encoder.encode(chunk, into: $0) }
                let hash = try leaf.withUnsafeBytes { try Multihash(hashing: $0, with: parameters.hash) }
                try layout.add(
                    FileLeaf(
                        cid: encoder.cid(of: hash), contentBytes: UInt64(length), dagBytes: UInt64(leaf.count)
                    )
                ) { _ in }
                offset += length
            } while offset < bytes.count
        }
        return try layout.finish { _ in }
    }

    /// The trees of the vectors that are spelled out or numbered; `nil` for other generators.
    init?(vector: Any) throws {
        if let text = vector as? String {
            self = .file(Array(text.utf8))
            return
        }
        let children = try #require(vector as? [String: Any])
        if let target = children["symlink"] as? String, children.count == 1 {
            self = .symlink(target)
        } else if let generator = children["generator"] as? String {
            guard generator == "numbered", let from = children["from"] as? Int,
                let to = children["to"] as? Int,
                let name = children["name"] as? String, let content = children["content"] as? String,
                content.contains("{i}")
            else { return nil }
            var files: [String: FolderTree] = [:]
            for number in from...to {
                let text = content.replacingOccurrences(of: "{i}", with: "\(number)")
                    .replacingOccurrences(of: "\\n", with: "\n")
                files[name.replacingOccurrences(of: "{i}", with: "\(number)")] = .file(Array(text.utf8))
            }
            self = .directory(files)
        } else {
            var entries: [String: FolderTree] = [:]
            for (name, child) in children {
                guard let tree = try FolderTree(vector: child) else { return nil }
                entries[name] = tree
            }
            self = .directory(entries)
        }
    }
}
