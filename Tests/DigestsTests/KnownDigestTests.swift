import CSHA256
import Digests
import Multiformats
import Testing

/// One published answer for each function: the digest of "abc" (FIPS 180-4, FIPS 202, RFC 1321, RFC 7693, the Keccak
/// reference's test vectors).
@Suite struct KnownDigestTests {
    static let digestsOfABC: [(MultihashCode, String)] = [
        (.md5, "900150983cd24fb0d6963f7d28e17f72"),
        (.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (.sha2_224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
        (.sha2_256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            .sha2_384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
        ),
        (
            .sha2_512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (.sha3_224, "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"),
        (.sha3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        (.keccak_256, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        (
            .blake2b_512,
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbc4925ab92386edd4009923"
        ),
        (.blake2s_256, "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"),
        (.dblSHA2_256, "4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358"),
    ]

    @Test(arguments: digestsOfABC)
    func hashesABC(code: MultihashCode, hex: String) throws {
        let multihash = try Multihash(hashing: Array("abc".utf8), with: code)
        #expect(multihash.digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == hex)
    }

    @Test(arguments: MultihashCode.verifiable)
    func streamsAndWholeMessagesAgree(code: MultihashCode) throws {
        guard code != .keccak_256, code != .keccak_512 else { return }
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var hasher = try MultihashHasher(code)
        for start in stride(from: 0, to: 1000, by: 77) {
            Array(bytes[start..<min(1000, start + 77)]).withUnsafeBytes { hasher.update($0) }
        }
        let streamed = try hasher.finish()
        #expect(try streamed == Multihash(hashing: bytes, with: code))
    }

    @Test func anUnknownFunctionIsRefused() {
        let blake3 = MultihashCode(rawValue: 0x1E)
        #expect(throws: MultihashError.unknownFunction(code: 0x1E)) {
            try Multihash(hashing: [1], with: blake3)
        }
    }

    @Test func bytesOfAnotherBlockDoNotMatch() throws {
        let cid = try CID(hashing: [1, 2, 3], codec: .raw)
        try cid.verify([1, 2, 3])
        #expect(throws: DigestMismatch.self) { try cid.verify([1, 2, 4]) }
    }
}
