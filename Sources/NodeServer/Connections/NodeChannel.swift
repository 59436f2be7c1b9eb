import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOHTTPTypesHTTP2
import NIOSSL
import NIOTLS

/// A connection from its acceptance to its end: counted, TLS if there is a certificate, then HTTP/1.1 or
/// HTTP/2, by ALPN or by what the client begins with.
///
/// Each request of either protocol goes to the same responder behind the same guard.
struct NodeChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        let channel: any Channel
    }

    let settings: CurrentSettings
    let identity: TLSIdentity?
    let cap: ConnectionCap
    let metrics: Metrics
    let connections: OpenConnections
    /// In front of the responder on every HTTP/1.1 connection, behind the guard.
    let http1Handlers: @Sendable () -> [any RemovableChannelHandler]
    let responder: RequestHandler.Responder

    // MARK: Opening

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        return channel.eventLoop.makeCompletedFuture {
            let opening = OpeningHandler(expectsTLS: identity != nil) { context in
                take(context.channel, promise)
            } onDecision: { opening, context in
                open(context.channel, as: opening, promise)
            } onClose: {
                promise.fail(ChannelError.inputClosed)
            }
            try channel.syncOptions?.setOption(.recvAllocator, value: Self.receiveBuffers)
            try channel.pipeline.syncOperations.addHandler(opening)
            return Value(channel: channel)
        }
    }

    /// Counts a connection as soon as it is there.
    ///
    /// - Returns: whether it is taken.
    private func take(_ channel: any Channel, _ promise: EventLoopPromise<Void>) -> Bool {
        let settings = settings.value
        let options = settings.options
        let address = channel.remoteAddress?.ipAddress ?? ""
        let limits = ConnectionCap.Limits(
            overall: settings.maximumConnections, perAddress: options.maximumConnectionsPerAddress,
            exempt: settings.proxies)
        if let refusal = cap.enter(address, limits) {
            metrics.add(
                "nacre_http_connections_refused_total",
                ["reason": refusal == .overall ? "overall" : "address"])
            promise.succeed()
            refuse(channel, refusal)
            return false
        }
        channel.closeFuture.whenComplete { [cap] _ in cap.leave(address) }
        connections.add(channel)
        // Whoever connects and says nothing, or never ends its handshake.
        let deadline = channel.eventLoop.scheduleTask(in: .seconds(options.headerSeconds)) { [metrics] in
            metrics.add("nacre_http_dropped_total", ["reason": "opening"])
            channel.close(promise: nil)
        }
        promise.futureResult.whenComplete { _ in deadline.cancel() }
        return true
    }

    /// - Returns: done when what was read so far may be handed on.
    private func open(
        _ channel: any Channel, as opening: OpeningHandler.Opening, _ promise: EventLoopPromise<Void>
    ) -> EventLoopFuture<Void> {
        switch opening {
        case .http1: return speakHTTP1(channel, promise)
        case .http2: return speakHTTP2(channel, promise)
        case .tls: return negotiate(channel, promise)
        case .tlsInsteadOfHTTP:
            metrics.add("nacre_http_dropped_total", ["reason": "tls-without-certificate"])
            promise.succeed()
            return channel.close()
        case .httpInsteadOfTLS:
            metrics.add("nacre_http_dropped_total", ["reason": "http-instead-of-tls"])
            promise.succeed()
            return say("400 Bad Request", "this port speaks HTTPS: use https://", on: channel)
        }
    }

    private func negotiate(
        _ channel: any Channel, _ promise: EventLoopPromise<Void>
    ) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            guard let identity else { throw ChannelError.operationUnsupported }
            let end = HandshakeEnd()
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Void> { result, channel in
                // It is on its event loop, and in place until now.
                channel.pipeline.syncOperations.removeHandler(end, promise: nil)
                // Without ALPN the client is one of HTTP/1.1.
                if case .negotiated("h2") = result { return speakHTTP2(channel, promise) }
                return speakHTTP1(channel, promise)
            }
            let operations = channel.pipeline.syncOperations
            try operations.addHandler(NIOSSLServerHandler(context: identity.context))
            try operations.addHandler(negotiation)
            try operations.addHandler(end)
            negotiation.protocolNegotiationResult.whenFailure { error in
                metrics.add("nacre_http_dropped_total", ["reason": "handshake"])
                promise.fail(error)
            }
        }
    }

    private func speakHTTP1(_ channel: any Channel, _ promise: EventLoopPromise<Void>) -> EventLoopFuture<
        Void
    > {
        let options = settings.value.options
        let maximum = options.maximumHeaderBytes
        let future = channel.eventLoop.makeCompletedFuture {
            let operations = channel.pipeline.syncOperations
            try operations.addHandler(TunnelHandler(maximumBytes: maximum))
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderListSize = maximum
            limits.maxHeaderFieldSize = maximum
            // Requests are answered one after the other by the last handler, which says as well what was
            // wrong.
            try operations.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false,
                withOutboundHeaderValidation: false, withEncoderConfiguration: .init(),
                withDecoderLimitConfiguration: limits)
            try operations.addHandlers([
                BodilessAnswers(), OldClients(), HostCheck(), HTTP1ToHTTPServerCodec(secure: false),
                HeaderRefusal(),
                connectionGuard(options, idle: .seconds(options.idleSeconds)), LosslessCloseHandler(),
            ])
            try operations.addHandlers(http1Handlers())
            try operations.addHandler(requestHandler(isMultiplexed: false))
        }
        promise.completeWith(future)
        return future
    }

    private func speakHTTP2(_ channel: any Channel, _ promise: EventLoopPromise<Void>) -> EventLoopFuture<
        Void
    > {
        let options = settings.value.options
        let future = channel.eventLoop.makeCompletedFuture {
            let lifetime = HTTP2Lifetime(idleTime: .seconds(options.idleSeconds))
            let operations = channel.pipeline.syncOperations
            let configuration = Self.http2Configuration(options)
            _ = try operations.configureHTTP2Pipeline(
                mode: .server, connectionConfiguration: configuration.connection,
                streamConfiguration: configuration.stream,
                streamDelegate: HTTP2Lifetime.Streams(lifetime, eventLoop: channel.eventLoop)
            ) { stream in
                stream.eventLoop.makeCompletedFuture {
                    try stream.pipeline.syncOperations.addHandlers([
                        HTTP2FramePayloadToHTTPServerCodec(), StreamEndHandler(),
                        connectionGuard(options, idle: nil), LosslessCloseHandler(),
                        requestHandler(isMultiplexed: true),
                    ])
                }
            }
            try operations.addHandler(lifetime)
        }
        promise.completeWith(future)
        return future
    }

    private func requestHandler(isMultiplexed: Bool) -> RequestHandler {
        let carrier = RequestHandler.Carrier(
            scheme: identity == nil ? "http" : "https", isMultiplexed: isMultiplexed)
        return RequestHandler(carrier: carrier, open: connections, responder: responder)
    }

    /// Small at first: what most clients ask for fits, and each connection keeps one while it is idle.
    private static let receiveBuffers = AdaptiveRecvByteBufferAllocator(
        minimum: 256, initial: 512, maximum: 64 * 1024)

    /// Limits of frames that cost their sender nothing: resets, empty frames, pings, settings and headers
    /// in many pieces are counted by the library, whose defaults for them are kept.
    private static func http2Configuration(_ options: ServerOptions) -> NIOHTTP2Handler.Configuration {
        var configuration = NIOHTTP2Handler.Configuration()
        configuration.connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: options.maximumStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: options.maximumHeaderBytes),
        ]
        configuration.connection.targetWindowSize = uploadWindowBytes
        configuration.stream.targetWindowSize = uploadWindowBytes
        configuration.stream.outboundBufferSizeHighWatermark = 128 * 1024
        configuration.stream.outboundBufferSizeLowWatermark = 64 * 1024
        return configuration
    }

    /// What one stream, and one connection, may send before it is read.
    private static let uploadWindowBytes = 512 * 1024

    private func connectionGuard(_ options: ServerOptions, idle: TimeAmount?) -> ConnectionGuard {
        ConnectionGuard(limits: ConnectionGuard.Limits(options, idle: idle), connections: connections) {
            [metrics] in
            metrics.add("nacre_http_dropped_total", ["reason": $0])
        }
    }

    // MARK: Refusals before anything was asked

    private func refuse(_ channel: any Channel, _ refusal: ConnectionCap.Refusal) {
        // TLS would have to be spoken to say why.
        guard identity == nil, cap.mayLinger() else { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { [cap] _ in cap.endLingering() }
        let said =
            switch refusal {
            case .overall: say("503 Service Unavailable", "the node has too many connections", on: channel)
            case .address: say("429 Too Many Requests", "this address has too many connections", on: channel)
            }
        // Whoever cannot be told is gone.
        said.whenFailure { _ in channel.close(promise: nil) }
    }

    /// Says something to a client whose request is not read, and closes.
    private func say(_ status: String, _ text: String, on channel: any Channel) -> EventLoopFuture<Void> {
        let body = text + "\n"
        let answer =
            "HTTP/1.1 \(status)\r\nContent-Type: text/plain; charset=utf-8\r\n"
            + "Content-Length: \(body.utf8.count)\r\nRetry-After: 1\r\nConnection: close\r\n\r\n\(body)"
        channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
        return channel.writeAndFlush(ByteBuffer(string: answer)).flatMap {
            // A close with bytes unread would take the answer back before it is seen.
            channel.close(mode: .output)
        }
    }

    /// The handlers do everything.
    func handle(value: Value, logger: Logger) async {}
}
