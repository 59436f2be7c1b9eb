import Glibc
import NodeCore
import NodeMessages
import Synchronization

/// One line on standard error that shows how far the work is: only on a terminal, at most ten times a
/// second.
final class ProgressBar {
    private let verb: String
    private let unit: String
    private let isShown: Bool
    private let start = ContinuousClock.now
    private var lastDrawn: ContinuousClock.Instant?
    private var bytes: Int64 = 0
    private var items = 0
    private var totalBytes: Int64?
    private var totalItems: Int64?
    /// What there is to do in all, once another thread has found out; 0 before.
    let scannedBytes = SharedCounter()
    private static let isDrawn = Atomic<Bool>(false)

    /// - Parameter unit: what the items are.
    init(_ verb: String, totalBytes: Int64? = nil, unit: String = "files", quiet: Bool = false) {
        self.verb = verb
        self.unit = unit
        self.totalBytes = totalBytes
        isShown = Terminal.isErrorTerminal && !quiet
    }

    func advance(bytes count: Int = 0, items: Int = 0) {
        bytes += Int64(count)
        self.items += items
        guard isShown else { return }
        let now = ContinuousClock.now
        if let lastDrawn, now - lastDrawn < .milliseconds(100) { return }
        lastDrawn = now
        draw(elapsed: now - start)
    }

    /// Draws what long work tells; Ctrl-C ends it.
    var watch: Watch {
        Watch(
            cancellation: Interruption.cancellation,
            setTotal: { [self] items, bytes in
                if let items { totalItems = items }
                if let bytes { totalBytes = bytes }
            },
            advance: { [self] items, bytes in advance(bytes: bytes, items: items) })
    }

    func finish() { Self.clearLine() }

    /// Takes the bar off its line, so that something else can be written there.
    static func clearLine() {
        if isDrawn.exchange(false, ordering: .relaxed) { Terminal.writeError("\r\u{1B}[K") }
    }

    /// From 0 to 1, by bytes where their number is known, else by items; `nil` where neither is.
    private func share(of totalBytes: Int64) -> Double? {
        if totalBytes > 0 { return min(1, Double(bytes) / Double(totalBytes)) }
        guard let totalItems, totalItems > 0 else { return nil }
        return min(1, Double(items) / Double(totalItems))
    }

    private func draw(elapsed: Duration) {
        let seconds = max(0.001, elapsed.seconds)
        let rate = Double(bytes) / seconds
        var line = verb
        if bytes > 0 { line += " \(ByteCount.text(bytes)), \(ByteCount.text(Int64(rate)))/s" }
        if items > 0 {
            let whole = totalItems.map { " of \($0)" } ?? ""
            line += "\(bytes > 0 ? "," : "") \(items)\(whole) \(unit)"
        }
        let total = totalBytes ?? scannedBytes.current
        // Before that the rate says nothing.
        if total > 0, rate > 0, seconds >= 1 {
            line += ", " + DurationText.short(seconds: Double(max(0, total - bytes)) / rate) + " left"
        }
        if let share = share(of: total) {
            line = "\(Int(share * 100))% " + line
            let width = max(0, min(30, Terminal.width - line.count - 4))
            if width >= 5 {
                let filled = Int(Double(width) * share)
                let bar =
                    String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
                line = "[\(bar)] " + line
            }
        }
        Self.show(line)
    }

    /// Puts a text on the line, in the place of what was there. For a terminal only.
    static func show(_ line: String) {
        guard Terminal.isErrorTerminal else { return }
        isDrawn.store(true, ordering: .relaxed)
        Terminal.writeError("\r\u{1B}[K" + line.prefix(max(10, Terminal.width - 1)))
    }
}

extension Duration {
    var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}

/// A number that threads share.
final class SharedCounter: Sendable {
    private let value = Atomic<Int64>(0)

    var current: Int64 { value.load(ordering: .relaxed) }
    func set(_ new: Int64) { value.store(new, ordering: .relaxed) }
}
