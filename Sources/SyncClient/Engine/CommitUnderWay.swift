import Dispatch
import SyncProtocol
import Synchronization

/// A commit that the server works on while the engine does something else.
final class CommitUnderWay: Sendable {
    private let result = Mutex<Result<CommitAnswer, SyncServerError>?>(nil)
    private let done = DispatchGroup()

    init(
        _ operations: [SyncOperation], after cursor: SyncCursor?, at server: any SyncServer,
        start: (@escaping @Sendable () -> Void) -> Void
    ) {
        done.enter()
        start { [self] in
            let answer = Result { () throws(SyncServerError) in
                try server.commit(operations, after: cursor)
            }
            result.withLock { $0 = answer }
            done.leave()
        }
    }

    /// Returns when the answer is there, or the call has failed. Blocks the thread, which is the folder's.
    func wait() { done.wait() }

    /// The answer, when it is there.
    func answer() throws(SyncServerError) -> CommitAnswer {
        wait()
        guard let result = result.withLock({ $0 }) else { throw .unreachable("the call was given up") }
        return try result.get()
    }
}
