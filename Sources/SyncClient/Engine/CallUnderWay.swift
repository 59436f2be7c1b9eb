import Dispatch
import SyncProtocol
import Synchronization

/// A call that the server works on, or files that are made, while the engine does something else.
final class CallUnderWay<Answer: Sendable>: Sendable {
    private let result = Mutex<Result<Answer, SyncServerError>?>(nil)
    private let done = DispatchGroup()

    /// - Parameter start: see ``SyncEnvironment/start``.
    init(
        start: (@escaping @Sendable () -> Void) -> Void,
        _ call: @escaping @Sendable () throws(SyncServerError) -> Answer
    ) {
        done.enter()
        start { [self] in
            let answer = Result { () throws(SyncServerError) in try call() }
            result.withLock { $0 = answer }
            done.leave()
        }
    }

    /// Returns when the answer is there, or the call has failed. Blocks the thread, which is the folder's.
    func wait() { done.wait() }

    /// The answer, when it is there.
    func answer() throws(SyncServerError) -> Answer {
        wait()
        guard let result = result.withLock({ $0 }) else { throw .unreachable("the call was given up") }
        return try result.get()
    }
}
