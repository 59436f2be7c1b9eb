import NIOCore
import Synchronization

/// The body of one request, on its way from the event loop of its connection to the task that answers.
///
/// At most ``windowBytes`` wait in between, and what was read at once with them: then the connection is not
/// read any further. A body that stops before its end throws: that is no end. For one reader.
final class RequestBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    private struct State {
        var pieces: CircularBuffer<ByteBuffer>?
        /// What `pieces` cost.
        var waiting = 0
        var end: Result<Void, any Error>?
        var reader: CheckedContinuation<ByteBuffer?, any Error>?
        /// Nobody reads it any more.
        var isDiscarded = false
    }

    private let state = Mutex(State())
    private let onRoom: @Sendable () -> Void

    private static let windowBytes = 256 * 1024
    /// What a piece costs beside its bytes: many small ones are a lot as well.
    private static let pieceBytes = 64

    /// - Parameter onRoom: is called when there is room again after a piece did not fit.
    init(onRoom: @escaping @Sendable () -> Void) { self.onRoom = onRoom }

    // MARK: The connection's side

    /// - Returns: whether more may come at once.
    func receive(_ piece: ByteBuffer) -> Bool {
        let (reader, hasRoom) = state.withLock { state in
            guard !state.isDiscarded, state.end == nil else {
                return (nil as CheckedContinuation<ByteBuffer?, any Error>?, true)
            }
            if let reader = state.reader {
                state.reader = nil
                return (reader, true)
            }
            state.pieces = state.pieces ?? CircularBuffer(initialCapacity: 4)
            state.pieces?.append(piece)
            state.waiting += piece.readableBytes + Self.pieceBytes
            return (nil, state.waiting < Self.windowBytes)
        }
        reader?.resume(returning: piece)
        return hasRoom
    }

    /// The first end counts.
    func end(_ result: Result<Void, any Error>) {
        let reader = state.withLock { state in
            guard state.end == nil else { return nil as CheckedContinuation<ByteBuffer?, any Error>? }
            state.end = result
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(with: result.map { nil })
    }

    /// The request is answered: what comes yet is thrown away.
    func discard() {
        state.withLock { state in
            state.isDiscarded = true
            state.pieces = nil
            state.waiting = 0
        }
    }

    // MARK: The reader's side

    fileprivate func next() async throws -> ByteBuffer? {
        try await withCheckedThrowingContinuation { continuation in
            let (outcome, hasRoom) = state.withLock { state in
                if let piece = state.pieces?.popFirst() {
                    let before = state.waiting
                    state.waiting -= piece.readableBytes + Self.pieceBytes
                    let isRoom = before >= Self.windowBytes && state.waiting < Self.windowBytes
                    return (.success(piece) as Result<ByteBuffer?, any Error>?, isRoom)
                }
                guard let end = state.end else {
                    state.reader = continuation
                    return (nil, false)
                }
                return (end.map { nil }, false)
            }
            if hasRoom { onRoom() }
            if let outcome { continuation.resume(with: outcome) }
        }
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let body: RequestBody

        func next() async throws -> ByteBuffer? { try await body.next() }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: self) }
}
