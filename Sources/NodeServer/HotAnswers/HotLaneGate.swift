import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Puts a ``HotLane`` in front of the codec of HTTP/1, and tells it what the codec sees.
final class HotLaneGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let makeLane: (any Channel) -> HotLane
    private var lane: HotLane?

    init(makeLane: @escaping (any Channel) -> HotLane) { self.makeLane = makeLane }

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        guard let encoder = try? pipeline.handler(type: HTTPResponseEncoder.self) else { return }
        let lane = makeLane(context.channel)
        guard (try? pipeline.addHandler(lane, position: .before(encoder))) != nil else { return }
        self.lane = lane
    }

    func handlerRemoved(context: ChannelHandlerContext) { lane = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            lane?.sawHead()
            if head.headerFields.contains(.upgrade) || Self.closes(head.headerFields) { lane?.leave() }
        case .body: break
        case .end: lane?.sawEnd()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): if Self.closes(head.headerFields) { lane?.leave() }
        case .body: break
        case .end: lane?.answered()
        }
        context.write(data, promise: promise)
    }

    private static func closes(_ fields: HTTPFields) -> Bool {
        fields[values: .connection].contains { $0.lowercased().contains("close") }
    }
}
