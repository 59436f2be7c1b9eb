import Access
import ArgumentParser
import BlockStorage
import Catalog
import Foundation
import GatewayAPI
import Glibc
import Logging
import NodeCore
import NodeServer
import ServiceLifecycle
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the node: the IPFS gateway, on loopback unless configured otherwise.",
        discussion: """
            Ctrl-C or SIGTERM stops it: answers that are on their way are finished first. SIGHUP reads the
            configuration again and takes over what can change while it runs (log.level). `nacre config show`
            lists every setting.
            """)

    @OptionGroup var global: GlobalOptions
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where to listen (server.listen; default 127.0.0.1:8080; port 0: any that is free).",
            valueName: "address:port"))
    var listen: String?

    func run() async throws {
        let node = try StorageNode.open(
            global.dataDirectory, environment: ProcessInfo.processInfo.environment)
        do {
            try await serve(node)
        } catch {
            // The failure of the server says more than one of closing after it.
            try? node.close()
            throw error
        }
        try node.close()
    }

    private func serve(_ node: StorageNode) async throws {
        for note in node.openingNotes { Terminal.warn(note.description) }
        var configuration = node.configuration
        if let listen { try configuration.set(.listen, listen, from: .environment("--listen")) }
        guard let address = ListenAddress(configuration[.listen]) else {
            throw ValidationError("--listen is ADDRESS:PORT, such as 127.0.0.1:8080")
        }
        let level = LogLevel(Logger.Level(rawValue: configuration[.logLevel]) ?? .info)
        let format = StandardErrorLog.Format(rawValue: configuration[.logFormat]) ?? .text
        let logger = Logger(label: "nacre") { _ in StandardErrorLog(format: format, level: level) }
        let authority = try Authority.open(
            catalog: node.catalog, secrets: node.directory + "/" + Authority.directoryName)
        if let path = authority.newAdminTokenPath {
            Terminal.note(
                "the first administrator's grant is in \(path); send it as Authorization: Bearer TOKEN")
        }
        let server = NodeServer(
            node: node, authority: authority, options: ServerOptions(address: address, configuration),
            gateway: GatewayOptions(configuration), logger: logger
        ) { address in
            node.store.publish(address: "http://\(address)")
            logger.info("listening", metadata: ["address": "http://\(address)", "data": "\(node.directory)"])
            Welcome.print(address, node)
        }
        // Signals belong to the server from here on.
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_IGN) }
        var services = ServiceGroupConfiguration(
            services: [server, Reloading(directory: node.directory, level: level, logger: logger)],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() })
        services.maximumGracefulShutdownDuration = .seconds(configuration.number(.stopSeconds))
        try await ServiceGroup(configuration: services).run()
        try authority.close()
    }
}

/// Takes over what can change while the node runs, at each SIGHUP.
private struct Reloading: Service {
    let directory: String
    let level: LogLevel
    let logger: Logger

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() {
            do {
                let configuration = try Configuration.load(
                    dataDirectory: directory, environment: ProcessInfo.processInfo.environment)
                level.value = Logger.Level(rawValue: configuration[.logLevel]) ?? .info
                logger.notice("configuration taken over", metadata: ["log.level": "\(level.value)"])
            } catch {
                // The old configuration stays in force: a typing error must not stop a running node.
                logger.error("configuration not taken over", metadata: ["error": "\(error)"])
            }
        }
    }
}

/// What somebody who starts a node wants to know.
private enum Welcome {
    static func print(_ address: ListenAddress, _ node: StorageNode) {
        guard Terminal.isErrorTerminal else { return }
        Terminal.note("")
        Terminal.note("  Nacre serves http://\(address)")
        // Any public root will do to see something; a failure here is no reason not to serve.
        var filter = PinFilter()
        filter.visibility = .public
        if let pin = try? node.catalog.pins.list(filter, limit: 1).pins.first {
            Terminal.note("  the newest public pin: http://\(address)/ipfs/\(pin.root)/")
        } else {
            Terminal.note("  nothing is public yet: stop with Ctrl-C, `nacre add FILE`, and start again")
        }
        Terminal.note("")
    }
}

extension ServerOptions {
    init(address: ListenAddress, _ configuration: Configuration) {
        self.init(address: address)
        maximumRequests = configuration.number(.maximumRequests)
        maximumRequestsPerAddress = configuration.number(.maximumRequestsPerAddress)
        headerSeconds = Int64(configuration.number(.headerSeconds))
        idleSeconds = Int64(configuration.number(.idleSeconds))
        stallSeconds = Int64(configuration.number(.stallSeconds))
        metricsArePublic = configuration[.metricsPublic] == "true"
        trustedProxies = Set(configuration.words(.trustedProxies))
    }
}

extension GatewayOptions {
    init(_ configuration: Configuration) {
        self.init()
        serve = Serve(rawValue: configuration[.gatewayServe]) ?? .published
        subdomainHosts = configuration.words(.subdomains)
    }
}
