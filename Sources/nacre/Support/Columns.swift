import Foundation

/// Text in columns.
enum Columns {
    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}

/// Times as people and scripts read them.
enum TimeText {
    /// RFC 3339 in UTC.
    static func utc(seconds: Int64, nanoseconds: UInt32 = 0) -> String {
        let date = Date(timeIntervalSince1970: Double(seconds) + Double(nanoseconds) / 1e9)
        return date.formatted(.iso8601)
    }

    static func utc(milliseconds: Int64) -> String { utc(seconds: milliseconds / 1000) }
}
