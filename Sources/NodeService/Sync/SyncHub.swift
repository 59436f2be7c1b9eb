import Foundation
import Synchronization

/// What all callers of the sync protocol of one node share: what lives as long as the node runs, and is not
/// in the catalog.
public final class SyncHub: Sendable {
    /// What was done.
    public let tally = SyncTally()
    /// Who is there.
    public let devices = DeviceDesk()
    /// What is on its way to be committed.
    public let inflight: InflightDesk

    /// Numbers of namespaces with conflicts that were noted since the start and may be open.
    let conflicted = Mutex<Set<Int64>>([])
    private let rates = Mutex(DeviceRates())
    /// Milliseconds of a clock that never goes back.
    private let clock: @Sendable () -> Int64

    /// - Parameter clock: milliseconds; the system's if it is left out.
    public init(clock: (@Sendable () -> Int64)? = nil) {
        let origin = ContinuousClock.now
        let clock = clock ?? { Int64((ContinuousClock.now - origin) / .milliseconds(1)) }
        self.clock = clock
        // Beyond the marks of a node that ran before: none gives 65,536 of them in a millisecond.
        inflight = InflightDesk(clock: clock, firstMark: Int64(Date().timeIntervalSince1970 * 1000) << 16)
    }

    /// Takes a request in that is counted under a key, or says why not.
    ///
    /// - Parameter holdsStream: whether it is worked on until ``leave(_:)``.
    public func enter(
        _ device: String, _ limits: DeviceRates.Limits, holdsStream: Bool
    ) -> (key: String, refusal: DeviceRates.Refusal?) {
        let now = clock()
        let entered = rates.withLock { $0.enter(device, at: now, limits, holdsStream: holdsStream) }
        switch entered.refusal {
        case .rate?: tally.count { $0.overRate += 1 }
        case .streams?: tally.count { $0.overStreams += 1 }
        case nil: break
        }
        return entered
    }

    /// Ends what was taken in under a key.
    public func leave(_ key: String) { rates.withLock { $0.leave(key) } }
}
