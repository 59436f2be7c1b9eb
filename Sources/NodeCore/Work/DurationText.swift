/// Lengths of time as people write and read them.
public enum DurationText {
    /// Reads "90s", "15m", "24h", "30d", "2w", "500ms" and sums such as "1h30m"; "0" means none.
    public static func parse(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        var rest = text[...]
        var total = Duration.zero
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isNumber || $0 == "." }
            guard let value = Double(number), value >= 0, value < 1e9 else { return nil }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            switch unit {
            case "ms": total += .seconds(value / 1000)
            case "s": total += .seconds(value)
            case "m", "min": total += .seconds(value * 60)
            case "h": total += .seconds(value * 3600)
            case "d": total += .seconds(value * 86400)
            case "w": total += .seconds(value * 7 * 86400)
            default: return nil
            }
        }
        return total
    }

    /// "5 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
    public static func short(seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e10 else { return "?" }
        let whole = Int(seconds.rounded())
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3600: return "\(whole / 60) min \(whole % 60) s"
        case ..<86400: return "\(whole / 3600) h \(whole % 3600 / 60) min"
        default: return "\(whole / 86400) d \(whole % 86400 / 3600) h"
        }
    }
}
