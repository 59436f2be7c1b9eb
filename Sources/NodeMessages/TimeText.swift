import Foundation

/// Times as people and scripts read them.
public enum TimeText {
    /// RFC 3339 in UTC.
    public static func utc(seconds: Int64, nanoseconds: UInt32 = 0) -> String {
        let date = Date(timeIntervalSince1970: Double(seconds) + Double(nanoseconds) / 1e9)
        return date.formatted(.iso8601)
    }

    /// RFC 3339 in UTC, of Unix milliseconds.
    public static func utc(milliseconds: Int64) -> String { utc(seconds: milliseconds / 1000) }

    /// Now, in Unix milliseconds.
    public static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    /// Reads RFC 3339 with a zone, to Unix milliseconds.
    public static func milliseconds(utc text: String) -> Int64? {
        guard let date = try? Date(text, strategy: .iso8601) else { return nil }
        return Int64(exactly: (date.timeIntervalSince1970 * 1000).rounded())
    }
}
