/// A moment as records say it: RFC 3339 in the proleptic Gregorian calendar, to the nanosecond.
///
/// Leap seconds do not exist here: a second 60 is refused.
public struct IPNSTime: Hashable, Sendable {
    /// Since 1970-01-01T00:00:00Z; between the years 0000 and 9999.
    public let seconds: Int64
    /// 0 to 999,999,999.
    public let nanoseconds: Int32

    /// The years 0000 to 9999: what four digits can say.
    private static let range: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

    /// A moment; what no text can say becomes the nearest that one can.
    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = min(max(seconds, Self.range.lowerBound), Self.range.upperBound)
        self.nanoseconds = min(max(nanoseconds, 0), 999_999_999)
    }

    /// A moment in Unix milliseconds.
    public init(unixMilliseconds: Int64) {
        let seconds = unixMilliseconds >= 0 ? unixMilliseconds / 1000 : (unixMilliseconds - 999) / 1000
        self.init(seconds: seconds, nanoseconds: Int32((unixMilliseconds - seconds * 1000) * 1_000_000))
    }

    /// Unix milliseconds, rounded down.
    public var unixMilliseconds: Int64 { seconds * 1000 + Int64(nanoseconds / 1_000_000) }

    /// The moment so much later.
    public func adding(_ duration: Duration) -> IPNSTime {
        let (whole, attoseconds) = duration.components
        var sum = seconds.addingReportingOverflow(whole)
        if sum.overflow { sum.partialValue = whole > 0 ? .max : .min }
        var rest = Int64(nanoseconds) + attoseconds / 1_000_000_000
        var total = sum.partialValue
        if rest >= 1_000_000_000 { (rest, total) = (rest - 1_000_000_000, total == .max ? total : total + 1) }
        if rest < 0 { (rest, total) = (rest + 1_000_000_000, total == .min ? total : total - 1) }
        return IPNSTime(seconds: total, nanoseconds: Int32(rest))
    }

    /// How long it is from another moment to this one; negative if this one is earlier.
    public func since(_ other: IPNSTime) -> Duration {
        .seconds(seconds - other.seconds) + .nanoseconds(Int64(nanoseconds) - Int64(other.nanoseconds))
    }
}

extension IPNSTime: Comparable {
    public static func < (a: IPNSTime, b: IPNSTime) -> Bool {
        (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
    }
}

extension IPNSTime {
    /// The most characters of a moment: nine digits of a second and an offset.
    static let maximumCharacters = 64

    /// Reads RFC 3339: `2026-11-21T10:00:00.123456789Z`, or with an offset such as `+02:00`.
    ///
    /// - Returns: `nil` for everything else. Digits beyond the nanosecond are refused.
    public init?(text: [UInt8]) {
        guard text.count <= Self.maximumCharacters else { return nil }
        var scanner = TimeScanner(text[...])
        guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2),
            scanner.take("-"),
            let day = scanner.number(2), scanner.take("T"), let hour = scanner.number(2), scanner.take(":"),
            let minute = scanner.number(2), scanner.take(":"), let second = scanner.number(2),
            (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day), hour < 24,
            minute < 60, second < 60, let nanoseconds = scanner.fraction(), let offset = scanner.offset(),
            scanner.isAtEnd
        else { return nil }
        let days = Self.daysFromEpoch(year: year, month: month, day: day)
        let seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second
        guard Self.range.contains(seconds) else { return nil }
        self.init(seconds: seconds, nanoseconds: Int32(nanoseconds))
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return switch month {
        case 2: isLeap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Counts in years that begin in March, so that the leap day is the last of its year.
    private static func daysFromEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(daysFromEpoch days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private var parts: String {
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        let rest = seconds - days * 86_400
        let (year, month, day) = Self.date(daysFromEpoch: days)
        func digits(_ number: Int64, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        return digits(year, 4) + "-" + digits(month, 2) + "-" + digits(day, 2) + "T" + digits(rest / 3600, 2)
            + ":" + digits(rest / 60 % 60, 2) + ":" + digits(rest % 60, 2)
    }

    /// As records say it: nine digits of the second, UTC.
    var recordText: [UInt8] {
        let fraction = String(nanoseconds)
        return Array((parts + "." + String(repeating: "0", count: 9 - fraction.count) + fraction + "Z").utf8)
    }
}

extension IPNSTime: CustomStringConvertible {
    /// RFC 3339 in UTC, to the second.
    public var description: String { parts + "Z" }
}

/// Goes over the characters of a moment.
private struct TimeScanner {
    private var rest: ArraySlice<UInt8>

    init(_ text: ArraySlice<UInt8>) { rest = text }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    /// A number of exactly so many digits.
    mutating func number(_ count: Int) -> Int64? {
        guard rest.count >= count else { return nil }
        var value: Int64 = 0
        for _ in 0..<count {
            let digit = rest.removeFirst() &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int64(digit)
        }
        return value
    }

    /// Nanoseconds behind a point, 0 if there is none.
    mutating func fraction() -> Int64? {
        guard take(".") else { return 0 }
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
        guard (1...9).contains(digits), let value = number(digits) else { return nil }
        return (digits..<9).reduce(value) { value, _ in value * 10 }
    }

    /// Minutes east of Greenwich.
    mutating func offset() -> Int64? {
        if take("Z") { return 0 }
        let sign: Int64 = rest.first == UInt8(ascii: "-") ? -1 : 1
        guard take("+") || take("-"), let hours = number(2), take(":"), let minutes = number(2), hours < 24,
            minutes < 60
        else { return nil }
        return sign * (hours * 60 + minutes)
    }
}
