import NIOCore
import Synchronization

/// What a stop waits for: connections that are open, and requests that are worked on.
final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var requests = 0
        /// New connections are cut at once.
        var isOver = false
        /// Somebody was cut off.
        var isCut = false
        /// When a stop began, and how many requests have ended since.
        var stop: (begin: ContinuousClock.Instant, ended: Int)?
        var waiting: CheckedContinuation<Void, Never>?

        mutating func drained() -> CheckedContinuation<Void, Never>? {
            guard channels.isEmpty, requests == 0 else { return nil }
            defer { waiting = nil }
            return waiting
        }
    }

    private let state = Mutex(State())
    /// Bytes of bodies that are in memory because their clients have not taken them.
    let waitingBytes = Atomic<Int>(0)

    /// Counts a connection until it is closed.
    func add(_ channel: any Channel) {
        let isOver = state.withLock { state in
            state.channels[ObjectIdentifier(channel)] = channel
            return state.isOver
        }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { state in
                state.channels[ObjectIdentifier(channel)] = nil
                return state.drained()
            }?.resume()
        }
        if isOver { Self.cut(channel) }
    }

    func beginRequest() { state.withLock { $0.requests += 1 } }

    func endRequest() {
        state.withLock { state in
            state.requests -= 1
            state.stop?.ended += 1
            return state.drained()
        }?.resume()
    }

    /// Waits until nothing is open and nothing is worked on. A cancelled task waits for nobody's reading:
    /// it cuts all connections.
    func drain() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    state.waiting = continuation
                    return state.drained()
                }?.resume()
            }
        } onCancel: {
            let channels = state.withLock { state in
                state.isOver = true
                state.isCut = state.isCut || !state.channels.isEmpty
                return Array(state.channels.values)
            }
            for channel in channels { Self.cut(channel) }
        }
    }

    /// The node is asked to stop: what ends from here on is counted.
    func beginStop() { state.withLock { $0.stop = $0.stop ?? (ContinuousClock.now, 0) } }

    /// How a stop went.
    struct Farewell: Sendable {
        /// Whether nobody was cut off.
        let isGraceful: Bool
        /// Requests that were under way when it began and were answered.
        let finished: Int
        let duration: Duration
    }

    /// To be called when it is over; `nil` if nobody asked for it.
    var farewell: Farewell? {
        state.withLock { state in
            state.stop.map {
                Farewell(
                    isGraceful: !state.isCut, finished: $0.ended, duration: ContinuousClock.now - $0.begin)
            }
        }
    }

    private static func cut(_ channel: any Channel) {
        channel.pipeline.fireUserInboundEventTriggered(ConnectionCut())
        channel.close(promise: nil)
    }
}

/// Tells the handlers of a connection that it is closed whatever still waits for its client.
struct ConnectionCut: Sendable {}
