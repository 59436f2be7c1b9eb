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
import NodeService
public import ServiceLifecycle

/// A running node: one process, one listener, every door.
///
/// Owns the thread pool in which the synchronous core runs, and the server. It does not
/// own the node, which is to be closed after ``run()`` has returned.
public final class NodeServer: Service {
    private let node: StorageNode
    private let authority: Authority
    private let settings: CurrentSettings
    private let identity: TLSIdentity?
    private let logger: Logger
    private let pool: NIOThreadPool
    /// Of the process: the library goes on using it for a moment after a stop, so that it is never ended.
    private let group = MultiThreadedEventLoopGroup.singleton
    private let onListening: @Sendable (ListenAddress) -> Void

    /// - Parameter onListening: is called once requests are answered, with the port that the system chose
    ///   if it was 0.
    /// - Throws: `TLSError`.
    public init(
        node: StorageNode, authority: Authority, options: ServerOptions, gateway: GatewayOptions,
        logger: Logger,
        onListening: @escaping @Sendable (ListenAddress) -> Void = { _ in }
    ) throws {
        self.node = node
        self.authority = authority
        self.logger = logger
        self.onListening = onListening
        settings = CurrentSettings(ServerSettings(options, gateway, node: node, authority: authority))
        let possible = settings.value.maximumConnections
        if possible < options.maximumConnections {
            logger.warning(
                "fewer connections than server.max_connections: the limit on open files is too low",
                metadata: ["connections": "\(possible)"])
        }
        identity = try options.tlsFiles().map { try TLSIdentity($0, logger: logger) }
        pool = NIOThreadPool(numberOfThreads: max(4, 2 * System.coreCount))
    }

    /// Serves until the task is cancelled or a graceful shutdown begins; answers that are on their way are
    /// finished.
    public func run() async throws {
        pool.start()
        let metrics = Metrics()
        metrics.declareAll()
        let (cap, connections) = (ConnectionCap(), OpenConnections())
        let options = settings.value.options
        let traces = options.collector.map {
            TraceExporter(
                to: $0, share: options.traceShare, group: group, logger: logger, metrics: metrics)
        }
        let jobs = NodeJobs(node) { [logger] error in
            logger.error("job not noted", metadata: ["error": "\(error)"])
        }
        try jobs.engine.start()
        let patientPool = NIOThreadPool(numberOfThreads: Self.patientThreads)
        patientPool.start()
        let api = APIDoor(
            node: node, authority: authority, jobs: jobs, pool: pool, patientPool: patientPool, logger: logger
        )
        let sync = SyncDoor(
            node: node, authority: authority, pool: pool, patientPool: patientPool, logger: logger,
            hub: SyncHub())
        let links = LinkDoor(
            node: node, authority: authority, pool: pool, patientPool: patientPool, logger: logger)
        let responder = DoorResponder(
            node: node, settings: settings, api: api, sync: sync, links: links, pool: pool, connections: cap,
            open: connections, traces: traces, jobs: jobs.engine, logger: logger, metrics: metrics)
        let hot = HotConnections(
            settings: settings, logger: logger, metrics: metrics, isTraced: traces != nil)
        let isPlain = identity == nil
        let channel = NodeChannel(
            settings: settings, identity: identity, cap: cap, metrics: metrics,
            connections: connections,
            http1Handlers: { hot.handlers(takesFiles: isPlain) + (isPlain ? [FileSender()] : []) }
        ) { request, writer, channel, carrier in
            try await responder.respond(to: request, writer, channel, carrier)
        }
        let address = options.address
        // The library tells of every start and stop; what matters of it is in our own log.
        let quiet = Logger(label: "server") { _ in SwiftLogNoOpLogHandler() }
        let server = Server(
            childChannelSetup: channel,
            configuration: ServerConfiguration(
                address: .hostname(address.host, port: address.port), serverName: nil),
            onServerRunning: { [onListening] channel in
                onListening(
                    ListenAddress(host: address.host, port: channel.localAddress?.port ?? address.port))
            },
            eventLoopGroup: group, logger: quiet)
        var chores = [
            Housekeeper.Chore.names(node, logger, metrics), .authority(authority, node.catalog),
            .imports(api), .snapshots(node, logger, metrics), .follows(node, logger, metrics),
            .devices(sync.hub, node.catalog),
            .history(node, logger, metrics),
        ]
        if let identity { chores.append(.certificate(identity)) }
        let housekeeper = Housekeeper(chores: chores, pool: pool, logger: logger, metrics: metrics)
        do {
            try await withThrowingTaskGroup { group in
                group.addTask { await housekeeper.run() }
                if let traces { group.addTask { await traces.run() } }
                defer { group.cancelAll() }
                try await withGracefulShutdownHandler {
                    do {
                        // A task that is cancelled does not come by the graceful stop.
                        try await withTaskCancellationHandler {
                            try await server.run()
                        } onCancel: {
                            sync.waits.stop()
                        }
                    } catch let error as IOError {
                        throw ListenError(address: address, errno: error.errnoCode)
                    }
                    // It takes no more connections; those that are open finish what they began.
                    await connections.drain()
                } onGracefulShutdown: {
                    sync.waits.stop()
                    connections.beginStop()
                }
            }
            sayFarewell(connections.farewell)
        } catch {
            try? await stop(jobs, sync.hub, patientPool)
            throw error
        }
        try await stop(jobs, sync.hub, patientPool)
    }

    private func sayFarewell(_ farewell: OpenConnections.Farewell?) {
        guard let farewell else { return }
        let seconds = farewell.duration / .milliseconds(1) / 1000
        logger.info(
            "stopped",
            metadata: [
                "graceful": "\(farewell.isGraceful)", "finished": "\(farewell.finished)",
                "seconds": "\((seconds * 1000).rounded() / 1000)",
            ])
    }

    /// What uploads and those who wait for jobs may hold: each a thread.
    private static let patientThreads = 32

    /// Jobs that run are broken off: they go on at the next start.
    private func stop(_ jobs: NodeJobs, _ hub: SyncHub, _ patientPool: NIOThreadPool) async throws {
        try? await pool.runIfActive { [node] in
            jobs.engine.stop()
            // What is lost of it is told again by the next call of each device.
            try? hub.devices.flush(to: node.catalog)
        }
        try await patientPool.shutdownGracefully()
        try await pool.shutdownGracefully()
    }

    /// Puts other settings into force, for requests and connections from now on.
    ///
    /// The address and whether TLS is spoken stay as they are. Reads the files of the certificate if they
    /// are others or have changed.
    public func takeOver(_ options: ServerOptions, _ gateway: GatewayOptions) async {
        settings.value = ServerSettings(options, gateway, node: node, authority: authority)
        guard let identity, let files = try? options.tlsFiles() else { return }
        // Only a pool that has stopped refuses: then nobody needs the certificate.
        try? await pool.runIfActive { identity.refresh(files) }
    }

}
