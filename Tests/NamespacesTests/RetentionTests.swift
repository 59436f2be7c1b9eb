import Testing

@testable import Namespaces

/// Until when what is not the newest is kept.
@Suite struct RetentionTests {
    private static let day: Int64 = 24 * 3600 * 1000

    private func retention(all: Int64, daily: Int64) -> Retention {
        var history = NamespacePolicy.History()
        (history.all, history.daily) = (all, daily)
        return Retention(history)
    }

    @Test func theLastVersionOfADayIsKeptLonger() {
        let retention = retention(all: 10, daily: 20)
        let (evening, morning) = (5 * Self.day - 1, 5 * Self.day + 1)
        #expect(retention.end(ofVersionMade: evening, superseded: morning) == 5 * Self.day + 30_000)
        #expect(retention.end(ofVersionMade: morning, superseded: morning + 1) == morning + 1 + 10_000)
        #expect(retention.end(ofVersionMade: nil, superseded: morning) == morning + 10_000)
        #expect(retention.end(ofDeletionAt: morning) == morning + 10_000)
    }

    @Test func whatIsStillKeptIsNotAmongWhatGoes() {
        let retention = retention(all: 10, daily: 20)
        let end = retention.end(ofVersionMade: nil, superseded: 1000)
        #expect(retention.lastSupersededToGo(at: end - 1) < 1000)
        #expect(retention.lastSupersededToGo(at: end) == 1000)
        #expect(retention.lastDayToGo(at: retention.end(ofDay: Self.day)) == Self.day)
    }

    /// The clock of a node may stand before 1970.
    @Test func aDayEndsAtMidnight() {
        let day = Self.day
        #expect(Retention.day(endedBetween: day - 1, and: day) == day)
        #expect(Retention.day(endedBetween: day, and: day + 1) == nil)
        #expect(Retention.day(endedBetween: 0, and: 10 * day + 5) == 10 * day, "the last of several")
        #expect(Retention.day(endedBetween: -1, and: 1) == 0)
        #expect(Retention.day(endedBetween: -2, and: -1) == nil)
        #expect(Retention.day(endedBetween: -day - 1, and: -day) == -day)
    }

    @Test func forEverIsNoOverflow() {
        for (all, daily) in [(Int64.max, Int64(0)), (0, .max), (.max, .max), (.max / 1000, .max / 1000)] {
            let retention = retention(all: all, daily: daily)
            #expect(retention.end(ofDay: 1_700_000_000_000) == .max)
            #expect(retention.lastDayToGo(at: 1_700_000_000_000) < 0)
        }
    }
}
