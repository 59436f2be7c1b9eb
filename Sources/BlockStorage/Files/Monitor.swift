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

    package func signalOne() { condition.signal() }

    package func signalAll() {
        condition.lock()
        condition.broadcast()
        condition.unlock()
    }
}
