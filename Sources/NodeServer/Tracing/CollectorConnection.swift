import NIOCore
import NIOHTTP1
import NIOPosix
import NodeCore

/// One request to a collector, over a connection of its own.
///
/// Only the status of the answer is read: a collector cannot fill memory with what it says.
struct CollectorConnection {
    private let collector: CollectorURL
    private let timeout: TimeAmount

    init(to collector: CollectorURL, timeout: TimeAmount) {
        self.collector = collector
        self.timeout = timeout
    }

    /// - Returns: the status of the answer.
    func post(_ body: String, on loop: any EventLoop) async throws -> Int {
        let status = loop.makePromise(of: Int.self)
        do {
            let channel = try await ClientBootstrap(group: loop)
                .connectTimeout(timeout)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let operations = channel.pipeline.syncOperations
                        try operations.addHTTPClientHandlers()
                        try operations.addHandler(StatusHandler(status))
                    }
                }
                .connect(host: collector.host, port: collector.port).get()
            let deadline = loop.scheduleTask(in: timeout) { channel.close(promise: nil) }
            defer {
                deadline.cancel()
                channel.close(promise: nil)
            }
            var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: collector.path)
            head.headers = [
                "Host": "\(collector.host):\(collector.port)", "Content-Type": "application/json",
                "Content-Length": String(body.utf8.count), "Connection": "close",
            ]
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            channel.write(
                HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(string: body))), promise: nil)
            channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
            return try await status.futureResult.get()
        } catch {
            status.fail(error)
            throw error
        }
    }
}

/// Why spans could not be sent.
enum CollectorError: Error, Equatable, CustomStringConvertible {
    case refused(status: Int)
    case closed

    var description: String {
        switch self {
        case .refused(let status): "the collector answered \(status)"
        case .closed: "the collector closed the connection, or did not answer in time"
        }
    }
}

/// Takes the status of an answer and drops the rest.
private final class StatusHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let status: EventLoopPromise<Int>

    init(_ status: EventLoopPromise<Int>) { self.status = status }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data) { status.succeed(Int(head.status.code)) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        status.fail(CollectorError.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        status.fail(error)
        context.close(promise: nil)
    }
}
