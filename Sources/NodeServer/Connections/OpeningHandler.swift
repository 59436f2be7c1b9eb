import NIOCore
import NIOHTTP2

/// Looks at the first bytes of a connection, to tell what the client speaks.
///
/// Without TLS that is HTTP/1.1, or HTTP/2 when its preface comes (prior knowledge). Whoever speaks TLS to
/// a port without it, or HTTP to a port with it, is told apart at once and not after a timeout.
final class OpeningHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// What the first bytes are.
    enum Opening: Sendable {
        case http1
        case http2
        case tls
        /// Plain HTTP where TLS is spoken.
        case httpInsteadOfTLS
        /// TLS where none is spoken.
        case tlsInsteadOfHTTP
    }

    private let expectsTLS: Bool
    private let onActive: (ChannelHandlerContext) -> Bool
    private let onDecision: (Opening, ChannelHandlerContext) -> EventLoopFuture<Void>
    private let onClose: () -> Void
    private var received = ByteBuffer()
    private var isDecided = false

    /// - Parameters:
    ///   - onActive: the connection is there; whether it is taken.
    ///   - onDecision: puts the handlers in that go on; what was read is given to them afterwards.
    ///   - onClose: the client left before anything could be told.
    init(
        expectsTLS: Bool, onActive: @escaping (ChannelHandlerContext) -> Bool,
        onDecision: @escaping (Opening, ChannelHandlerContext) -> EventLoopFuture<Void>,
        onClose: @escaping () -> Void
    ) {
        self.expectsTLS = expectsTLS
        self.onActive = onActive
        self.onDecision = onDecision
        self.onClose = onClose
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { isDecided = !onActive(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        isDecided = !onActive(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Of a connection that was refused nothing is read.
        guard !isDecided else { return }
        var bytes = unwrapInboundIn(data)
        if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
        guard let opening = Self.opening(of: received, expectsTLS: expectsTLS) else { return }
        isDecided = true
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        onDecision(opening, context).whenComplete { result in
            let (handler, context) = bound.value
            guard case .success = result else { return context.close(promise: nil) }
            handler.passOn(context)
        }
    }

    private func passOn(_ context: ChannelHandlerContext) {
        let bytes = received
        received = ByteBuffer()
        context.fireChannelRead(wrapInboundOut(bytes))
        context.fireChannelReadComplete()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    // A connection that is accepted in the moment of a stop goes without ever having been active.
    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func end() {
        guard !isDecided else { return }
        isDecided = true
        onClose()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Nothing was asked, so that nothing waits to be answered; nor does anybody else know this
        // connection while the node stops.
        if !isDecided, event is ChannelShouldQuiesceEvent || event as? ChannelEvent == .inputClosed {
            return context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// - Returns: `nil` while it can be more than one thing.
    static func opening(of bytes: ByteBuffer, expectsTLS: Bool) -> Opening? {
        guard let first = bytes.readableBytesView.first else { return nil }
        if expectsTLS { return first == handshake ? .tls : .httpInsteadOfTLS }
        if first == handshake { return .tlsInsteadOfHTTP }
        guard bytes.readableBytesView.elementsEqual(preface.prefix(bytes.readableBytes).prefix(preface.count))
        else {
            return bytes.readableBytesView.starts(with: preface) ? .http2 : .http1
        }
        return bytes.readableBytes >= preface.count ? .http2 : nil
    }

    /// The type of the TLS record that begins a handshake. Spec: RFC 8446 section 5.1.
    private static let handshake: UInt8 = 0x16
    /// Spec: RFC 9113 section 3.4.
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
}
