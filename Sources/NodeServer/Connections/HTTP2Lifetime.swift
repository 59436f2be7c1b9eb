import NIOCore
import NIOHTTP2

/// Ends an HTTP/2 connection on which nothing goes on, and one of a node that stops once the answers that
/// are on their way are finished.
///
/// Lives on the event loop of its connection.
final class HTTP2Lifetime: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let idleTime: TimeAmount
    private var context: ChannelHandlerContext?
    private var openStreams: Set<HTTP2StreamID> = []
    private var lastStream = HTTP2StreamID.rootStream
    private var idle: Scheduled<Void>?
    private var isLeaving = false

    init(idleTime: TimeAmount) { self.idleTime = idleTime }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        watchIdleness()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        idle?.cancel()
        self.context = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: leave()
        // Answers go on being sent to a client that has only finished sending; without any there is nothing
        // to wait for.
        case let event as ChannelEvent where event == .inputClosed: leave()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Errors of one stream are the stream's; what comes here is of the connection.
        if error is NIOHTTP2Errors.StreamError { return }
        context.close(promise: nil)
    }

    private func created(_ stream: HTTP2StreamID) {
        openStreams.insert(stream)
        lastStream = max(lastStream, stream)
        idle?.cancel()
        idle = nil
    }

    private func closed(_ stream: HTTP2StreamID) {
        openStreams.remove(stream)
        guard openStreams.isEmpty else { return }
        if isLeaving { finish() } else { watchIdleness() }
    }

    private func watchIdleness() {
        guard let context else { return }
        idle?.cancel()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        idle = context.eventLoop.scheduleTask(in: idleTime) { bound.value.leave() }
    }

    /// Takes no further streams. Spec: RFC 9113 section 6.8.
    private func leave() {
        guard let context, !isLeaving else { return }
        isLeaving = true
        write(context, promise: nil)
        if openStreams.isEmpty { finish() }
    }

    /// Closes behind everything that waits for the socket.
    private func finish() {
        guard let context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in bound.value.close(promise: nil) }
        write(context, promise: written)
    }

    private func write(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        let farewell = HTTP2Frame(
            streamID: .rootStream,
            payload: .goAway(lastStreamID: lastStream, errorCode: .noError, opaqueData: nil))
        context.writeAndFlush(wrapOutboundOut(farewell), promise: promise)
    }

    /// Tells the handler of streams, wherever they begin and end.
    struct Streams: NIOHTTP2StreamDelegate {
        private let handler: NIOLoopBound<HTTP2Lifetime>

        /// To be called on the event loop.
        init(_ handler: HTTP2Lifetime, eventLoop: any EventLoop) {
            self.handler = NIOLoopBound(handler, eventLoop: eventLoop)
        }

        func streamCreated(_ id: HTTP2StreamID, channel: any Channel) {
            tell(channel) { $0.created(id) }
        }

        func streamClosed(_ id: HTTP2StreamID, channel: any Channel) {
            tell(channel) { $0.closed(id) }
        }

        private func tell(_ channel: any Channel, _ what: @escaping @Sendable (HTTP2Lifetime) -> Void) {
            let handler = handler
            if channel.eventLoop.inEventLoop {
                what(handler.value)
            } else {
                channel.eventLoop.execute { what(handler.value) }
            }
        }
    }
}
