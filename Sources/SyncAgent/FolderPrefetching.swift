import Foundation
import SyncClient
import SyncProtocol

/// Reads ahead what other devices send, on a thread of its own, while the folder has nothing else to do.
///
/// Proof of Sendable: `state` is touched under the condition's lock only, the prefetcher by the thread alone.
final class FolderPrefetching: @unchecked Sendable {
    private struct State {
        /// Up to where the journal was read.
        var cursor: SyncCursor?
        /// The journal comes first: nothing is read while a pass is under way, or the folder is paused.
        var isHeld = true
        /// What is on its way already was never told of.
        var hasNews = true
        var isStopping = false
    }

    private let condition = NSCondition()
    private var state = State()
    private let cache: PrefetchCache
    private var prefetcher: Prefetcher
    private let finished = DispatchSemaphore(value: 0)

    init(_ prefetcher: Prefetcher, _ cache: PrefetchCache) {
        self.prefetcher = prefetcher
        self.cache = cache
        let thread = Thread { [self] in
            work()
            finished.signal()
        }
        thread.name = "nacre-prefetch"
        thread.stackSize = 4 << 20
        thread.start()
    }

    var counters: PrefetchCache.Counters { cache.counters }

    private func change(_ body: (inout State) -> Void) {
        condition.lock()
        body(&state)
        condition.signal()
        condition.unlock()
    }

    private func withState<R>(_ body: (inout State) -> R) -> R {
        condition.lock()
        defer { condition.unlock() }
        return body(&state)
    }

    /// More came of a file.
    func ring() { change { $0.hasNews = true } }

    /// Begins nothing more until ``goOn(after:)``.
    func hold() { change { $0.isHeld = true } }

    /// The journal was read up to there, and all of it was done.
    func goOn(after cursor: SyncCursor?) {
        change { state in
            state.cursor = cursor
            state.isHeld = cursor == nil
        }
    }

    /// Ends after the call that is under way, and removes what was read.
    func stop() {
        change { $0.isStopping = true }
        finished.wait()
        cache.clear()
    }

    // MARK: The thread

    private func work() {
        var due: Int64?
        while let cursor = next(atLatest: due) {
            let now = MachineClock.steadyMilliseconds()
            if withState({ !$0.isHeld }) { due = cache.expire(at: now) ?? now + 60_000 }
            guard withState({ $0.hasNews && !$0.isHeld }) else { continue }
            change { $0.hasNews = false }
            do throws(SyncServerError) {
                let isDone = try prefetcher.read(after: cursor) { withState { !$0.isHeld && !$0.isStopping } }
                if !isDone { change { $0.hasNews = true } }
            } catch {
                // Nothing depends on it: what comes next is another chance.
            }
        }
    }

    /// Waits for something to do; `nil` for the end.
    private func next(atLatest due: Int64?) -> SyncCursor? {
        condition.lock()
        defer { condition.unlock() }
        while !state.isStopping {
            if let cursor = state.cursor, state.hasNews, !state.isHeld { return cursor }
            if let due, !state.isHeld, let cursor = state.cursor {
                let left = due - MachineClock.steadyMilliseconds()
                if left <= 0 { return cursor }
                _ = condition.wait(until: Date().addingTimeInterval(Double(left) / 1000))
            } else {
                condition.wait()
            }
        }
        return nil
    }
}
