import Foundation

/// State behind a lock, with waiting until it is as wanted.
package final class Monitor<State>: @unchecked Sendable {
    // Proof of Sendable: `state` is touched only between lock() and unlock() of `condition`, in the methods
    // below, and never leaves them by reference.
    private var state: State
    private let condition = NSCondition()

    package enum Outcome<Value> {
        case waiting
        case done(Value)
    }

    package init(_ state: sending State) { self.state = state }

    package func with<R>(_ body: (inout State) throws -> R) rethrows -> R {
        condition.lock()
        defer { condition.unlock() }
        return try body(&state)
    }

    /// Calls `body` now and after each signal until it is done.
    package func wait<R>(until body: (inout State) throws -> Outcome<R>) rethrows -> R {
        condition.lock()
        defer { condition.unlock() }
        while true {
            switch try body(&state) {
            case .done(let value): return value
            case .waiting: condition.wait()
            }
        }
    }

    /// Calls `body` now and after each signal until it is done, but waits no longer than `patience`.
    package func wait<R>(
        atMost patience: Duration, until body: (inout State) throws -> Outcome<R>
    ) rethrows -> R? {
        let (seconds, attoseconds) = patience.components
        let end = Date(timeIntervalSinceNow: Double(seconds) + Double(attoseconds) / 1e18)
        condition.lock()
        defer { condition.unlock() }
        while true {
            if case .done(let value) = try body(&state) { return value }
            guard condition.wait(until: end) else {
                // A signal may have come together with the end.
                if case .done(let value) = try body(&state) { return value }
                return nil
            }
        }
    }

    package func signalOne() { condition.signal() }

    package func signalAll() {
        condition.lock()
        condition.broadcast()
        condition.unlock()
    }
}
