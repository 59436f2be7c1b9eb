import Catalog

/// How long what is not the newest is kept, by the policy of a namespace.
///
/// All times are Unix milliseconds; a policy that keeps for longer than these can say keeps for ever.
struct Retention: Hashable {
    /// For how long every version is kept, in milliseconds.
    private let all: Int64
    /// For how long the last version of each day is kept, in milliseconds: longer.
    private let days: Int64

    init(_ history: NamespacePolicy.History) {
        all = history.all.multipliedClamped(by: 1000)
        days = all.addingClamped(history.daily.multipliedClamped(by: 1000))
    }

    /// - Throws: `policyInvalid`.
    init(of namespace: Namespace) throws(NamespaceError) {
        self.init(try NamespacePolicy(json: namespace.policy).history)
    }

    // MARK: Until when

    /// Until when something deleted is in the trash.
    func end(ofDeletionAt time: Int64) -> Int64 { time.addingClamped(all) }

    /// Until when a version is kept that is not held.
    ///
    /// - Parameters:
    ///   - made: when its last change was made; `nil` for the empty version before the first.
    ///   - superseded: when the next version was made.
    func end(ofVersionMade made: Int64?, superseded: Int64) -> Int64 {
        let end = superseded.addingClamped(all)
        guard let made, let day = Self.day(endedBetween: made, and: superseded) else { return end }
        return max(end, self.end(ofDay: day))
    }

    /// Until when the last version of a day is kept.
    ///
    /// - Parameter day: when the next day began.
    func end(ofDay day: Int64) -> Int64 { day.addingClamped(days) }

    // MARK: What goes now

    /// Versions that were superseded up to then are kept only as the last of a day, or held.
    func lastSupersededToGo(at now: Int64) -> Int64 { now.subtractingClamped(all) }

    /// Last versions of days that ended up to then are kept only if they are held.
    func lastDayToGo(at now: Int64) -> Int64 { now.subtractingClamped(days) }

    // MARK: Days

    private static let dayMilliseconds: Int64 = 24 * 3600 * 1000

    /// The midnight (UTC) by which a version became the last of its day: it was made before, and superseded
    /// not before. `nil` if another followed on the same day.
    static func day(endedBetween made: Int64, and superseded: Int64) -> Int64? {
        let midnight = superseded - (superseded % dayMilliseconds + dayMilliseconds) % dayMilliseconds
        return midnight > made ? midnight : nil
    }
}

extension Int64 {
    /// The sum of numbers that are not below 0, or the largest number there is.
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }

    /// The difference to a number that is not below 0, or the smallest number there is.
    fileprivate func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflows) = subtractingReportingOverflow(other)
        return overflows ? .min : difference
    }

    /// The product of numbers that are not below 0, or the largest number there is.
    fileprivate func multipliedClamped(by other: Int64) -> Int64 {
        let (product, overflows) = multipliedReportingOverflow(by: other)
        return overflows ? .max : product
    }
}
