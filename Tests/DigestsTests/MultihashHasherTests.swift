import Digests
import Multiformats
import Testing

@Suite struct MultihashHasherTests {
    @Test(arguments: MultihashCode.verifiable)
    func everyFunctionGivesTheKnownAnswers(code: MultihashCode) throws {
        let answers = try DigestVectors.knownAnswers()
        let function = try #require(answers.functions.first { $0.code == code.rawValue })
        for (message, digest) in zip(answers.messages, function.texts + function.patterns) {
            let hash = try Multihash(hashing: message, with: code)
            #expect(hash.digest == bytes(fromHex: digest), "\(function.function) of \(message.count) bytes")
            #expect(hash.code == code)
        }
    }

    @Test(arguments: MultihashCode.verifiable + [.identity])
    func theLengthOfTheSpansDoesNotMatter(code: MultihashCode) throws {
        let message = (0..<128).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let whole = try Multihash(hashing: message, with: code)
        for length in [1, 3, 7, 8, 63, 64, 65, 127] {
            var hasher = try MultihashHasher(code)
            for start in stride(from: 0, to: message.count, by: length) {
                hasher.update(Array(message[start..<min(start + length, message.count)]))
            }
            hasher.update([])
            let hash = try hasher.finish()
            #expect(hash == whole, "spans of \(length) bytes")
        }
    }

    @Test func publishedMultihashesAreVerifiedWhenWholeAndRefusedWhenCutShort() throws {
        var whole = 0
        for row in try DigestVectors.multihashes().valid {
            let binary = bytes(fromHex: row.multihash_hex)
            let input = Array(row.input_text.utf8)
            let fullBits = ["sha1": 160, "sha2-256": 256, "sha2-512": 512, "sha3": 512, "sha3-512": 512]
            if row.bits == fullBits[row.algorithm] {
                var offset = 0
                let span = binary.span.bytes
                let hash = try Multihash.decode(span, at: &offset)
                #expect(hash.matches(input), "\(row.algorithm) of \(row.input_text)")
                #expect(!hash.matches(input + [0]))
                whole += 1
            } else {
                #expect(throws: MultihashError.self) {
                    var offset = 0
                    let span = binary.span.bytes
                    _ = try Multihash.decode(span, at: &offset)
                }
            }
        }
        #expect(whole > 20)
    }

    @Test(arguments: [0x1E, 0x22, 0x1A, 0x18, 0xB201, 0xB23F, 0xB401, 0x1012, 0x1F, 0x7FFF_FFFF] as [UInt64])
    func anUnknownFunctionIsRefused(code: UInt64) {
        #expect(throws: MultihashError.unknownFunction(code: code)) {
            _ = try Multihash(hashing: [1, 2, 3], with: MultihashCode(rawValue: code))
        }
    }

    @Test func identityCarriesAtMost128Bytes() throws {
        let longest = [UInt8](repeating: 7, count: 128)
        let hash = try Multihash(hashing: longest, with: .identity)
        #expect(hash.digest == longest)
        #expect(hash.matches(longest))
        #expect(throws: MultihashError.identityTooLong(bytes: 129, maximum: 128)) {
            _ = try Multihash(hashing: longest + [7], with: .identity)
        }
        #expect(!hash.matches(longest + [7]))
    }

    @Test func manyMessagesAreHashedInTheirOrder() throws {
        let messages = (0..<40).map { index in [UInt8](repeating: UInt8(index), count: index * 13) }
        let buffers = messages.map { message in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: message.count, alignment: 1)
            copy.copyBytes(from: message)
            return UnsafeRawBufferPointer(copy)
        }
        defer { buffers.forEach { $0.deallocate() } }
        let hashes = Multihash.sha256(of: buffers)
        #expect(hashes == (try messages.map { try Multihash(hashing: $0, with: .sha2_256) }))
        #expect(Multihash.sha256(of: []).isEmpty)
    }
}
