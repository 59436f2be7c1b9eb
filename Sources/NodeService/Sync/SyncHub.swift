import Catalog
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
    private let conflicted = Mutex<Set<Int64>>([])
    /// What came and was not committed.
    private let unnamed = Mutex(UnnamedBytes())
    private let rates = Mutex(DeviceRates())
    /// Of all devices of a key or user together.
    private let owners = Mutex(DeviceRates())
    /// Whoever shows no key, by address: counted apart, so that addresses take no device's place.
    private let strangers = Mutex(DeviceRates())
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

    // MARK: Content

    /// Counts content that comes to a namespace before files name it; see ``UnnamedBytes``.
    ///
    /// - Returns: whether it may come.
    func bring(_ bytes: Int64, to namespace: NamespaceID, limit: Int64) -> Bool {
        let now = clock()
        return unnamed.withLock { $0.add(bytes, to: namespace, limit: limit, at: now) }
    }

    /// Files with so many bytes were committed.
    func name(_ bytes: Int64, in namespace: NamespaceID) {
        unnamed.withLock { $0.name(bytes, in: namespace) }
    }

    // MARK: Conflicts

    /// Notes that a namespace has conflicts that may be open.
    func noteConflicts(in namespace: Namespace) {
        conflicted.withLock { all in
            // A namespace that is forgotten has conflicts that stay open until somebody closes them.
            if all.count >= 10_000 { all.removeAll() }
            all.insert(namespace.number)
        }
    }

    /// Notes that all conflicts of a namespace are closed.
    func forgetConflicts(in namespace: Namespace) {
        conflicted.withLock { _ = $0.remove(namespace.number) }
    }

    /// Whether conflicts of a namespace were noted since the start, and not forgotten.
    func mayHaveConflicts(_ namespace: Namespace) -> Bool {
        conflicted.withLock { $0.contains(namespace.number) }
    }

    // MARK: Requests

    /// How many times as much as a device the devices of one key or user may ask together.
    public static let devicesAtOnce = 16

    /// Takes a request in, or says why not.
    ///
    /// - Parameter holdsStream: whether it is worked on until ``leave(_:)``.
    public func enter(
        _ caller: SyncCaller, _ limits: DeviceRates.Limits, holdsStream: Bool
    ) -> (entry: Entry, refusal: DeviceRates.Refusal?) {
        let now = clock()
        var entry = Entry()
        var refusal: DeviceRates.Refusal?
        switch caller {
        case .stranger(let address):
            refusal = strangers.withLock { $0.enter(address, at: now, limits, holdsStream: false) }.refusal
        case .known(let device, let owner):
            let own = rates.withLock { $0.enter(device, at: now, limits, holdsStream: holdsStream) }
            refusal = own.refusal
            if refusal == nil {
                let all = owners.withLock {
                    $0.enter(
                        owner, at: now, limits.multiplied(by: Self.devicesAtOnce), holdsStream: holdsStream)
                }
                refusal = all.refusal
                if holdsStream {
                    if refusal == nil {
                        entry = Entry(device: own.key, owner: all.key)
                    } else {
                        rates.withLock { $0.leave(own.key) }
                    }
                }
            }
        }
        switch refusal {
        case .rate?: tally.count { $0.overRate += 1 }
        case .streams?: tally.count { $0.overStreams += 1 }
        case nil: break
        }
        return (entry, refusal)
    }

    /// Ends what was taken in.
    public func leave(_ entry: Entry) {
        if let device = entry.device { rates.withLock { $0.leave(device) } }
        if let owner = entry.owner { owners.withLock { $0.leave(owner) } }
    }

    /// Where a request that is worked on is counted.
    public struct Entry: Hashable, Sendable {
        fileprivate var device: String?
        fileprivate var owner: String?
    }
}

/// By what the requests of a caller are counted.
public enum SyncCaller: Hashable, Sendable {
    /// A device, or a key that came without one, and the key or user that it is of.
    case known(device: String, owner: String)
    /// Somebody without a key.
    case stranger(address: String)

    /// Whose share of the places it takes where clients wait.
    public var owner: String {
        switch self {
        case .known(_, let owner): owner
        case .stranger(let address): address
        }
    }
}
