/// Says whether a clock is to be believed before anything is removed because of what it says.
///
/// A clock that was set wrong for an hour must not cost a month of history. What a clock says is believed as
/// long as it goes on from what it said at the last sweep. Where it is far from that, because the node was off
/// for long or because somebody set the clock, nothing is removed until it has stayed so for some days: time
/// enough to set it right. Nothing tells the two apart here, and what goes a few days late costs only space.
struct SweepClock: Hashable, Sendable {
    /// How far a clock may be from what it said at the last sweep: milliseconds.
    static let tolerance: Int64 = 7 * 24 * 3600 * 1000
    /// How long it is to stay elsewhere before it is believed: milliseconds.
    static let patience: Int64 = 3 * 24 * 3600 * 1000

    /// What it said at the last sweep: Unix milliseconds.
    private(set) var believed: Int64
    /// What it said when it was found elsewhere first.
    private(set) var doubted: Int64?

    init(at time: Int64) { believed = time }

    /// - Parameter text: as ``text`` writes it; `nil` for anything else.
    init?(_ text: String) {
        let numbers = text.split(separator: " ", omittingEmptySubsequences: false).map { Int64($0) }
        guard (1...2).contains(numbers.count), let believed = numbers[0] else { return nil }
        self.believed = believed
        if numbers.count == 2 {
            guard let doubted = numbers[1] else { return nil }
            self.doubted = doubted
        }
    }

    var text: String { doubted.map { "\(believed) \($0)" } ?? "\(believed)" }

    /// Takes in what the clock says.
    ///
    /// - Returns: `nil` if it is believed; else from when on it will be if it goes on from here.
    mutating func take(_ time: Int64) -> Int64? {
        let distance = time.subtractingReportingOverflow(believed)
        if !distance.overflow, distance.partialValue.magnitude <= Self.tolerance.magnitude {
            self = SweepClock(at: time)
            return nil
        }
        // One that goes back is on its way to be right, and is looked at anew.
        let since = doubted.flatMap { $0 <= time ? $0 : nil } ?? time
        let (waited, isLong) = time.subtractingReportingOverflow(since)
        if isLong || waited >= Self.patience {
            self = SweepClock(at: time)
            return nil
        }
        doubted = since
        let (end, isLate) = since.addingReportingOverflow(Self.patience)
        return isLate ? .max : end
    }
}
