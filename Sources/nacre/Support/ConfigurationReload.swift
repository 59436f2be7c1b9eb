import Foundation
import GatewayAPI
import Logging
import NodeCore
import NodeServer
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Reads the configuration again at each SIGHUP and takes over what can change while the node runs.
struct ConfigurationReload: Service {
    let node: StorageNode
    let server: NodeServer
    /// The flag that goes over the file.
    let listen: String?
    let level: LogLevel
    let logger: Logger
    /// Is told when a reload begins and ends.
    let manager: ServiceManager

    func run() async throws {
        var inForce = node.configuration
        if let listen { try inForce.set(.listen, listen, from: .environment("--listen")) }
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() {
            manager.notify(.reloading)
            defer { manager.notify(.ready) }
            do {
                var new = try Configuration.load(
                    dataDirectory: node.directory, environment: ProcessInfo.processInfo.environment)
                if let listen { try new.set(.listen, listen, from: .environment("--listen")) }
                inForce = await takeOver(new, from: inForce)
            } catch {
                // The old configuration stays in force: a typing error must not stop a running node.
                logger.error("configuration not taken over", metadata: ["error": "\(error)"])
            }
        }
    }

    /// - Returns: what is in force afterwards.
    private func takeOver(_ new: Configuration, from old: Configuration) async -> Configuration {
        let changed = ConfigurationKey.all.filter { new[$0] != old[$0] }
        var late = changed.filter { !ConfigurationKey.takenOver.contains($0.name) }
        var inForce = new
        // TLS is not begun or ended on a socket that is open.
        if new[.tlsCertificate].isEmpty != old[.tlsCertificate].isEmpty
            || new[.tlsKey].isEmpty != old[.tlsKey].isEmpty
        {
            late += changed.filter { $0.name.hasPrefix("tls.") }
        }
        for key in late { inForce.keep(key, of: old) }
        level.value = Logger.Level(rawValue: inForce[.logLevel]) ?? .info
        node.takeOver(inForce)
        // The address was understood when the node started, and is not changed by a reload.
        if let address = ListenAddress(inForce[.listen]) {
            await server.takeOver(
                ServerOptions(address: address, inForce, directory: node.directory),
                GatewayOptions(inForce))
        }
        let names = { (keys: [ConfigurationKey]) in keys.map(\.name).joined(separator: " ") }
        let taken = changed.filter { key in !late.contains { $0.name == key.name } }
        logger.notice(
            "configuration taken over", metadata: ["changed": "\(taken.isEmpty ? "nothing" : names(taken))"])
        if !late.isEmpty {
            logger.warning("these settings need a restart", metadata: ["settings": "\(names(late))"])
        }
        return inForce
    }
}
