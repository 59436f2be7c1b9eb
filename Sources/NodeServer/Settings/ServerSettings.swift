import Access
import GatewayAPI
import Glibc
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
    /// What was set, as far as the system allows as many open files.
    let maximumConnections: Int

    init(_ options: ServerOptions, _ gateway: GatewayOptions, node: StorageNode, authority: Authority) {
        self.options = options
        self.gateway = Gateway(node: node, options: gateway)
        routing = RoutingDoor(
            node: node, gateway: self.gateway, addresses: gateway.announcedAddresses)
        proxies = TrustedProxies(options.trustedProxies)
        maximumConnections = min(options.maximumConnections, Self.possibleConnections)
        originGuard = OriginGuard(options, gatewayHosts: gateway.subdomainHosts)
        doorkeeper = Doorkeeper(authority: authority, metricsArePublic: options.metricsArePublic)
    }
}

extension ServerSettings {
    /// How many connections the limit on open files leaves beside packs, index and catalog.
    static var possibleConnections: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return Int.max }
        let files = Int(clamping: limit.rlim_cur)
        return max(files / 2, files - 1024)
    }
}

/// The settings in force.
final class CurrentSettings: Sendable {
    private let settings: Mutex<ServerSettings>
    /// Read for every answer from memory, without the lock.
    private let logsAll: Atomic<Bool>

    init(_ settings: ServerSettings) {
        logsAll = Atomic(settings.options.requestLogging == .all)
        self.settings = Mutex(settings)
    }

    var value: ServerSettings {
        get { settings.withLock { $0 } }
        set {
            settings.withLock { $0 = newValue }
            logsAll.store(newValue.options.requestLogging == .all, ordering: .relaxed)
        }
    }

    /// Whether every request has a line in the log.
    var logsAllRequests: Bool { logsAll.load(ordering: .relaxed) }
}
