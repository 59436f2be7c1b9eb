import Foundation

/// State behind a lock, with waiting until it is as wanted.
///
/// `BlockStorage` has one like it, which this module must not know: see `LayeringTests`.
final class LockedState<State>: @unchecked Sendable {
    // Proof of Sendable: `state` is touched only between lock() and unlock() of `condition`, in the methods below, and
    // never leaves them by reference.
    private var state: State
    private let condition = NSCondition()

    enum Outcome<Value> {
        case waiting
        case done(Value)
    }

    init(_ state: sending State) { self.state = state }

    func with(_ body: (inout State) -> Void) {
        condition.lock()
        defer { condition.unlock() }
        body(&state)
    }

    /// Calls `body` now and after each signal until it is done; `onWaiting` before each wait, `onResuming` after it.
    func wait<R>(
        until body: (inout State) -> Outcome<R>, onWaiting: (inout State) -> Void,
        onResuming: (inout State) -> Void
    ) -> R {
        condition.lock()
        defer { condition.unlock() }
        while true {
            switch body(&state) {
            case .done(let value): return value
            case .waiting:
                onWaiting(&state)
                condition.wait()
                onResuming(&state)
            }
        }
    }

    func signal() { condition.signal() }
}
