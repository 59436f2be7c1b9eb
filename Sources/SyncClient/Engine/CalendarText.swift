/// Dates in names of files. In UTC, so that two devices name one moment alike.
struct CalendarText {
    let year: Int64
    let month: Int64
    let day: Int64
    let minuteOfDay: Int64

    /// - Parameter nanoseconds: since 1970; any value.
    init(nanoseconds: Int64) {
        let seconds = nanoseconds / 1_000_000_000 - (nanoseconds % 1_000_000_000 < 0 ? 1 : 0)
        let days = seconds / 86_400 - (seconds % 86_400 < 0 ? 1 : 0)
        minuteOfDay = (seconds - days * 86_400) / 60
        // Years begin in March here, so that the odd day is the last; 400 years have 146,097 days.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// `2026-11-21`
    var date: String { "\(year)-\(Self.two(month))-\(Self.two(day))" }
    /// `1925`
    var time: String { Self.two(minuteOfDay / 60) + Self.two(minuteOfDay % 60) }

    private static func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
}
