import Digests
import Foundation
import Multiformats
import SyncProtocol
import Testing
import UnixFS

@testable import SyncClient

@Suite struct ContentReaderTests {
    /// Sizes around every limit: inline, small batch, one leaf, the buffer of 8 MiB.
    static let sizes = [
        0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 1 << 20, (1 << 20) + 1, (8 << 20) - 1, (8 << 20) + 1,
    ]

    @Test(arguments: sizes)
    func leavesAreTheFileAndGiveTheRoot(size: Int) throws {
        let scratch = try ScratchFolder()
        var random = LocalRandom(seed: UInt64(size))
        let data = random.bytes(size)
        let lines = data.prefix(50_000).map { $0 < 5 ? 10 : UInt8(ascii: "a") + $0 % 26 }
        var text: [UInt8] = []
        while text.count < size { text += lines.prefix(size - text.count) }
        let reader = ContentReader(fileSystem: try DiskFolder(scratch.path))
        for (name, bytes) in [("data", data), ("text", text)] {
            try scratch.write(bytes, name)
            let content = try #require(try reader.read(name))
            #expect(content.size == Int64(size))
            #expect(content.leaves.reduce(0) { $0 + $1.bytes } == size)
            var offset = 0
            for leaf in content.leaves {
                let end = offset + leaf.bytes
                let cid = try CID(hashing: Array(bytes[offset..<end]), codec: .raw)
                #expect(cid == leaf.cid)
                #expect(leaf.bytes <= ChunkerKind.maximumChunkBytes && leaf.bytes > 0)
                offset = end
            }
            #expect(try content.root == Self.root(of: content.leaves))
            #expect(LeafStream.root(of: content.leaves) == content.root)
            #expect(content.inline == (size <= 4096 ? bytes : nil))
            if size <= 4096 { #expect(content.leaves.count == (size == 0 ? 0 : 1)) }
        }
    }

    private static func root(of leaves: [Leaf]) throws -> CID {
        var layout = FileLayoutBuilder(parameters: .unixfsV1_2025)
        for leaf in leaves {
            let bytes = UInt64(leaf.bytes)
            try layout.add(FileLeaf(cid: leaf.cid, contentBytes: bytes, dagBytes: bytes)) { _ in }
        }
        return try layout.finish { _ in }.cid
    }

    @Test func cutsByContentAndNotByName() throws {
        let text = Array(String(repeating: "Öl und Wasser\n", count: 10_000).utf8)
        func kind(_ bytes: [UInt8], size: Int64? = nil) -> ChunkerKind? {
            bytes.withUnsafeBytes { bytes in
                let head = UnsafeRawBufferPointer(rebasing: bytes.prefix(ContentCut.headBytes))
                return ContentCut.chunker(size: size ?? Int64(bytes.count), head: head)
            }
        }
        #expect(kind(text)?.description == "lines-1024")
        #expect(kind([0xFF] + text) == nil)
        #expect(kind(text[..<5000] + [0]) == nil)
        #expect(kind(text, size: 2 << 20)?.description == "lines-1024")
        #expect(kind(text, size: 33 << 20)?.description == "fastcdc-262144-524288-2096896")
        #expect(kind([0xFF] + text, size: 2 << 20)?.description == "fastcdc-262144-524288-2096896")
        #expect(kind(Array(text[..<4096])) == nil)
        // A letter that the end of the look cuts in two is still a letter; half a letter at the end of a
        // file is not.
        let odd = [UInt8(ascii: "x")] + Array(String(repeating: "ö", count: 40_000).utf8)
        #expect(kind(odd)?.description == "lines-1024")
        #expect(kind(Array(odd[..<5000])) == nil)
        #expect(kind(Array(odd[..<5001]))?.description == "lines-1024")
    }

    @Test func anEditOfALineChangesFewLeaves() throws {
        let scratch = try ScratchFolder()
        let reader = ContentReader(fileSystem: try DiskFolder(scratch.path))
        var lines = (0..<10_000).map {
            "line \($0) says \(($0 &* 2_654_435_761) % 1_000_003) and goes on to its end\n"
        }
        try scratch.write(lines.joined(), "before")
        lines[5000] = "something else\n"
        lines.insert("one more\n", at: 7000)
        try scratch.write(lines.joined(), "after")
        let before = Set(try #require(try reader.read("before")).leaves)
        let after = try #require(try reader.read("after")).leaves
        let new = after.filter { !before.contains($0) }
        #expect(new.count >= 1 && new.count <= 4)
        #expect(new.reduce(0) { $0 + $1.bytes } < 16 * 1024)
    }

    @Test func aFileThatChangesMeanwhileHasNoContent() throws {
        let scratch = try ScratchFolder()
        for size in [10, 100_000, 3_000_000] {
            try scratch.write([UInt8](repeating: 7, count: size), "file")
            let folder = MeddlingFolder(base: try DiskFolder(scratch.path)) {
                try? scratch.write([UInt8](repeating: 8, count: size), "file")
            }
            let reader = ContentReader(fileSystem: folder)
            #expect(try reader.read("file") == nil)
            #expect(try ContentReader(fileSystem: folder.base).read("file") != nil)
        }
        #expect(throws: FileError.notFound("gone")) {
            try ContentReader(fileSystem: DiskFolder(scratch.path)).read("gone")
        }
    }

    @Test func remembersLeavesAndPlaces() throws {
        let scratch = try ScratchFolder()
        try scratch.makeDirectory("folder")
        let index = try BlockIndex(path: scratch.path("index"), maximumRoots: 300)
        let reader = ContentReader(fileSystem: try DiskFolder(scratch.path("folder")), index: index)
        let text = (0..<5000).map { "line \($0)\n" }.joined()
        try scratch.write(text, "folder/file")
        let content = try #require(try reader.read("file"))
        #expect(content.leaves.count > 5)
        #expect(reader.cachedLeaves(of: content.root) == content.leaves)
        #expect(try reader.leaves(of: content.root, at: "not there") == content.leaves)
        let other = try CID(hashing: [1], codec: .raw)
        #expect(try reader.leaves(of: other, at: "file") == nil)

        let (id, leaf) = (try testNode(5, "x").id, content.leaves[3])
        index.addPlaces(of: content.leaves, in: id)
        let offset = content.leaves[..<3].reduce(0) { $0 + Int64($1.bytes) }
        #expect(index.places(of: leaf.cid) == [BlockIndex.Place(node: id, offset: offset, bytes: leaf.bytes)])
        index.removePlaces(of: content.leaves, in: id)
        #expect(index.places(of: leaf.cid).isEmpty)

        // Old lists make room for new ones.
        for number in 0..<1000 {
            index.remember(content.leaves, of: try CID(hashing: Array("\(number)".utf8), codec: .raw))
        }
        #expect(index.leaves(of: content.root) == nil)
        #expect(index.leaves(of: try CID(hashing: Array("999".utf8), codec: .raw)) == content.leaves)
        try index.close()
        #expect(index.leaves(of: content.root) == nil)
    }
}

/// A folder in which something happens each time after a file was read.
struct MeddlingFolder: FolderFileSystem {
    let base: DiskFolder
    let afterRead: @Sendable () -> Void

    func read(_ path: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError)
        -> Int
    {
        let count = try base.read(path, at: offset, into: buffer)
        afterRead()
        return count
    }

    func list(_ directory: String) throws(FileError) -> [FileEntry] { try base.list(directory) }
    func status(_ path: String) throws(FileError) -> FileStatus? { try base.status(path) }
    func readLink(_ path: String) throws(FileError) -> String { try base.readLink(path) }
    func makeDirectory(_ path: String) throws(FileError) { try base.makeDirectory(path) }
    func makeSymlink(_ path: String, target: String) throws(FileError) {
        try base.makeSymlink(path, target: target)
    }
    func create(_ path: String) throws(FileError) { try base.create(path) }
    func write(_ bytes: UnsafeRawBufferPointer, to path: String, at offset: Int64) throws(FileError) {
        try base.write(bytes, to: path, at: offset)
    }
    func copy(
        _ source: String, at sourceOffset: Int64, to path: String, at offset: Int64, count: Int64
    ) throws(FileError) {
        try base.copy(source, at: sourceOffset, to: path, at: offset, count: count)
    }
    func synchronize(file path: String) throws(FileError) { try base.synchronize(file: path) }
    func synchronize(directory path: String) throws(FileError) { try base.synchronize(directory: path) }
    func synchronizeAll() throws(FileError) { try base.synchronizeAll() }
    func rename(_ source: String, to destination: String, replacing: Bool) throws(FileError) {
        try base.rename(source, to: destination, replacing: replacing)
    }
    func removeFile(_ path: String) throws(FileError) { try base.removeFile(path) }
    func removeDirectory(_ path: String) throws(FileError) { try base.removeDirectory(path) }
    func setAttributes(_ path: String, modified: Int64?, mode: UInt32?) throws(FileError) {
        try base.setAttributes(path, modified: modified, mode: mode)
    }
    func freeBytes() throws(FileError) -> Int64 { try base.freeBytes() }
}
