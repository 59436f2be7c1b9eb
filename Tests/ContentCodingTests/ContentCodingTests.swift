import ContentCoding
import TestKit
import Testing

/// Packing and unpacking of bodies, and what hostile ones come to.
@Suite struct ContentCodingTests {
    private static let sizes = [0, 1, 511, 512, 65_535, 65_536, 65_537, 300_000]

    /// Unpacks in portions of a size.
    private func unpack(
        _ coding: ContentCoding, _ bytes: [UInt8], portions: Int
    ) throws(ContentCodingError) -> [UInt8] {
        let decompressor = try Decompressor(coding)
        var rest = bytes[...]
        var result: [UInt8] = []
        while !rest.isEmpty {
            decompressor.feed(rest.prefix(portions))
            rest = rest.dropFirst(portions)
            while let piece = try decompressor.next() { result += piece }
        }
        try decompressor.finish()
        return result
    }

    @Test(arguments: ContentCoding.allCases, SeededRandom.seeds(4))
    func whatIsPackedComesBack(coding: ContentCoding, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for size in Self.sizes {
            for bytes in [random.bytes(size), [UInt8](repeating: 7, count: size)] {
                let packed = try coding.compress(bytes)
                #expect(try coding.decompress(packed, maximumBytes: size) == bytes)
                for portions in [1, 13, 4096] where packed.count / portions < 40_000 {
                    #expect(try unpack(coding, packed, portions: portions) == bytes, "\(size) \(portions)")
                }
            }
        }
    }

    @Test(arguments: ContentCoding.allCases)
    func aBombEndsAtItsLimitAndTakesNoMemory(coding: ContentCoding) throws {
        let bomb = try coding.compress([UInt8](repeating: 0, count: 64 << 20))
        #expect(bomb.count < 1 << 19)
        #expect(throws: ContentCodingError.tooLarge(maximum: 1 << 20)) {
            try coding.decompress(bomb, maximumBytes: 1 << 20)
        }
        let decompressor = try Decompressor(coding)
        decompressor.feed(bomb[...])
        var total = 0
        while let piece = try decompressor.next() {
            #expect(piece.count <= Decompressor.pieceBytes && !piece.isEmpty)
            total += piece.count
        }
        #expect(total == 64 << 20)
    }

    @Test(arguments: ContentCoding.allCases, SeededRandom.seeds(8))
    func whatIsCutOffOrChangedIsAnError(coding: ContentCoding, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let bytes = random.bytes(5000)
        let packed = try coding.compress(bytes)
        for length in [1, packed.count / 2, packed.count - 1] {
            #expect(throws: ContentCodingError.truncated(coding)) {
                try coding.decompress(Array(packed.prefix(length)), maximumBytes: 100_000)
            }
        }
        #expect(throws: ContentCodingError.trailing(coding)) {
            try coding.decompress(packed + [0], maximumBytes: 100_000)
        }
        #expect(throws: ContentCodingError.damaged(coding)) {
            try coding.decompress(random.bytes(5000), maximumBytes: 100_000)
        }
        // A frame without a checksum may come to other bytes, which their hashes tell; nothing breaks.
        for _ in 0..<20 {
            var changed = packed
            changed[random.number(0..<changed.count)] ^= UInt8(1 << random.number(0..<8))
            _ = try? coding.decompress(changed, maximumBytes: 100_000)
        }
    }

    @Test func aFrameThatWantsMuchMemoryIsRefused() throws {
        // A header of zstd (RFC 8878 section 3.1.1) that asks for a window of 2^27 bytes, and a block.
        let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x88, 0x09, 0x00, 0x00, 0x41]
        #expect(throws: ContentCodingError.damaged(.zstd)) {
            try ContentCoding.zstd.decompress(frame, maximumBytes: 100)
        }
        // The same with a window of 1 KiB is one byte.
        var small = frame
        small[5] = 0
        #expect(try ContentCoding.zstd.decompress(small, maximumBytes: 100) == [0x41])
    }

    @Test func gzipIsReadAsOthersWriteIt() throws {
        // `printf hello | gzip -n`
        let hello: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x07,
            0x00, 0x86, 0xA6, 0x10, 0x36, 0x05, 0x00, 0x00, 0x00,
        ]
        #expect(try ContentCoding.gzip.decompress(hello, maximumBytes: 5) == Array("hello".utf8))
        #expect(throws: ContentCodingError.tooLarge(maximum: 4)) {
            try ContentCoding.gzip.decompress(hello, maximumBytes: 4)
        }
    }

    @Test(arguments: [
        ("", nil), ("gzip", ContentCoding.gzip), ("zstd, gzip", .zstd), ("gzip, zstd", .zstd),
        ("gzip;q=1, zstd;q=0.5", .gzip), ("zstd;q=0, gzip;q=0.1", .gzip), ("identity", nil), ("*", nil),
        ("br, deflate", nil), ("GZIP ; q=0.5", .gzip), ("gzip;q=nonsense", nil),
    ])
    func theBestThatIsAcceptedIsChosen(header: String, coding: ContentCoding?) {
        #expect(ContentCoding.best(accepting: header) == coding)
    }

    @Test(arguments: [
        ("identity, zstd;q=0.5", true), ("zstd", false), ("", false), ("identity", true),
        ("identity;q=0.5, gzip", false), ("identity, zstd", false),
    ])
    func whoHasNoNeedOfPackingSaysSo(header: String, prefersPlain: Bool) {
        #expect(ContentCoding.prefersPlain(header) == prefersPlain)
    }

    @Test(arguments: ContentCoding.allCases)
    func onlyWhatGetsSmallerIsPacked(coding: ContentCoding) throws {
        var random = SeededRandom(seed: 3)
        let (noise, text) = (random.bytes(200_000), Array(String(repeating: "salt and ", count: 20_000).utf8))
        #expect(coding.pays(for: text) && !coding.pays(for: noise))
        #expect(!coding.pays(for: Array(text.prefix(100))))
        // A beginning in words does not make a picture worth it.
        #expect(!coding.pays(for: Array(text.prefix(100)) + noise))
        #expect(coding.pays(for: text + noise.prefix(20_000) + text))
    }
}
