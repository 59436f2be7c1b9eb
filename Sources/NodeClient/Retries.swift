/// When a request whose connection failed is made again.
///
/// Only a node that has answered before is waited for. Where the first call fails, the address is wrong or
/// nobody is there, and whoever asked is told at once.
struct Retries {
    private var lost = 0
    private var absences = 0
    private var firstAbsence: ContinuousClock.Instant?

    /// How often what was lost on its way is said again.
    private static let maximumLost = 3
    /// How long a node that cannot be reached is waited for: it may be starting again.
    private static let patience = Duration.seconds(40)

    /// Seconds until the next attempt; `nil` where there is to be none.
    ///
    /// - Parameter isRepeatable: whether the request may be said twice. What never reached the node was not
    ///   said at all.
    mutating func pause(after error: any Error, isRepeatable: Bool) -> Double? {
        guard UnreachableText.isAbsence(error) else {
            lost += 1
            return isRepeatable && lost <= Self.maximumLost ? 0.2 * Double(lost) : nil
        }
        let now = ContinuousClock.now
        let start = firstAbsence ?? now
        firstAbsence = start
        guard now - start < Self.patience else { return nil }
        absences += 1
        return min(2, 0.2 * Double(absences))
    }
}
