import ArgumentParser
import BlockStorage
import Foundation
import Glibc
import GatewayAPI
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
            Ctrl-C or SIGTERM stops it: answers that are on their way are finished first, a second one ends it
            at once.
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
        if let listen { try configuration.set(.listen, listen, from: .default) }
        guard let address = ListenAddress(configuration[.listen]) else {
            throw ValidationError("--listen is ADDRESS:PORT, such as 127.0.0.1:8080")
        }
        var gateway = GatewayOptions()
        gateway.serve = GatewayOptions.Serve(rawValue: configuration[.gatewayServe]) ?? .published
        let server = NodeServer(
            node: node, options: ServerOptions(address: address), gateway: gateway,
            logger: Logger(label: "nacre")
        ) { address in
            node.store.publish(address: "http://\(address)")
            Terminal.note("listening on http://\(address)")
        }
        // Ctrl-C belongs to the server from here on.
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [server], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "nacre")))
        try await services.run()
    }
}
