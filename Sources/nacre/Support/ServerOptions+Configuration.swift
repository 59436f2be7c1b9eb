import GatewayAPI
import NodeCore
import NodeServer
import NodeService

extension ServerOptions {
    /// - Parameter directory: what paths of files are relative to.
    init(address: ListenAddress, _ configuration: Configuration, directory: String) {
        self.init(address: address)
        func file(_ key: ConfigurationKey) -> String? {
            let path = configuration[key]
            guard !path.isEmpty else { return nil }
            return path.hasPrefix("/") ? path : directory + "/" + path
        }
        tlsCertificate = file(.tlsCertificate)
        tlsKey = file(.tlsKey)
        hosts = configuration.words(.hosts)
        origins = configuration.words(.origins)
        roles = configuration.roles
        collector = configuration.collector
        traceShare = configuration.traceShare
        maximumConnections = configuration.number(.maximumConnections)
        maximumConnectionsPerAddress = configuration.number(.maximumConnectionsPerAddress)
        maximumStreams = configuration.number(.maximumStreams)
        maximumHeaderBytes = configuration.number(.maximumHeaderBytes)
        bodySeconds = Int64(configuration.number(.bodySeconds))
        bodyFloorBytes = configuration.number(.bodyFloor)
        requestSeconds = Int64(configuration.number(.requestSeconds))
        uploadSeconds = Int64(configuration.number(.uploadSeconds))
        downloadSeconds = Int64(configuration.number(.downloadSeconds))
        maximumRequests = configuration.number(.maximumRequests)
        maximumRequestsPerAddress = configuration.number(.maximumRequestsPerAddress)
        syncRates.requestsPerSecond = configuration.number(.syncRequestsPerSecond)
        syncRates.burst = configuration.number(.syncBurst)
        syncRates.streams = configuration.number(.syncStreams)
        syncRates.inflightSeconds = configuration.number(.syncInflightSeconds)
        headerSeconds = Int64(configuration.number(.headerSeconds))
        idleSeconds = Int64(configuration.number(.idleSeconds))
        stallSeconds = Int64(configuration.number(.stallSeconds))
        requestLogging = configuration.requestLogging
        metricsArePublic = configuration[.metricsPublic] == "true"
        trustedProxies = configuration.words(.trustedProxies)
    }
}

extension GatewayOptions {
    init(_ configuration: Configuration) {
        self.init()
        serve = Serve(rawValue: configuration[.gatewayServe]) ?? .published
        subdomainHosts = configuration.words(.subdomains)
        announcedAddresses = configuration.words(.announce).compactMap { AnnouncedAddress($0)?.multiaddr }
    }
}
