import IPNS
import TestKit
import Testing

/// Moments of RFC 3339.
@Suite struct IPNSTimeTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", Int64(0), Int32(0)),
        ("2123-08-14T12:17:03.694052Z", 4_847_689_023, 694_052_000),
        ("2024-02-29T23:59:59.999999999Z", 1_709_251_199, 999_999_999),
        ("2000-02-29T00:00:00Z", 951_782_400, 0),
        ("1969-12-31T23:59:59.5Z", -1, 500_000_000),
        ("0000-01-01T00:00:00Z", -62_167_219_200, 0),
        ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
        ("2026-11-21T12:00:00+02:00", 1_795_255_200, 0),
        ("2026-11-21T04:30:00-05:30", 1_795_255_200, 0),
    ])
    func knownMomentsAreRead(text: String, seconds: Int64, nanoseconds: Int32) {
        let time = IPNSTime(text: Array(text.utf8))
        #expect(time == IPNSTime(seconds: seconds, nanoseconds: nanoseconds), "\(text)")
    }

    @Test(arguments: [
        "", "2026", "2026-11-21", "2026-11-21 10:00:00Z", "2026-11-21T10:00:00", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-01-32T00:00:00Z",
        "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00z",
        "2026-01-01T00:00:00Z ", " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+0200", "+026-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59",
        "2026-01-01T00:00:00.1é", "99999-01-01T00:00:00Z",
    ])
    func whatIsNoMomentIsRefused(text: String) {
        #expect(IPNSTime(text: Array(text.utf8)) == nil)
    }

    @Test(arguments: SeededRandom.seeds(64))
    func textAndNumbersAgree(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let time = IPNSTime(
            seconds: Int64(random.number(-62_167_219_200...253_402_300_799)),
            nanoseconds: Int32(random.number(0...999_999_999)))
        #expect(IPNSTime(text: Array(time.description.utf8)) == IPNSTime(seconds: time.seconds))
        let later = time.adding(.milliseconds(1500))
        if later.seconds < 253_402_300_799 { #expect(later.since(time) == .milliseconds(1500)) }
        #expect(time.adding(.zero) == time)
        let milliseconds = time.unixMilliseconds
        #expect(IPNSTime(unixMilliseconds: milliseconds).unixMilliseconds == milliseconds)
    }

    @Test func theEndsOfTimeAreNotPassed() {
        let last = IPNSTime(seconds: .max)
        #expect(last.description == "9999-12-31T23:59:59Z")
        #expect(last.adding(.seconds(Int64.max)).seconds == last.seconds)
        #expect(IPNSTime(seconds: .min).adding(.seconds(Int64.min)).description == "0000-01-01T00:00:00Z")
    }
}
