import Access
import GatewayAPI
import NodeCore
import Synchronization

/// What the server works by, as of one moment; a reload puts another in its place.
///
/// A request keeps the one it began with.
final class ServerSettings: Sendable {
    let options: ServerOptions
    let gateway: Gateway
    let routing: RoutingDoor
    let proxies: TrustedProxies
    let doorkeeper: Doorkeeper
    let originGuard: OriginGuard

    init(_ options: ServerOptions, _ gateway: GatewayOptions, node: StorageNode, authority: Authority) {
        self.options = options
        self.gateway = Gateway(node: node, options: gateway)
        routing = RoutingDoor(node: node, gateway: self.gateway)
        proxies = TrustedProxies(options.trustedProxies)
        originGuard = OriginGuard(options, gatewayHosts: gateway.subdomainHosts)
        doorkeeper = Doorkeeper(authority: authority, metricsArePublic: options.metricsArePublic)
    }
}

/// The settings in force.
final class CurrentSettings: Sendable {
    private let settings: Mutex<ServerSettings>

    init(_ settings: ServerSettings) { self.settings = Mutex(settings) }

    var value: ServerSettings {
        get { settings.withLock { $0 } }
        set { settings.withLock { $0 = newValue } }
    }
}
