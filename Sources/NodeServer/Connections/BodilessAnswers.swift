import NIOCore
import NIOHTTP1

/// Lets a connection go on behind the answer to a HEAD whose length is not known.
///
/// Its head says `Transfer-Encoding: chunked`, as that of the GET would; the codec does not know that it is
/// for a HEAD, and would send the end of the chunks, which the client would take for the next answer.
/// Stands next to the codec of bytes. Spec: RFC 9112, sections 6.1 and 6.3.
final class BodilessAnswers: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Says, before the head of an answer, that neither a body nor the end of one follows it.
    struct Announcement: Sendable {}

    private var isBodiless = false

    func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard event is Announcement else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        isBodiless = true
        promise?.succeed()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isBodiless, case .end = unwrapOutboundIn(data) else {
            return context.write(data, promise: promise)
        }
        isBodiless = false
        promise?.succeed()
    }
}
