import Synchronization

/// A flag that long work looks at between steps, so that Ctrl-C ends it in order.
public final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    /// Asks the work to stop. Safe to call from a signal handler.
    public func cancel() { flag.store(true, ordering: .relaxed) }

    public var isCancelled: Bool { flag.load(ordering: .relaxed) }

    /// - Throws: `CancelledError` once ``cancel()`` was called.
    public func check() throws {
        if isCancelled { throw CancelledError() }
    }
}

/// The user interrupted the work; what was committed before is kept.
public struct CancelledError: Error, Equatable, Sendable, CustomStringConvertible {
    public init() {}
    public var description: String { "interrupted" }
}
