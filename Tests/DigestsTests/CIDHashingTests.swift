import Digests
import Multiformats
import Testing

@Suite struct CIDHashingTests {
    @Test func aBlockIsVerifiedAgainstItsCID() throws {
        let block: [UInt8] = Array("block".utf8)
        for code in MultihashCode.verifiable + [.identity] {
            let cid = try CID(hashing: block, codec: .raw, with: code)
            #expect(cid.version == 1)
            try cid.verify(block)
            let other = try Multihash(hashing: block + [0], with: code)
            #expect(throws: DigestMismatch(cid: cid, actual: other)) { try cid.verify(block + [0]) }
        }
    }

    @Test func theMismatchOfAnIdentityCIDHasNoDigest() throws {
        let cid = try CID(hashing: [1], codec: .raw, with: .identity)
        let long = [UInt8](repeating: 1, count: 1000)
        #expect(throws: DigestMismatch(cid: cid, actual: nil)) { try cid.verify(long) }
    }

    @Test func theMismatchSaysWhatTheBytesHashTo() throws {
        let cid = try CID(hashing: [], codec: .raw)
        let actual = try Multihash(hashing: [0x61, 0x62, 0x63], with: .sha2_256)
        let text = "\(DigestMismatch(cid: cid, actual: actual))"
        #expect(text.contains("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
    }
}
