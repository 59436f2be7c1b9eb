import Dispatch
import SyncProtocol
import Synchronization

/// The journal from a cursor to its end, a page at a time; some pages are asked for while the ones before are
/// taken over.
///
/// The pages are for one reader, and are read in order. Whoever made it calls ``end()``.
final class JournalPages: Sendable {
    /// Pages that wait to be read, at most.
    static let maximumAhead = 8
    /// Bytes of contents in them, from which on no more are asked for.
    static let maximumBytes = 8 * 1024 * 1024

    private struct State {
        var cursor: SyncCursor?
        var pages: [Result<ListAnswer, SyncServerError>] = []
        var bytes = 0
        var isAsking = false
        /// Whether the last page was asked for, or nobody reads on.
        var isOver = false
    }

    private let list: @Sendable (SyncCursor?) throws(SyncServerError) -> ListAnswer
    private let start: @Sendable (@escaping @Sendable () -> Void) -> Void
    private let state: Mutex<State>
    private let pages = DispatchSemaphore(value: 0)
    private let calls = DispatchGroup()

    /// - Parameters:
    ///   - start: see ``SyncEnvironment/start``.
    ///   - list: the page after a cursor.
    init(
        after cursor: SyncCursor?, start: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void,
        list: @escaping @Sendable (SyncCursor?) throws(SyncServerError) -> ListAnswer
    ) {
        self.list = list
        self.start = start
        state = Mutex(State(cursor: cursor))
    }

    /// The next page: not to be called again after one without more behind it, or after an error. Blocks the
    /// thread, which is the folder's.
    func next() throws(SyncServerError) -> ListAnswer {
        // Mostly there is one page, and no other thread is needed for it.
        let isFirst = state.withLock { state in
            guard !state.isAsking, state.pages.isEmpty, !state.isOver else { return false }
            state.isAsking = true
            return true
        }
        if isFirst { ask() }
        pages.wait()
        let page = state.withLock { state in
            let page = state.pages.removeFirst()
            state.bytes -= Self.bytes(of: page)
            return page
        }
        askAhead()
        return try page.get()
    }

    /// Nobody reads on. Returns when no call is under way.
    func end() {
        state.withLock { $0.isOver = true }
        calls.wait()
    }

    private func askAhead() {
        let isWanted = state.withLock { state in
            guard !state.isAsking, !state.isOver, state.pages.count < Self.maximumAhead,
                state.bytes < Self.maximumBytes
            else { return false }
            state.isAsking = true
            return true
        }
        guard isWanted else { return }
        calls.enter()
        start { [self] in
            ask()
            askAhead()
            calls.leave()
        }
    }

    private func ask() {
        let cursor = state.withLock(\.cursor)
        let page = Result { () throws(SyncServerError) in try list(cursor) }
        state.withLock { state in
            if case .success(let answer) = page, answer.hasMore {
                state.cursor = answer.cursor
            } else {
                state.isOver = true
            }
            state.pages.append(page)
            state.bytes += Self.bytes(of: page)
            state.isAsking = false
        }
        pages.signal()
    }

    private static func bytes(of page: Result<ListAnswer, SyncServerError>) -> Int {
        guard case .success(let answer) = page else { return 0 }
        return answer.entries.reduce(0) { $0 + ($1.inline?.count ?? 0) }
    }
}
