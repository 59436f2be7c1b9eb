import Digests
import Multiformats
import SyncProtocol
import Testing

@testable import SyncClient

@Suite struct RecentContentsTests {
    private func content(_ bytes: [UInt8]) throws -> ContentResult {
        let root = try CID(hashing: bytes, codec: .raw)
        return .content(FileContent(root: root, size: Int64(bytes.count), leaves: [], inline: bytes))
    }

    @Test func contentsAreGivenOnceAndTheirRoomIsFreeAgain() throws {
        let recent = RecentContents(limit: 10)
        let (first, second) = ([UInt8](1...6), [UInt8](11...16))
        let roots = try [first, second].map { try CID(hashing: $0, codec: .raw) }
        recent.insert([try content(first), try content(second), .changed])
        #expect(recent.take(roots[1]) == nil, "there was room for one")
        #expect(recent.take(roots[0]) == first)
        #expect(recent.take(roots[0]) == nil)
        recent.insert([try content(second), try content(second)])
        #expect(recent.take(roots[1]) == second)
        recent.insert([try content(first)])
        recent.removeAll()
        #expect(recent.take(roots[0]) == nil)
        recent.insert([try content(second)])
        #expect(recent.take(roots[1]) == second)
    }

    @Test func smallFilesThatWereReadAreAtHand() throws {
        let scratch = try ScratchFolder()
        try scratch.write([1, 2, 3], "small")
        try scratch.write([UInt8](repeating: 7, count: 5000), "large")
        let reader = ContentReader(fileSystem: try DiskFolder(scratch.path), recent: RecentContents())
        let small = try #require(try reader.read("small", keepingInline: false))
        let large = try #require(try reader.read("large", keepingInline: false))
        #expect(reader.takeContent(of: small.root) == [1, 2, 3])
        #expect(reader.takeContent(of: large.root) == nil)
    }
}
