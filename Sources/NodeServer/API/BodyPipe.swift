import BlockStorage
import HTTPSupport
import NIOCore

/// A body on its way from a connection, which must not wait, to a door, which may.
///
/// At most ``window`` bytes are between them: the connection is not read any further until the door has
/// taken some.
final class BodyPipe: RequestBytes, Sendable {
    private static let window = 1024 * 1024

    private struct State {
        var pieces: [[UInt8]] = []
        /// Bytes in `pieces`.
        var waiting = 0
        var end: Result<Void, any Error>?
        /// The door wants no more.
        var isClosed = false
        /// The connection, while there is no room.
        var sender: CheckedContinuation<Bool, Never>?
    }

    private let state = Monitor(State())

    // MARK: The door's side

    func next() throws -> ArraySlice<UInt8>? {
        let (piece, sender) = try state.wait {
            state throws -> Monitor<State>.Outcome<([UInt8]?, CheckedContinuation<Bool, Never>?)> in
            if !state.pieces.isEmpty {
                let piece = state.pieces.removeFirst()
                state.waiting -= piece.count
                guard state.waiting < Self.window else { return .done((piece, nil)) }
                defer { state.sender = nil }
                return .done((piece, state.sender))
            }
            guard let end = state.end else { return .waiting }
            try end.get()
            return .done((nil, nil))
        }
        sender?.resume(returning: true)
        return piece?[...]
    }

    /// The door is done with the body, read or not.
    ///
    /// - Returns: whether it had all of it.
    @discardableResult
    func close() -> Bool {
        let (isWhole, sender) = state.with { state in
            state.isClosed = true
            defer { state.sender = nil }
            let isWhole = if case .success? = state.end { state.pieces.isEmpty } else { false }
            state.pieces = []
            state.waiting = 0
            return (isWhole, state.sender)
        }
        sender?.resume(returning: false)
        return isWhole
    }

    // MARK: The connection's side

    /// Gives everything that comes to the door, until the end or until the door wants no more.
    ///
    /// - Parameter length: what the head says of the length; another one is a break.
    func feed<Body: AsyncSequence>(_ body: Body, length: Int64?) async
    where Body.Element == ByteBuffer {
        var received: Int64 = 0
        do {
            for try await buffer in body {
                received += Int64(buffer.readableBytes)
                guard buffer.readableBytes > 0 else { continue }
                guard await push(Array(buffer.readableBytesView)) else { return }
            }
            end(length == nil || length == received ? .success(()) : .failure(RequestBodyError.brokenOff))
        } catch {
            end(.failure(RequestBodyError.brokenOff))
        }
    }

    /// - Returns: `false` if the door wants no more.
    private func push(_ piece: [UInt8]) async -> Bool {
        await withCheckedContinuation { continuation in
            let answer: Bool? = state.with { state in
                if state.isClosed { return false }
                state.pieces.append(piece)
                state.waiting += piece.count
                if state.waiting < Self.window { return true }
                state.sender = continuation
                return nil
            }
            state.signalAll()
            if let answer { continuation.resume(returning: answer) }
        }
    }

    private func end(_ result: Result<Void, any Error>) {
        state.with { $0.end = result }
        state.signalAll()
    }
}
