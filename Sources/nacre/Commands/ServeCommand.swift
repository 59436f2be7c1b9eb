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
            Content is below /ipfs/ and /ipns/, and only what is public is shown. /health/live and \
            /health/ready say how the node is, /metrics gives figures to whoever has a key that may read \
            them. The first start writes an administrator's token to secrets/admin-token in the data \
            directory.

            Ctrl-C or SIGTERM stops it: answers that are on their way are finished first. SIGHUP reads the \
            configuration and the certificate again, takes over what can change while it runs, and logs \
            which settings need a restart. The log goes to standard error. Under systemd (Type=notify) it \
            tells when it is ready and feeds the watchdog.

            `nacre config show` lists every setting and where it comes from, `nacre doctor` looks at the \
            machine and the configuration.
            """)

    @OptionGroup var global: GlobalOptions
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where to listen (server.listen; default 127.0.0.1:8080; port 0: any that is free).",
            valueName: "address:port"))
    var listen: String?
    @Flag(
        name: .long,
        help:
            "Print what to open, and if the node holds nothing yet, add a small published folder to look at.")
    var welcome = false

    func run() async throws {
        Main.keepFewFreedBuffers()
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
        for stray in Configuration.strayVariables(in: Environment.current) {
            logger.warning("a variable sets nothing", metadata: ["reason": "\(stray)"])
        }
        var accessOptions = Authority.Options()
        accessOptions.acceptsLocalToken = true
        let authority = try Authority.open(
            catalog: node.catalog, secrets: node.directory + "/" + Authority.directoryName,
            options: accessOptions)
        if let path = authority.newAdminTokenPath, !Terminal.isErrorTerminal, !welcome {
            Terminal.note(
                "the first administrator's grant is in \(path); send it as Authorization: Bearer TOKEN")
        }
        if welcome { _ = try WelcomeFolder.add(to: node) }
        let manager = ServiceManager(environment: Environment.current)
        let options = ServerOptions(address: address, configuration, directory: node.directory)
        let scheme = options.tlsCertificate == nil ? "http" : "https"
        let server = try NodeServer(
            node: node, authority: authority, options: options,
            gateway: GatewayOptions(configuration), logger: logger
        ) { address in
            let url = "\(scheme)://\(address)"
            node.store.publish(address: url)
            logger.info(
                "listening",
                metadata: [
                    "address": "\(url)", "data": "\(node.directory)", "version": "\(NacreVersion.text)",
                    "roles": "\(options.roles.map(\.rawValue).sorted().joined(separator: " "))",
                ])
            ServeGreeting(scheme: scheme, address: address, node: node, isAskedFor: welcome).print()
            manager.notify(.ready, .status("serves \(url)"))
        }
        // Signals belong to the server from here on.
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_IGN) }
        var services = ServiceGroupConfiguration(
            services: [
                server,
                ConfigurationReload(
                    node: node, server: server, listen: listen, level: level, logger: logger,
                    manager: manager),
                // The last is the first to hear of a stop: it says so before answers are waited for.
                Watchdog(node: node, manager: manager, logger: logger),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() })
        services.maximumGracefulShutdownDuration = .seconds(configuration.number(.stopSeconds))
        try await ServiceGroup(configuration: services).run()
        try authority.close()
    }
}
