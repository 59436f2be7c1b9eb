import BlockStorage
import Foundation
import HTTPSupport
import NodeCore

/// A body that somebody pushes on a thread of its own, while the client pulls it: at most a few pieces are
/// between them.
final class PushedBody: BodyStream, Sendable {
    private static let piecesBetween = 4
    private static let pieceBytes = 256 * 1024

    private struct State {
        var pieces: [[UInt8]] = []
        var isStarted = false
        var end: Result<Void, any Error>?
    }

    /// Is held by the thread that pushes, so that the body itself can go when the client does.
    private final class Pipe: Sendable {
        let state = Monitor(State())
        let cancellation = Cancellation()
    }

    private let pipe = Pipe()
    private let produce: @Sendable (Cancellation, (UnsafeRawBufferPointer) throws -> Void) throws -> Void

    /// - Parameter produce: writes everything to the sink, which waits while the client does, and throws
    ///   `CancelledError` once the client is gone.
    init(
        _ produce: @escaping @Sendable (Cancellation, (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) {
        self.produce = produce
    }

    deinit {
        pipe.cancellation.cancel()
        pipe.state.signalAll()
    }

    func next() throws -> BodyPiece? {
        start()
        let piece = try pipe.state.wait { state throws -> Monitor<State>.Outcome<[UInt8]?> in
            if !state.pieces.isEmpty { return .done(state.pieces.removeFirst()) }
            if let end = state.end {
                try end.get()
                return .done(nil)
            }
            return .waiting
        }
        pipe.state.signalAll()
        return piece.map { .bytes($0[...]) }
    }

    private func start() {
        let isFirst = pipe.state.with { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
        guard isFirst else { return }
        let (pipe, produce) = (pipe, produce)
        let thread = Thread {
            let end = Result {
                var waiting: [UInt8] = []
                try produce(pipe.cancellation) { bytes in
                    waiting.append(contentsOf: bytes)
                    guard waiting.count >= Self.pieceBytes else { return }
                    try Self.push(&waiting, pipe)
                }
                if !waiting.isEmpty { try Self.push(&waiting, pipe) }
            }
            pipe.state.with { $0.end = end }
            pipe.state.signalAll()
        }
        thread.name = "nacre-body"
        thread.stackSize = 1 << 20
        thread.start()
    }

    private static func push(_ bytes: inout [UInt8], _ pipe: Pipe) throws {
        let piece = bytes
        try pipe.state.wait { state throws -> Monitor<State>.Outcome<Void> in
            try pipe.cancellation.check()
            guard state.pieces.count < piecesBetween else { return .waiting }
            state.pieces.append(piece)
            return .done(())
        }
        bytes.removeAll(keepingCapacity: true)
        pipe.state.signalAll()
    }
}
