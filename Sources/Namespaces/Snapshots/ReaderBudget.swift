/// How much readers may have the node store, who ask for versions of which there is no snapshot yet.
///
/// Begins full; what was spent comes back evenly.
struct ReaderBudget {
    /// Bytes of blocks at once, and in an hour.
    static let bytes = 64 * 1024 * 1024

    private var spent: Double = 0
    private var time: ContinuousClock.Instant

    private static let bytesPerSecond = Double(bytes) / 3600

    init(at now: ContinuousClock.Instant = .now) { time = now }

    /// After how many seconds there is something left; `nil` if there is.
    mutating func wait(at now: ContinuousClock.Instant = .now) -> Int? {
        let seconds = max(0, (now - time) / .seconds(1))
        time = max(time, now)
        spent = max(0, spent - seconds * Self.bytesPerSecond)
        guard spent >= Double(Self.bytes) else { return nil }
        return 1 + Int((spent - Double(Self.bytes)) / Self.bytesPerSecond)
    }

    /// Takes what was stored, though it be more than what was left.
    mutating func take(_ bytes: Int) { spent += Double(bytes) }
}
