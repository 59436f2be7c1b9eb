import CAR
import Digests
import IPLD
import Multiformats
import TestKit
import Testing

@Suite struct CARWriterTests {
    @Test(arguments: ["sample-v1.car", "simple-unixfs.car", "wikipedia-cryptographic-hash-function.car"])
    func fileIsWrittenBackToTheByte(name: String) throws {
        let file = try Vectors.bytes("car/" + name)
        let car = ReadCAR(file)
        #expect(try writtenCAR(roots: try #require(car.roots), car.sections.map(\.block)) == file)
    }

    @Test(arguments: [nil, CARIndexFormat.sorted, .multihashSorted])
    func containerOfKnownSizeNeedsNoPatch(index: CARIndexFormat?) throws {
        var random = SeededRandom(seed: 2)
        let blocks = try random.blocks(30)
        let roots = [blocks[0].cid]
        let size = CARWriter.payloadBytes(
            roots: roots, sections: blocks.map { (cid: $0.cid, blockBytes: $0.bytes.count) })
        let sink = MemorySink()
        var writer = try CARWriter(roots: roots, format: .version2(index: index, payloadBytes: size)) {
            sink.write($0)
        }
        for block in blocks { try writer.append(block) }
        let result = try writer.finish()
        #expect(result.patch == nil)
        #expect(result.payloadBytes == size && result.blocks == 30)
        let car = ReadCAR(sink.bytes)
        #expect(car.isAtEnd && car.sections.map(\.block) == blocks)
        #expect((car.version2Header?.indexOffset != nil) == (index != nil))
    }

    @Test func containerThatWasNotPatchedIsRefused() throws {
        let sink = MemorySink()
        var writer = try CARWriter(roots: [], format: .version2(index: nil, payloadBytes: nil)) {
            sink.write($0)
        }
        _ = try writer.finish()
        #expect(ReadCAR(sink.bytes).errors == [.invalidVersion2Header(at: 35, .noData)])
    }

    @Test func promiseOfAnotherSizeIsAnError() throws {
        let block = Block(cid: try CID(hashing: [1], codec: .raw), bytes: [1])
        var tooFew = try CARWriter(roots: [], format: .version2(index: nil, payloadBytes: 100)) { _ in }
        #expect(throws: CARError.payloadSizeDiffers(promised: 100, actual: 18)) { _ = try tooFew.finish() }
        var tooMany = try CARWriter(roots: [], format: .version2(index: nil, payloadBytes: 20)) { _ in }
        #expect(throws: CARError.payloadSizeDiffers(promised: 20, actual: 56)) { try tooMany.append(block) }
    }

    @Test func blockOverTheHardLimitIsNotWritten() throws {
        let bytes = [UInt8](repeating: 0, count: Block.hardMaximumBytes + 1)
        let cid = try CID(hashing: bytes, codec: .raw)
        var writer = try CARWriter(roots: []) { _ in }
        #expect(throws: CARError.self) { try writer.append(Block(cid: cid, bytes: bytes)) }
    }
}
