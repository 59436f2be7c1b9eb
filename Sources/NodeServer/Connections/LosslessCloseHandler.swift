import NIOCore
import NIOHTTPTypes

/// Holds a close back until the end of the last answer is on its way to the client.
///
/// A graceful stop closes a connection as soon as its answer was made, which is before it was sent: what
/// still waits for the socket would be lost.
final class LosslessCloseHandler: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var lastEnd: EventLoopFuture<Void>?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        lastEnd = promise.futureResult
        context.write(data, promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all, let end = lastEnd else { return context.close(mode: mode, promise: promise) }
        lastEnd = nil
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        end.whenComplete { _ in bound.value.close(mode: mode, promise: promise) }
    }
}
