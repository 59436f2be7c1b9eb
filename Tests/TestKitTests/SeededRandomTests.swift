import TestKit
import Testing

@Suite struct SeededRandomTests {
    @Test func followsThePublishedSequence() {
        // The reference implementation of SplitMix64 from seed 1234567.
        var random = SeededRandom(seed: 1_234_567)
        let first = (0..<5).map { _ in random.next() }
        #expect(
            first == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test(arguments: [0, 1, 7, 8, 9, 1000])
    func makesAsManyBytesAsAsked(count: Int) {
        var one = SeededRandom(seed: 1)
        var other = SeededRandom(seed: 1)
        let bytes = one.bytes(count)
        #expect(bytes.count == count)
        #expect(bytes == other.bytes(count))
    }

    @Test(arguments: SeededRandom.seeds(8))
    func piecesJoinToTheWhole(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bytes = random.bytes(500)
        #expect(Array(random.pieces(of: bytes, upTo: 40).joined()) == bytes)
    }

    @Test func seedsThatFailedOnceStayInTheList() {
        #expect(SeededRandom.seeds(2, alsoFailedOnce: [99, 1]).prefix(3) == [0, 1, 99])
    }
}
