import Foundation
import Glibc
public import Logging
import NodeCore
import Synchronization

/// The log: a line for each event on standard error, as text for people or as JSON for machines.
///
/// Messages are fixed, what varies is metadata. Secrets are never given to it.
public struct StandardErrorLog: LogHandler {
    public var metadata: Logger.Metadata = [:]
    private let format: Format
    private let level: LogLevel
    private var own: Logger.Level?

    /// How a line looks.
    public enum Format: String, Sendable {
        /// `2026-01-31T12:00:00.000Z info answered status=200`
        case text
        /// An object with `time`, `level`, `message` and the metadata.
        case json
    }

    /// - Parameter level: shared by all handlers, so that it can be changed while they are in use.
    public init(format: Format, level: LogLevel) {
        self.format = format
        self.level = level
    }

    /// A level of this logger alone goes over the common one.
    public var logLevel: Logger.Level {
        get { own ?? level.value }
        set { own = newValue }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line.
    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let time = Self.time()
        let message = event.message.description
        let line: String
        switch format {
        case .text:
            let fields = all.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.quoted("\($0.value)"))" }
            line = "\(time) \(event.level.rawValue) \(PathText.printable(message.utf8))\(fields.joined())\n"
        case .json:
            var object = all.mapValues { "\($0)" }
            object.merge(["time": time, "level": event.level.rawValue, "message": message]) { $1 }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            // Texts can always be encoded.
            guard let bytes = try? encoder.encode(object) else { return }
            line = String(decoding: bytes, as: UTF8.self) + "\n"
        }
        // One write a line: lines of several threads do not mix.
        var text = line
        text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static func quoted(_ text: String) -> String {
        let shown = PathText.printable(text.utf8)
        guard shown.isEmpty || shown.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) else {
            return shown
        }
        return "\"" + shown.replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }

    /// RFC 3339 with milliseconds, in UTC.
    private static func time() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func digits(_ number: Int, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let date =
            "\(digits(Int(parts.tm_year) + 1900, 4))-\(digits(Int(parts.tm_mon) + 1, 2))-\(digits(Int(parts.tm_mday), 2))"
        let clock =
            "\(digits(Int(parts.tm_hour), 2)):\(digits(Int(parts.tm_min), 2)):\(digits(Int(parts.tm_sec), 2))"
        return "\(date)T\(clock).\(digits(now.tv_nsec / 1_000_000, 3))Z"
    }
}

/// The level of the log, which can be changed at run time.
public final class LogLevel: Sendable {
    private let level: Mutex<Logger.Level>

    public init(_ level: Logger.Level) { self.level = Mutex(level) }

    public var value: Logger.Level {
        get { level.withLock { $0 } }
        set { level.withLock { $0 = newValue } }
    }
}
