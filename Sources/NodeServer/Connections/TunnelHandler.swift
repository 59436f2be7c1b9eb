import NIOCore

/// Answers a `CONNECT` at the beginning of a connection, and hands everything behind it on as if it had come
/// first.
///
/// A client that takes the node for its HTTP proxy so asks for `CID.ipfs.HOST`: the tunnel ends here, whatever
/// it asks for, and its requests are answered by their `Host`. Nothing is ever connected to.
final class TunnelHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let maximumBytes: Int
    private var received = ByteBuffer()
    private var isDone = false

    /// - Parameter maximumBytes: of the request with its fields; a longer one closes the connection.
    init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return context.fireChannelRead(data) }
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        let view = received.readableBytesView
        guard view.elementsEqual(Self.method.prefix(view.count)) || view.starts(with: Self.method) else {
            return finish(context)
        }
        guard let end = Self.endOfFields(view) else {
            if received.readableBytes > maximumBytes { context.close(promise: nil) }
            return
        }
        received.moveReaderIndex(forwardBy: end)
        let answer = ByteBuffer(string: "HTTP/1.1 200 Connection established\r\n\r\n")
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        finish(context)
    }

    private func finish(_ context: ChannelHandlerContext) {
        isDone = true
        if received.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(received)) }
        received = ByteBuffer()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    /// How many bytes the request has with its empty line; `nil` if that has not come.
    static func endOfFields(_ bytes: ByteBufferView) -> Int? {
        var matched = 0
        for (offset, byte) in bytes.enumerated() {
            matched = byte == Self.end[matched] ? matched + 1 : (byte == Self.end[0] ? 1 : 0)
            if matched == Self.end.count { return offset + 1 }
        }
        return nil
    }

    private static let method = Array("CONNECT ".utf8)
    private static let end = Array("\r\n\r\n".utf8)
}
