import Foundation

/// Texts that go into messages.
enum AccessText {
    /// What came from outside, cut and with everything unprintable replaced.
    static func short(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(128).map { $0.value < 0x20 ? "?" : $0 }))
    }
}

/// Times as people and scripts read them.
enum UTCText {
    /// RFC 3339 in UTC, of Unix milliseconds.
    static func time(_ milliseconds: Int64) -> String {
        // Beyond the year 9999 the form has no place for the digits.
        let seconds = min(max(Double(milliseconds) / 1000, -62_135_596_800), 253_402_300_799)
        return Date(timeIntervalSince1970: seconds).formatted(.iso8601)
    }
}
