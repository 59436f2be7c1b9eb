import NIOCore
import Synchronization

/// What a stop waits for: connections that are open, and requests that are worked on.
final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var requests = 0
        var isCut = false
        var waiting: CheckedContinuation<Void, Never>?

        mutating func drained() -> CheckedContinuation<Void, Never>? {
            guard channels.isEmpty, requests == 0 else { return nil }
            defer { waiting = nil }
            return waiting
        }
    }

    private let state = Mutex(State())

    /// Counts a connection until it is closed.
    func add(_ channel: any Channel) {
        let isCut = state.withLock { state in
            state.channels[ObjectIdentifier(channel)] = channel
            return state.isCut
        }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { state in
                state.channels[ObjectIdentifier(channel)] = nil
                return state.drained()
            }?.resume()
        }
        if isCut { Self.cut(channel) }
    }

    func beginRequest() { state.withLock { $0.requests += 1 } }

    func endRequest() {
        state.withLock { state in
            state.requests -= 1
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
                state.isCut = true
                return Array(state.channels.values)
            }
            for channel in channels { Self.cut(channel) }
        }
    }

    private static func cut(_ channel: any Channel) {
        channel.pipeline.fireUserInboundEventTriggered(ConnectionCut())
        channel.close(promise: nil)
    }
}

/// Tells the handlers of a connection that it is closed whatever still waits for its client.
struct ConnectionCut: Sendable {}
