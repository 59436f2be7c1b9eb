import NIOPosix
import NodeCore
import Synchronization

/// Whether the node works, as it was found a moment ago.
///
/// A probe writes to the disk and to the catalog, and everybody may ask: so there is one at a time, whoever
/// asks meanwhile gets its outcome, and the outcome holds for ``validity``.
final class Readiness: Sendable {
    typealias Outcome = Result<Void, HealthFailure>

    private struct State {
        var last: (outcome: Outcome, end: ContinuousClock.Instant)?
        var isProbing = false
        var waiting: [CheckedContinuation<Outcome, Never>] = []
    }

    /// How long an outcome is given to others.
    static let validity = Duration.seconds(1)

    private let state = Mutex(State())
    private let pool: NIOThreadPool
    private let now: @Sendable () -> ContinuousClock.Instant
    private let probe: @Sendable () throws -> Void

    /// - Parameters:
    ///   - pool: where the probe runs.
    ///   - probe: throws if the node does not work.
    init(
        pool: NIOThreadPool, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        probe: @escaping @Sendable () throws -> Void
    ) {
        self.pool = pool
        self.now = now
        self.probe = probe
    }

    /// What the newest probe found, or the one under way finds.
    func outcome() async -> Outcome {
        await withCheckedContinuation { continuation in
            let (known, mustBegin) = state.withLock { state in
                if let last = state.last, now() - last.end < Self.validity {
                    return (last.outcome as Outcome?, false)
                }
                state.waiting.append(continuation)
                defer { state.isProbing = true }
                return (nil, !state.isProbing)
            }
            if let known { continuation.resume(returning: known) }
            if mustBegin { begin() }
        }
    }

    private func begin() {
        pool.submit { [self] work in
            let outcome: Outcome
            do {
                // A pool that has stopped does nothing for anybody.
                guard case .active = work else { throw CancellationError() }
                outcome = .success(try probe())
            } catch {
                outcome = .failure(HealthFailure(error))
            }
            let waiting = state.withLock { state in
                state.isProbing = false
                if case .active = work { state.last = (outcome, now()) }
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume(returning: outcome) }
        }
    }
}
