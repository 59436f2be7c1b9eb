import Synchronization

/// A few pieces of memory that threads borrow for a moment: however many threads read, they need no more.
///
/// A piece is made when it is first needed, and kept.
final class ScratchMemory: Sendable {
    private struct State {
        var idle: [UnsafeMutableRawBufferPointer] = []
        var unmade: Int
    }

    private let bytes: Int
    private let state: Monitor<State>

    /// - Parameters:
    ///   - pieces: how many threads can have one at the same time; the next one waits.
    ///   - bytes: of each piece.
    init(pieces: Int, bytes: Int) {
        self.bytes = bytes
        state = Monitor(State(unmade: max(1, pieces)))
    }

    deinit { state.with { state in for piece in state.idle { piece.deallocate() } } }

    /// Gives a piece of memory to `body`, for the time of the call.
    func borrow<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
        let memory = state.wait { state -> Monitor<State>.Outcome<UnsafeMutableRawBufferPointer> in
            if let piece = state.idle.popLast() { return .done(piece) }
            guard state.unmade > 0 else { return .waiting }
            state.unmade -= 1
            return .done(.allocate(byteCount: bytes, alignment: 4096))
        }
        defer {
            state.with { $0.idle.append(memory) }
            state.signalOne()
        }
        return try body(memory)
    }
}
