import Digests
import Multiformats
import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

@Suite struct FileChunksTests {
    @Test func putsAFileTogetherFromAnotherOne() throws {
        let (scratch, home) = (try ScratchFolder(), try ScratchFolder())
        let disk = try DiskFolder(scratch.path)
        let state = try SQLiteSyncState(path: home.path("state"), root: NodeID(bits: 1))
        let index = try BlockIndex(path: home.path("blocks"))
        let reader = ContentReader(fileSystem: disk, index: index)
        let clock = StillClock.afterNow(seconds: 1000)
        var scanner = FolderScanner(
            fileSystem: disk, state: state, content: reader,
            makeID: { NodeID(bits: UInt128.random(in: 2 ... .max)) },
            clock: { clock.now })
        let text = (0..<3000).map { "line \($0) of the text\n" }.joined()
        try scratch.write(text, "a/before")
        _ = try scanner.scan(.everything)
        let chunks = FileChunks(
            fileSystem: disk, reader: reader,
            blocks: IndexedBlocks(index: index, state: state, fileSystem: disk))

        let before = try chunks.hashify("a/before")
        try scratch.write(text + "one more line\n", "after")
        let after = try chunks.hashify("after")
        let new = FileChunks.compareSets(after.leaves, before.leaves)
        #expect(new.count == 1 && after.leaves.count > 10)
        #expect(FileChunks.compareSets(before.leaves, after.leaves).count == 1)
        #expect(throws: FileChunksError.missingBlock(new[0].cid)) { try chunks.save("copy", after.leaves) }
        #expect(try disk.status("copy") == nil)
        let bytes = Array((text + "one more line\n").utf8.suffix(new[0].bytes))
        #expect(throws: FileChunksError.wrongBytes(new[0].cid)) {
            try chunks.saveChunk(new[0].cid, bytes + [1])
        }
        try chunks.saveChunk(new[0].cid, bytes)
        try chunks.save("copy", after.leaves)
        #expect(try scratch.read("copy") == Array((text + "one more line\n").utf8))
        #expect(throws: FileChunksError.file(.exists("copy"))) { try chunks.save("copy", []) }

        // A file that moved has its leaves at the new place; one that changed is passed over.
        try scratch.rename("a", "b")
        _ = try scanner.scan(.everything)
        #expect(try chunks.checkChunk(before.leaves[2].cid))
        try scratch.write(String(repeating: "x", count: text.utf8.count), "b/before")
        #expect(try chunks.checkChunk(before.leaves[2].cid))
        _ = try scanner.scan(.everything)
        #expect(index.places(of: before.leaves[2].cid).count == 2)
        #expect(try chunks.checkChunk(before.leaves[2].cid))
        try scratch.remove("after")
        try scratch.write("short", "copy")
        #expect(try !chunks.checkChunk(before.leaves[2].cid))
        try state.close()
    }

    @Test func keepsTheNewestLeavesInMemory() throws {
        let scratch = try ScratchFolder()
        let disk = try DiskFolder(scratch.path)
        let chunks = FileChunks(fileSystem: disk, reader: ContentReader(fileSystem: disk), cacheBytes: 1000)
        let cids = try (0..<20).map { number in
            let bytes = [UInt8](repeating: UInt8(number), count: 100)
            let cid = try CID(hashing: bytes, codec: .raw)
            try chunks.saveChunk(cid, bytes)
            return cid
        }
        #expect(try cids.map { try chunks.checkChunk($0) } == (0..<20).map { $0 >= 10 })
        #expect(throws: FileChunksError.file(.notFound("gone"))) { try chunks.hashify("gone") }
        try scratch.makeDirectory("directory")
        #expect(throws: FileChunksError.changed("directory")) { try chunks.hashify("directory") }
    }
}
