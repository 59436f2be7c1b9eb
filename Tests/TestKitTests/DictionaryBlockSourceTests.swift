import IPLD
import Multiformats
import TestKit
import Testing

@Suite struct DictionaryBlockSourceTests {
    @Test func findsABlockUnderAnyCodecAndCountsTheReads() throws {
        let multihash = try Multihash(code: .sha2_256, digest: [UInt8](repeating: 7, count: 32).span.bytes)
        let raw = CID(codec: .raw, multihash: multihash)
        let source = DictionaryBlockSource([Block(cid: raw, bytes: [1])])
        #expect(try source.block(CID(codec: .dagPB, multihash: multihash))?.bytes == [1])
        #expect(try source.blocks([raw, raw]).count == 2)
        #expect(source.readCount == 3)
        #expect(source.batchCount == 1)
    }

    @Test func answersIdentityCIDs() throws {
        let cid = CID(codec: .raw, multihash: try Multihash(identity: [1, 2]))
        #expect(try DictionaryBlockSource().block(cid)?.bytes == [1, 2])
    }
}
