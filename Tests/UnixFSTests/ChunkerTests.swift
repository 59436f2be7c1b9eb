import TestKit
import Testing
import UnixFS

@Suite struct ChunkerTests {
    @Test func rabinGivesThePublishedLengths() throws {
        let input =
            [UInt8](repeating: 0x61, count: 512) + [UInt8](repeating: 0x62, count: 256)
            + [UInt8](repeating: 0x63, count: 1280)
        let kind = try ChunkerKind(text: "rabin-48-96-192")
        #expect(chunkLengths(of: input, kind) == [UInt64](repeating: 192, count: 10) + [128])
    }

    /// Whatever is offered at a time, the cuts are those of the whole.
    @Test(arguments: SeededRandom.seeds(24))
    func cutsDoNotDependOnHowMuchIsSeenAtATime(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let kind = try ChunkerKind(text: random.pick(chunkersForProperties))
        let input = random.someText(bytes: random.number(0...40_000))
        let whole = chunkLengths(of: input, kind)
        #expect(whole.reduce(0, +) == UInt64(input.count))
        #expect(whole.allSatisfy { $0 <= UInt64(kind.maximumChunkBytes) })
        #expect(chunkLengths(of: input, kind, window: random.number(1...5000)) == whole)
    }

    @Test func eachLineIsAChunkWithItsNewline() throws {
        let text = Array("one\ntwo\n\nfour".utf8)
        #expect(chunkLengths(of: text, .line) == [4, 4, 1, 4])
        #expect(chunkLengths(of: Array("\n".utf8), .line) == [1])
        #expect(chunkLengths(of: Array("no end".utf8), .line) == [6])
    }

    @Test func aLongLineIsSplitAtTheLimit() throws {
        let limit = ChunkerKind.line.maximumChunkBytes
        let text = [UInt8](repeating: 0x61, count: 2 * limit + 3) + [0x0A]
        #expect(chunkLengths(of: text, .line) == [UInt64(limit), UInt64(limit), 4])
    }

    @Test func groupsOfLinesEndWithNewlines() throws {
        var random = SeededRandom(seed: 1)
        let text = random.lines(bytes: 200_000, upTo: 0...200)
        let kind = ChunkerKind.lines(bytes: 1024)
        var offset = 0
        let lengths = chunkLengths(of: text, kind)
        for length in lengths.dropLast() {
            offset += Int(length)
            #expect(text[offset - 1] == 0x0A)
        }
        #expect(lengths.count > 50)
    }

    @Test(arguments: ["fastcdc-256-1024-4096", "lines-1024"])
    func aChangeMovesOnlyTheCutsNearIt(text: String) throws {
        var random = SeededRandom(seed: 2)
        let before = random.lines(bytes: 200_000, upTo: 0...200)
        var after = before
        after.insert(contentsOf: Array("inserted line\n".utf8), at: 100_000)
        let kind = try ChunkerKind(text: text)
        let old = Set(chunks(of: before, kind))
        let new = chunks(of: after, kind)
        #expect(new.filter { !old.contains($0) }.count <= 8)
    }

    @Test(arguments: 0...255)
    func runsOfOneByteAreCutAtTheMaximum(byte: Int) throws {
        let input = [UInt8](repeating: UInt8(byte), count: 8192)
        #expect(
            chunkLengths(of: input, try ChunkerKind(text: "fastcdc-64-256-1024"))
                == Array(repeating: 1024, count: 8))
    }

    /// Half of the content is pieces of the other half, from anywhere: what casync keeps of such content
    /// with its default chunks is 0.67 of it.
    @Test func fastCDCFindsPiecesFromUnalignedPlaces() throws {
        var random = SeededRandom(seed: 3)
        let half = 24 * 1024 * 1024
        var content = random.bytes(half)
        while content.count < 2 * half {
            let start = random.number(0..<(half - 400_000))
            content += content[start..<(start + 400_000)]
        }
        let kept = Set(chunks(of: content, try ChunkerKind(text: "fastcdc"))).reduce(0) { $0 + $1.count }
        #expect(Double(kept) < 0.65 * Double(content.count))
    }
}
