import TestKit
import Testing

@testable import NodeService

/// How much a device may ask, by a clock that is moved by hand.
@Suite struct DeviceRatesTests {
    private func limits(_ rate: Int, _ burst: Int, _ streams: Int) -> DeviceRates.Limits {
        var limits = DeviceRates.Limits()
        (limits.requestsPerSecond, limits.burst, limits.streams) = (rate, burst, streams)
        return limits
    }

    @Test func asManyAsTheBurstComeAtOnceAndThenAsManyASecondAsAllowed() {
        var rates = DeviceRates()
        let limits = limits(10, 5, 0)
        func enter(_ now: Int64) -> DeviceRates.Refusal? {
            rates.enter("a", at: now, limits, holdsStream: true).refusal
        }
        for _ in 0..<5 { #expect(enter(1000) == nil) }
        #expect(enter(1000) == .rate(milliseconds: 100))
        #expect(enter(1040) == .rate(milliseconds: 60))
        #expect(enter(1100) == nil)
        #expect(enter(1100) == .rate(milliseconds: 100))
        // A clock that goes back gives nothing.
        #expect(enter(0) == .rate(milliseconds: 100))
        // However long the rest was, no more than the burst comes at once.
        for _ in 0..<5 { #expect(enter(.max) == nil) }
        #expect(enter(.max) == .rate(milliseconds: 100))
        #expect(rates.enter("b", at: 1100, limits, holdsStream: true).refusal == nil)
    }

    @Test func soManyAreWorkedOnAtOnceAndThoseThatWaitAreNotCounted() {
        var rates = DeviceRates()
        let limits = limits(0, 1, 2)
        func enter(_ holds: Bool) -> DeviceRates.Refusal? {
            rates.enter("a", at: 5, limits, holdsStream: holds).refusal
        }
        #expect(enter(true) == nil && enter(true) == nil)
        #expect(enter(true) == .streams)
        for _ in 0..<1000 { #expect(enter(false) == nil) }
        rates.leave("a")
        #expect(enter(true) == nil && enter(true) == .streams)
        for _ in 0..<9 { rates.leave("a") }
        #expect(enter(true) == nil && enter(true) == nil && enter(true) == .streams)
    }

    /// A key that registers devices, one for each request, had no limit.
    @Test func theDevicesOfOneKeyHaveALimitTogether() {
        let hub = SyncHub(clock: { 0 })
        var limits = limits(0, 1, 2)
        func enter(_ device: String, _ owner: String = "key") -> (SyncHub.Entry, DeviceRates.Refusal?) {
            hub.enter(.known(device: device, owner: owner), limits, holdsStream: true)
        }
        var entries: [SyncHub.Entry] = []
        for number in 0..<2 * SyncHub.devicesAtOnce {
            let (entry, refusal) = enter("d\(number)")
            #expect(refusal == nil)
            entries.append(entry)
        }
        #expect(enter("new").1 == .streams)
        #expect(enter("new", "other").1 == nil)
        hub.leave(entries[0])
        // What was refused for all of them is not under way on the device.
        #expect(enter("new").1 == nil && enter("newer").1 == .streams)
        limits = self.limits(1, 2, 0)
        for number in 0..<2 * SyncHub.devicesAtOnce { #expect(enter("e\(number)", "third").1 == nil) }
        #expect(enter("e", "third").1 != nil && enter("e", "fourth").1 == nil)
        // Addresses are strangers to each other, and to keys.
        for _ in 0..<2 {
            #expect(hub.enter(.stranger(address: "a"), limits, holdsStream: false).refusal == nil)
        }
        #expect(hub.enter(.stranger(address: "a"), limits, holdsStream: false).refusal != nil)
        #expect(hub.enter(.stranger(address: "b"), limits, holdsStream: false).refusal == nil)
    }

    @Test func whoRestsIsForgottenAndTooManyShareOneAccount() {
        var rates = DeviceRates(capacity: 3)
        let limits = limits(10, 5, 2)
        for name in ["a", "b", "c"] {
            #expect(rates.enter(name, at: 1000, limits, holdsStream: name == "a").refusal == nil)
        }
        #expect(rates.enter("d", at: 1001, limits, holdsStream: true).key == "")
        #expect(rates.enter("e", at: 1001, limits, holdsStream: true).key == "")
        #expect(rates.enter("f", at: 1001, limits, holdsStream: true).refusal == .streams)
        // Half a second later all but the one at work could ask for everything again.
        #expect(rates.enter("g", at: 1600, limits, holdsStream: false).key == "g")
        #expect(rates.count <= 3)
        #expect(rates.enter("a", at: 1600, limits, holdsStream: true).refusal == nil)
        #expect(rates.enter("a", at: 1600, limits, holdsStream: true).refusal == .streams)
    }

    @Test(arguments: SeededRandom.seeds(8))
    func overAnyTimeNoMoreComesThanBurstAndRateAllow(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var rates = DeviceRates()
        let limits = limits(1 + random.number(0..<200), 1 + random.number(0..<50), 0)
        var now: Int64 = 0
        var taken = 0
        for _ in 0..<5000 {
            now += Int64(random.number(0..<20))
            if rates.enter("a", at: now, limits, holdsStream: false).refusal == nil { taken += 1 }
        }
        let most = Double(limits.burst) + Double(now) / 1000 * Double(limits.requestsPerSecond)
        #expect(Double(taken) <= most + 1e-6)
        #expect(Double(taken) >= min(5000, most) * 0.5)
    }
}
