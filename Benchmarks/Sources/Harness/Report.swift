public import Foundation

/// Figures of one run on one machine, printed as a table and written as JSON.
public struct Report: Encodable {
    public struct Row: Encodable {
        public let benchmark: String
        public let measure: String
        public let unit: String
        public let median: Double
        public let lowest: Double
        public let highest: Double
        public let runs: Int
        public let peakMemoryBytes: Int
        /// Compared with what, how many times it, and what the ratio should be.
        public var comparedWith: String?
        public var ratio: Double?
        public var reach: String?
        public var isReached: Bool?
    }

    public let machine: Machine
    public let settings: [String: String]
    public private(set) var rows: [Row] = []

    public init(settings: [String: String]) {
        machine = Machine()
        self.settings = settings
    }

    /// Adds a rate: `amount` of `unit` in the time that was measured.
    @discardableResult
    public mutating func addRate(
        _ benchmark: String, _ measure: String, amount: Double, unit: String, _ measurement: Measurement
    ) -> Double {
        let rates = measurement.seconds.map { amount / $0 }.sorted()
        let row = Row(
            benchmark: benchmark, measure: measure, unit: unit, median: amount / measurement.medianSeconds,
            lowest: rates[0], highest: rates[rates.count - 1], runs: rates.count,
            peakMemoryBytes: measurement.peakMemoryBytes)
        add(row)
        return row.median
    }

    /// Adds a single number.
    public mutating func addValue(
        _ benchmark: String, _ measure: String, _ value: Double, unit: String, reach: String? = nil,
        isReached: Bool? = nil
    ) {
        var row = Row(
            benchmark: benchmark, measure: measure, unit: unit, median: value, lowest: value, highest: value,
            runs: 1, peakMemoryBytes: ProcessMemory.peakBytes)
        row.reach = reach
        row.isReached = isReached
        add(row)
    }

    /// Says of the row added last how it compares.
    public mutating func compareLast(with other: String, ratio: Double, atLeast reach: Double) {
        rows[rows.count - 1].comparedWith = other
        rows[rows.count - 1].ratio = ratio
        rows[rows.count - 1].reach = "at least \(reach)"
        rows[rows.count - 1].isReached = ratio >= reach
        let verdict = ratio >= reach ? "ok" : "missed"
        note("    \(format(ratio)) times \(other); reach at least \(reach): \(verdict)")
    }

    private mutating func add(_ row: Row) {
        rows.append(row)
        let range = row.runs > 1 ? " (\(format(row.lowest)) to \(format(row.highest)))" : ""
        let reach = row.reach.map { "; reach \($0)\(row.isReached == true ? ": ok" : ": missed")" } ?? ""
        note("\(row.benchmark): \(row.measure): \(format(row.median)) \(row.unit)\(range)\(reach)")
    }

    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(self)
    }
}

/// Where and of what the figures were taken.
public struct Machine: Encodable, Sendable {
    public let processor: String
    public let processors: Int
    public let memoryBytes: UInt64
    public let kernel: String
    public let commit: String
    public let date: String

    init() {
        let cpu = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = cpu.split(separator: "\n").first { $0.hasPrefix("model name") }
        processor =
            model?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
        processors = ProcessInfo.processInfo.activeProcessorCount
        memoryBytes = ProcessInfo.processInfo.physicalMemory
        let release = try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
        kernel = release?.trimmingCharacters(in: .newlines) ?? "unknown"
        commit = ProcessInfo.processInfo.environment["NACRE_COMMIT"] ?? "unknown"
        date = ISO8601DateFormatter().string(from: Date())
    }
}

/// Progress and tables go to standard error; standard output is for JSON.
public func note(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}

/// Three significant digits or whole numbers.
public func format(_ value: Double) -> String {
    value >= 100 ? String(format: "%.0f", value) : String(format: "%.3g", value)
}
