import NIOCore
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP2

/// Says how an HTTP/2 stream ended: an answer that came before the end of its request is whole, one that
/// was broken off is not.
///
/// Spec: RFC 9113 section 8.1.
final class StreamEndHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var hasReceivedEnd = false
    private var hasSentHead = false
    private var hasSentEnd = false
    private var hasReset = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .end = unwrapInboundIn(data) { hasReceivedEnd = true }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head: hasSentHead = true
        case .body: break
        case .end: hasSentEnd = true
        }
        context.write(data, promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .all, !hasReset, context.channel.isActive {
            hasReset = true
            if hasSentEnd {
                if !hasReceivedEnd { reset(context, .noError) }
            } else {
                reset(context, hasSentHead ? .internalError : .cancel)
            }
        }
        context.close(mode: mode, promise: promise)
    }

    private func reset(_ context: ChannelHandlerContext, _ code: HTTP2ErrorCode) {
        context.triggerUserOutboundEvent(NIOHTTP2FramePayloadToHTTPEvent.reset(code: code), promise: nil)
    }
}
