import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
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
    typealias Stream = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    /// Answers one request. The last argument says how it came.
    typealias Responder =
        @Sendable (Request, consuming ResponseWriter, any Channel, Carrier) async throws -> Void

    /// How a request came.
    struct Carrier: Sendable {
        /// `http` or `https`: what the connection is, whatever the client says.
        let scheme: String
        /// Whether other requests share the connection: then a stream is ended, never the connection.
        let isMultiplexed: Bool
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let opened: EventLoopFuture<Opened>
    }

    /// What a connection turned out to be.
    enum Opened: Sendable {
        case http1(Stream)
        case http2(NIOHTTP2Handler.AsyncStreamMultiplexer<Stream>)
        /// Answered or closed already.
        case refused
    }

    let settings: CurrentSettings
    let identity: TLSIdentity?
    let cap: ConnectionCap
    let metrics: Metrics
    /// In front of the responder on every HTTP/1.1 connection, behind the guard.
    let http1Handlers: @Sendable () -> [any RemovableChannelHandler]
    let responder: Responder

    private var carrier: Carrier { Carrier(scheme: identity == nil ? "http" : "https", isMultiplexed: false) }

    // MARK: Opening

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let promise = channel.eventLoop.makePromise(of: Opened.self)
        return channel.eventLoop.makeCompletedFuture {
            let opening = OpeningHandler(expectsTLS: identity != nil) { context in
                take(context.channel, promise)
            } onDecision: { opening, context in
                open(context.channel, as: opening, promise, logger)
            } onClose: {
                promise.fail(ChannelError.inputClosed)
            }
            try channel.pipeline.syncOperations.addHandler(opening)
            return Value(channel: channel, opened: promise.futureResult)
        }
    }

    /// Counts a connection as soon as it is there.
    ///
    /// - Returns: whether it is taken.
    private func take(_ channel: any Channel, _ promise: EventLoopPromise<Opened>) -> Bool {
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
            promise.succeed(.refused)
            refuse(channel, refusal)
            return false
        }
        channel.closeFuture.whenComplete { [cap] _ in cap.leave(address) }
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
        _ channel: any Channel, as opening: OpeningHandler.Opening, _ promise: EventLoopPromise<Opened>,
        _ logger: Logger
    ) -> EventLoopFuture<Void> {
        switch opening {
        case .http1: return speakHTTP1(channel, promise, logger)
        case .http2: return speakHTTP2(channel, promise, logger)
        case .tls: return negotiate(channel, promise, logger)
        case .tlsInsteadOfHTTP:
            metrics.add("nacre_http_dropped_total", ["reason": "tls-without-certificate"])
            promise.succeed(.refused)
            return channel.close()
        case .httpInsteadOfTLS:
            metrics.add("nacre_http_dropped_total", ["reason": "http-instead-of-tls"])
            promise.succeed(.refused)
            return say("400 Bad Request", "this port speaks HTTPS: use https://", on: channel)
        }
    }

    private func negotiate(
        _ channel: any Channel, _ promise: EventLoopPromise<Opened>, _ logger: Logger
    ) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            guard let identity else { throw ChannelError.operationUnsupported }
            let end = HandshakeEnd()
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Void> { result, channel in
                // It is on its event loop, and in place until now.
                channel.pipeline.syncOperations.removeHandler(end, promise: nil)
                // Without ALPN the client is one of HTTP/1.1.
                if case .negotiated("h2") = result { return speakHTTP2(channel, promise, logger) }
                return speakHTTP1(channel, promise, logger)
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

    private func speakHTTP1(
        _ channel: any Channel, _ promise: EventLoopPromise<Opened>, _ logger: Logger
    ) -> EventLoopFuture<Void> {
        let maximum = settings.value.options.maximumHeaderBytes
        let future = channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(TunnelHandler(maximumBytes: maximum))
        }.flatMap { http1.setup(channel: channel, logger: logger) }.flatMapThrowing { stream in
            let operations = channel.pipeline.syncOperations
            let codec = try operations.handler(type: HTTP1ToHTTPServerCodec.self)
            try operations.addHandler(HostCheck(), position: .before(codec))
            return Opened.http1(stream)
        }
        promise.completeWith(future)
        return future.map { _ in }
    }

    private func speakHTTP2(
        _ channel: any Channel, _ promise: EventLoopPromise<Opened>, _ logger: Logger
    ) -> EventLoopFuture<Void> {
        let options = settings.value.options
        let future = channel.eventLoop.makeCompletedFuture {
            let lifetime = HTTP2Lifetime(idleTime: .seconds(options.idleSeconds))
            let operations = channel.pipeline.syncOperations
            let multiplexer = try operations.configureAsyncHTTP2Pipeline(
                mode: .server,
                streamDelegate: HTTP2Lifetime.Streams(lifetime, eventLoop: channel.eventLoop),
                configuration: Self.http2Configuration(options)
            ) { stream in
                stream.eventLoop.makeCompletedFuture {
                    let operations = stream.pipeline.syncOperations
                    try operations.addHandler(HTTP2FramePayloadToHTTPServerCodec())
                    try operations.addHandlers([
                        StreamEndHandler(), connectionGuard(options), LosslessCloseHandler(),
                    ])
                    return try Stream(wrappingChannelSynchronously: stream)
                }
            }
            try operations.addHandler(lifetime)
            return Opened.http2(multiplexer)
        }
        promise.completeWith(future)
        return future.map { _ in }
    }

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

    private func connectionGuard(_ options: ServerOptions) -> ConnectionGuard {
        ConnectionGuard(limits: ConnectionGuard.Limits(options)) { [metrics] in
            metrics.add("nacre_http_dropped_total", ["reason": $0])
        }
    }

    private var http1: HTTP1Channel {
        let options = settings.value.options
        var decoder = HTTP1Channel.Configuration.DecoderConfiguration()
        decoder.maxHeaderListSize = options.maximumHeaderBytes
        decoder.maxHeaderFieldSize = options.maximumHeaderBytes
        return HTTP1Channel(
            responder: { [carrier, responder] in try await responder($0, $1, $2, carrier) },
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [
                    HeaderRefusal(), connectionGuard(options), LosslessCloseHandler(),
                ] + http1Handlers(),
                idleTimeout: .seconds(options.idleSeconds), httpDecoderConfiguration: decoder))
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

    // MARK: Serving

    func handle(value: Value, logger: Logger) async {
        // Whoever failed to open was counted when that happened.
        guard let opened = try? await value.opened.get() else { return }
        switch opened {
        case .http1(let stream): await http1.handle(value: stream, logger: logger)
        case .http2(let multiplexer): await serve(multiplexer)
        case .refused: break
        }
    }

    private func serve(_ multiplexer: NIOHTTP2Handler.AsyncStreamMultiplexer<Stream>) async {
        // How many there are at once is bounded by the setting that the client was told.
        await withDiscardingTaskGroup { group in
            do {
                for try await stream in multiplexer.inbound {
                    group.addTask { await serve(stream) }
                }
            } catch {
                // The connection broke: its streams are told by their channels.
            }
        }
    }

    private func serve(_ stream: Stream) async {
        let carrier = Carrier(scheme: carrier.scheme, isMultiplexed: true)
        do {
            try await withTaskCancellationHandler {
                try await stream.executeThenClose { inbound, outbound in
                    var parts = inbound.makeAsyncIterator()
                    guard case .head(let head)? = try await parts.next() else { return }
                    let body = StreamBody(parts)
                    try await responder(
                        Request(head: head, body: RequestBody(asyncSequence: body)),
                        ResponseWriter(outbound: outbound),
                        stream.channel, carrier)
                }
            } onCancel: {
                stream.channel.close(mode: .input, promise: nil)
            }
        } catch {
            // Told of where the answer was made; the stream is reset by the close.
        }
    }
}
