public import NodeCore
public import NodeService

/// How the server listens and what it allows.
public struct ServerOptions: Sendable {
    /// Where it listens.
    public var address: ListenAddress
    /// How long a stop waits for answers that are on their way.
    public var stopSeconds: Int64 = 30
    /// The most bytes of all header fields of a request.
    public var maximumHeaderBytes = 32 * 1024
    /// A connection without a request is closed after so long.
    public var idleSeconds: Int64 = 75

    /// The most connections that are open at once, and from one address.
    public var maximumConnections = 16_384
    public var maximumConnectionsPerAddress = 256
    /// The most requests that are under way on one HTTP/2 connection.
    public var maximumStreams = 100
    /// The most requests that are worked on at once, and for one address.
    public var maximumRequests = 1024
    public var maximumRequestsPerAddress = 64
    /// How long the first header of a connection may take.
    public var headerSeconds: Int64 = 10
    /// A body must bring ``bodyFloorBytes`` in so long.
    public var bodySeconds: Int64 = 20
    public var bodyFloorBytes = 4096
    /// A client that takes nothing for so long is given up.
    public var stallSeconds: Int64 = 60
    /// The longest that a request may last in all, that its body may take, and its answer; 0 for ever.
    public var requestSeconds: Int64 = 86_400
    public var uploadSeconds: Int64 = 43_200
    public var downloadSeconds: Int64 = 43_200
    /// PEM files of a certificate and its key; both, or none for HTTP.
    public var tlsCertificate: String?
    public var tlsKey: String?
    /// Whether everybody may read the metrics.
    public var metricsArePublic = false
    /// Which requests have a line in the log.
    public var requestLogging = RequestLogging.errors
    /// Addresses of proxies whose `X-Forwarded-…` fields are believed, and ranges of them.
    public var trustedProxies: [String] = []

    /// Names under which the node is reached, in lower case without port: besides addresses, `localhost` and
    /// the hosts of the gateway, the only ones under which routes that need authority are answered.
    public var hosts: [String] = []
    /// Origins whose pages may use those routes, such as `https://app.example.org`.
    public var origins: [String] = []
    /// Where spans of requests are sent, if anywhere, and how many of the traces that begin here, from 0 to 1.
    public var collector: CollectorURL?
    public var traceShare = 1.0
    /// What a device that syncs may ask.
    public var syncRates = DeviceRates.Limits()
    /// What the node is.
    public var roles: Set<NodeRole> = Set(NodeRole.allCases)

    public init(address: ListenAddress) { self.address = address }
}

/// An address and a port, such as `127.0.0.1:8080` or `[::1]:8080`; port 0 lets the system choose.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    public let host: String
    public let port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// - Returns: `nil` for what is no address with a port.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { return nil }
        self.init(host: host, port: port)
    }

    public var description: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
}
