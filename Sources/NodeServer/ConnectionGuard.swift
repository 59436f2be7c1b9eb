import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes connections on which nothing goes on: headers that come drop by drop, bodies that stop, clients
/// that do not read.
///
/// Lives on the event loop of its connection. What is measured is progress, not duration: a slow client
/// that goes on is served to the end.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What is waited for, and how long.
    struct Limits: Sendable {
        /// From the connection to the end of the first header.
        var header: TimeAmount
        /// Between two looks at a body, in which ``bodyBytes`` must come.
        var body: TimeAmount
        var bodyBytes: Int
        /// Without any write being taken by the client.
        var write: TimeAmount
    }

    private let limits: Limits
    private let onDrop: @Sendable (String) -> Void
    private var deadline: Scheduled<Void>?
    private var bodyCheck: Scheduled<Void>?
    private var receivedBytes = 0
    private var writeCheck: Scheduled<Void>?
    private var outstanding = 0
    private var completed = 0

    /// - Parameter onDrop: is told why a connection was closed.
    init(limits: Limits, onDrop: @escaping @Sendable (String) -> Void) {
        self.limits = limits
        self.onDrop = onDrop
    }

    func handlerAdded(context: ChannelHandlerContext) {
        deadline = schedule(context, after: limits.header) { guardian, context in
            guardian.drop(context, "header")
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancelAll() }

    func channelInactive(context: ChannelHandlerContext) {
        cancelAll()
        context.fireChannelInactive()
    }

    // MARK: What comes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            deadline?.cancel()
            deadline = nil
            receivedBytes = 0
            bodyCheck?.cancel()
            watchBody(context)
        case .body(let buffer): receivedBytes += buffer.readableBytes
        case .end:
            bodyCheck?.cancel()
            bodyCheck = nil
        }
        context.fireChannelRead(data)
    }

    private func watchBody(_ context: ChannelHandlerContext) {
        bodyCheck = schedule(context, after: limits.body) { guardian, context in
            // A body that we do not read, because its door is busy, is not the client's fault.
            guard guardian.receivedBytes >= guardian.limits.bodyBytes || guardian.outstanding > 0 else {
                return guardian.drop(context, "body")
            }
            guardian.receivedBytes = 0
            guardian.watchBody(context)
        }
    }

    // MARK: What goes

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        outstanding += 1
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { _ in
            bound.value.outstanding -= 1
            bound.value.completed += 1
        }
        if writeCheck == nil { watchWrites(context) }
        context.write(data, promise: promise)
    }

    private func watchWrites(_ context: ChannelHandlerContext) {
        let before = completed
        writeCheck = schedule(context, after: limits.write) { guardian, context in
            guardian.writeCheck = nil
            guard guardian.outstanding > 0 else { return }
            guard guardian.completed != before else { return guardian.drop(context, "write") }
            guardian.watchWrites(context)
        }
    }

    // MARK: Deadlines

    private func schedule(
        _ context: ChannelHandlerContext, after delay: TimeAmount,
        _ body: @escaping (ConnectionGuard, ChannelHandlerContext) -> Void
    ) -> Scheduled<Void> {
        let bound = NIOLoopBound((self, context, body), eventLoop: context.eventLoop)
        return context.eventLoop.scheduleTask(in: delay) {
            let (guardian, context, body) = bound.value
            body(guardian, context)
        }
    }

    private func drop(_ context: ChannelHandlerContext, _ reason: String) {
        cancelAll()
        onDrop(reason)
        // Nothing that waits for this client may hold the close back.
        context.channel.pipeline.close(mode: .all, promise: nil)
        context.close(promise: nil)
    }

    private func cancelAll() {
        for task in [deadline, bodyCheck, writeCheck] { task?.cancel() }
        (deadline, bodyCheck, writeCheck) = (nil, nil, nil)
    }
}
