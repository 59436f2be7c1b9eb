/// Byte counts as people write and read them, in powers of 1024.
public enum ByteCount {
    private static let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

    /// "1.5 MiB"; below 1 KiB exact.
    public static func text(_ bytes: Int64) -> String {
        guard bytes.magnitude >= 1024 else { return "\(bytes) B" }
        var value = Double(bytes)
        var unit = 0
        while abs(value) >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = (value * 10).rounded() / 10
        return abs(tenths) >= 100 ? "\(Int(tenths)) \(units[unit])" : "\(tenths) \(units[unit])"
    }

    /// Reads "1048576", "64MiB", "64 M", "1.5GiB". `K`, `M`, `G`, `T` mean powers of 1024, `kB`, `MB`, `GB`
    /// of 1000.
    public static func parse(_ text: String) -> Int64? {
        let trimmed = text.filter { $0 != " " && $0 != "_" }
        let number = trimmed.prefix { $0.isNumber || $0 == "." }
        guard let value = Double(number), value >= 0 else { return nil }
        let scale: Double
        switch trimmed.dropFirst(number.count).lowercased() {
        case "", "b": scale = 1
        case "k", "ki", "kib": scale = 1024
        case "m", "mi", "mib": scale = 1024 * 1024
        case "g", "gi", "gib": scale = 1024 * 1024 * 1024
        case "t", "ti", "tib": scale = 1024 * 1024 * 1024 * 1024
        case "kb": scale = 1e3
        case "mb": scale = 1e6
        case "gb": scale = 1e9
        case "tb": scale = 1e12
        default: return nil
        }
        let bytes = value * scale
        return bytes < 9e18 ? Int64(bytes) : nil
    }
}
