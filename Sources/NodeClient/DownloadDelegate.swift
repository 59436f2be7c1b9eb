import AsyncHTTPClient
import BlockStorage
import NIOCore
import NIOHTTP1

/// Brings the body of an answer from an event loop to a thread that waits for it, with little between them.
final class DownloadDelegate: HTTPClientResponseDelegate, Sendable {
    typealias Response = Void

    private static let window = 1024 * 1024

    private struct State {
        var head: HTTPResponseStatus?
        var pieces: [ByteBuffer] = []
        var waiting = 0
        var end: Result<Void, any Error>?
        var isClosed = false
        /// The event loop's, while there is no room.
        var room: EventLoopPromise<Void>?
    }

    private let state = Monitor(State())

    // MARK: The thread's side

    /// Waits for the head.
    func status() throws -> HTTPResponseStatus {
        try state.wait { state throws -> Monitor<State>.Outcome<HTTPResponseStatus> in
            if let head = state.head { return .done(head) }
            try state.end?.get()
            return .waiting
        }
    }

    /// The next piece; `nil` at the end.
    func next() throws -> ByteBuffer? {
        let (piece, room) = try state.wait {
            state throws -> Monitor<State>.Outcome<(ByteBuffer?, EventLoopPromise<Void>?)> in
            if !state.pieces.isEmpty {
                let piece = state.pieces.removeFirst()
                state.waiting -= piece.readableBytes
                guard state.waiting < Self.window else { return .done((piece, nil)) }
                defer { state.room = nil }
                return .done((piece, state.room))
            }
            guard let end = state.end else { return .waiting }
            try end.get()
            return .done((nil, nil))
        }
        room?.succeed()
        return piece
    }

    /// Nobody waits for more.
    func close() {
        let room = state.with { state in
            state.isClosed = true
            state.pieces = []
            defer { state.room = nil }
            return state.room
        }
        room?.succeed()
    }

    // MARK: The event loop's side

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        state.with { $0.head = head.status }
        state.signalAll()
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        let promise = task.eventLoop.makePromise(of: Void.self)
        let isFull = state.with { state in
            guard !state.isClosed else { return false }
            state.pieces.append(buffer)
            state.waiting += buffer.readableBytes
            guard state.waiting >= Self.window else { return false }
            state.room = promise
            return true
        }
        state.signalAll()
        if !isFull { promise.succeed() }
        return promise.futureResult
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) throws {
        state.with { $0.end = .success(()) }
        state.signalAll()
    }

    func didReceiveError(task: HTTPClient.Task<Void>, _ error: any Error) {
        state.with { $0.end = .failure(error) }
        state.signalAll()
    }
}
