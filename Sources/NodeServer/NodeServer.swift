public import Access
import BlockStorage
public import GatewayAPI
import HTTPSupport
import HTTPTypes
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
public import NodeCore
public import ServiceLifecycle

/// A running node: one process, one listener, every door.
///
/// Owns the event loops, the thread pool in which the synchronous core runs, and the server. It does not
/// own the node, which is to be closed after ``run()`` has returned.
public final class NodeServer: Service {
    private let node: StorageNode
    private let authority: Authority
    private let options: ServerOptions
    private let gateway: Gateway
    private let logger: Logger
    private let pool: NIOThreadPool
    private let group: MultiThreadedEventLoopGroup
    private let onListening: @Sendable (ListenAddress) -> Void

    /// - Parameter onListening: is called once requests are answered, with the port that the system chose
    ///   if it was 0.
    public init(
        node: StorageNode, authority: Authority, options: ServerOptions, gateway: GatewayOptions,
        logger: Logger,
        onListening: @escaping @Sendable (ListenAddress) -> Void = { _ in }
    ) {
        self.node = node
        self.authority = authority
        self.options = options
        self.logger = logger
        self.onListening = onListening
        self.gateway = Gateway(node: node, options: gateway)
        let cores = System.coreCount
        pool = NIOThreadPool(numberOfThreads: max(4, 2 * cores))
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, cores))
    }

    /// Serves until the task is cancelled or a graceful shutdown begins; answers that are on their way are
    /// finished.
    public func run() async throws {
        pool.start()
        let metrics = Metrics()
        let responder = DoorResponder(
            gateway: gateway, node: node, authority: authority, options: options, pool: pool, logger: logger,
            metrics: metrics)
        let limits = ConnectionGuard.Limits(
            header: .seconds(options.headerSeconds), body: .seconds(options.bodySeconds),
            bodyBytes: options.bodyFloorBytes, write: .seconds(options.stallSeconds))
        var decoder = HTTP1Channel.Configuration.DecoderConfiguration()
        decoder.maxHeaderListSize = options.maximumHeaderBytes
        decoder.maxHeaderFieldSize = options.maximumHeaderBytes
        let builder = HTTPServerBuilder.http1(
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [
                    ConnectionGuard(limits: limits) {
                        metrics.add("nacre_http_dropped_total", ["reason": $0])
                    },
                    LosslessCloseHandler(),
                ],
                idleTimeout: .seconds(options.idleSeconds),
                httpDecoderConfiguration: decoder))
        // The library tells of every start and stop; what matters of it is in our own log.
        let quiet = Logger(label: "server") { _ in SwiftLogNoOpLogHandler() }
        let server = try builder.buildServer(
            configuration: ServerConfiguration(
                address: .hostname(options.address.host, port: options.address.port), serverName: nil),
            eventLoopGroup: group, logger: quiet
        ) { request, writer, channel in
            try await responder.respond(to: request, writer, channel)
        } onServerRunning: { [options, onListening] channel in
            onListening(
                ListenAddress(
                    host: options.address.host, port: channel.localAddress?.port ?? options.address.port))
        }
        do {
            try await server.run()
        } catch {
            try? await stop()
            throw error
        }
        try await stop()
    }

    private func stop() async throws {
        try await group.shutdownGracefully()
        try await pool.shutdownGracefully()
    }
}
