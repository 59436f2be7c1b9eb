import Synchronization

/// A clock that stands still until it is told to go on.
public final class ManualClock: Sendable {
    private let now: Mutex<UInt64>

    /// - Parameter milliseconds: since whatever the clock's user counts from.
    public init(milliseconds: UInt64 = 1_000_000) { now = Mutex(milliseconds) }

    public var milliseconds: UInt64 { now.withLock { $0 } }

    public func advance(milliseconds: UInt64) { now.withLock { $0 += milliseconds } }
}
