import Testing

@testable import SyncClient

@Suite struct BandwidthLimiterTests {
    private let second: Int64 = 1_000_000_000

    @Test func letsABurstThroughAndThenTheRate() {
        var limiter = BandwidthLimiter(bytesPerSecond: 1000, burstBytes: 500)
        #expect(limiter.take(500, now: 0) == 0)
        #expect(limiter.take(100, now: 0) == second / 10)
        #expect(limiter.take(100, now: second / 10) == second / 10)
        // A pause fills the bucket, and not more.
        #expect(limiter.take(500, now: 100 * second) == 0)
        #expect(limiter.take(1, now: 100 * second) == second / 1000)
    }

    @Test func waitsAfterwardsForWhatIsLargerThanTheBucket() {
        var limiter = BandwidthLimiter(bytesPerSecond: 1000, burstBytes: 10)
        #expect(limiter.take(2010, now: 0) == 2 * second)
        #expect(limiter.take(0, now: 2 * second) == 0)
    }

    @Test func takesNoTimeFromAClockThatGoesBack() {
        var limiter = BandwidthLimiter(bytesPerSecond: 1000, burstBytes: 10)
        _ = limiter.take(10, now: 50 * second)
        #expect(limiter.take(10, now: 0) == second / 100)
        #expect(limiter.take(0, now: 50 * second + second / 100) == 0)
    }

    @Test func hasNoLimitUntilThereIsOne() {
        var limiter = BandwidthLimiter(bytesPerSecond: nil)
        #expect(limiter.take(.max, now: 0) == 0)
        limiter.bytesPerSecond = 0
        #expect(limiter.bytesPerSecond == 1)
        #expect(limiter.take(.max, now: .max) > 0)
        #expect(limiter.take(.max, now: .min) == .max)
    }

    /// Over any time no more goes through than the burst and the rate.
    @Test(arguments: Array(0..<20) as [UInt64])
    func keepsTheRate(seed: UInt64) {
        var random = LocalRandom(seed: seed)
        let rate = Int64.random(in: 1...10_000_000, using: &random)
        var limiter = BandwidthLimiter(bytesPerSecond: rate, burstBytes: 65_536)
        var (now, sent): (Int64, Int64) = (0, 0)
        for _ in 0..<500 {
            let bytes = Int.random(in: 0...100_000, using: &random)
            now += Int64.random(in: 0...1_000_000, using: &random)
            now += limiter.take(bytes, now: now)
            sent += Int64(bytes)
            #expect(Double(sent) <= 65_536 + Double(rate) * Double(now) / 1e9 + 1)
        }
    }
}
