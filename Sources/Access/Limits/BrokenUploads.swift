import Catalog
import Synchronization

/// Counts uploads that came to nothing after a part of them was stored, and whose use was given back.
///
/// A connection that breaks is no reason to take a use from whoever sends a file. But what was stored stays
/// until the collector comes, and where uses are the only limit, uploads that break off again and again would
/// have none. So each counter gives back as many as it has, a few in any case; then they are uses like
/// others.
///
/// Thread-safe. In memory: after a restart it begins anew.
final class BrokenUploads: Sendable {
    /// So many are given back however few uses there are.
    static let minimum: Int64 = 8
    private static let maximumCounters = 10_000

    private let counts = Mutex<[GrantID: Int64]>([:])

    /// Whether the use of an upload that broke off is given back.
    func givesBack(_ limit: UsageLimit) -> Bool {
        // Where bytes are counted, what was stored stays counted by them.
        guard let maximum = limit.maximumUses, limit.maximumBytes == nil else { return true }
        return counts.withLock { counts in
            // Counters are of grants that somebody made: there are so many only where somebody has very many.
            if counts.count >= Self.maximumCounters, counts[limit.grant] == nil { counts.removeAll() }
            let count = counts[limit.grant, default: 0] + 1
            guard count <= max(maximum, Self.minimum) else { return false }
            counts[limit.grant] = count
            return true
        }
    }
}
