/// What can be set of the running node.
extension ConfigurationKey {
    public static let listen = ConfigurationKey(
        name: "server.listen", defaultText: "127.0.0.1:8080",
        help: "where `nacre serve` listens; 127.0.0.1 is this machine only, 0.0.0.0 or [::] every network"
    ) {
        guard let colon = $0.lastIndex(of: ":"), colon != $0.startIndex,
            Int($0[$0.index(after: colon)...]).map({ (0...65535).contains($0) }) == true
        else { return "must be ADDRESS:PORT, such as 127.0.0.1:8080" }
        return nil
    }
    public static let gatewayServe = ConfigurationKey(
        name: "gateway.serve", defaultText: "public",
        help:
            "whose content the gateway shows to everybody: public, what was published; all, for a node without secrets"
    ) { ["public", "all"].contains($0) ? nil : "must be public or all" }
    public static let subdomains = ConfigurationKey(
        name: "gateway.subdomains", defaultText: "",
        help:
            "hosts that send /ipfs/CID to an origin of its own, CID.ipfs.HOST, separated by spaces; below localhost "
            + "these origins are there in any case"
    ) { text in
        text.split(separator: " ").allSatisfy { host in
            host.utf8.allSatisfy {
                $0 == 0x2D || $0 == 0x2E || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0)
            }
        } ? nil : "must be host names in lower case, without port, separated by spaces"
    }
    public static let maximumRequests = count(
        "server.max_requests", 1024, 1...1_000_000,
        help: "requests that are worked on at once; more are answered with 503")
    public static let maximumRequestsPerAddress = count(
        "server.max_requests_per_address", 64, 1...1_000_000,
        help: "of those, for one address that is not this machine; more are answered with 429")
    public static let trustedProxies = ConfigurationKey(
        name: "server.trusted_proxies", defaultText: "",
        help: "addresses of proxies whose X-Forwarded-For, -Proto and -Host are believed, separated by spaces"
    ) { text in
        text.utf8.allSatisfy {
            $0 == 0x20 || $0 == 0x2E || $0 == 0x3A || (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
        } ? nil : "must be IP addresses in lower case, separated by spaces"
    }
    public static let headerSeconds = count(
        "server.header_seconds", 10, 1...3600, help: "how long the first header of a connection may take")
    public static let idleSeconds = count(
        "server.idle_seconds", 75, 1...86_400, help: "how long a connection is kept open without a request")
    public static let stallSeconds = count(
        "server.stall_seconds", 60, 1...86_400,
        help: "a client that takes nothing of its answer for so long is given up")
    public static let stopSeconds = count(
        "server.stop_seconds", 30, 0...3600, help: "how long a stop waits for answers that are on their way")
    public static let metricsPublic = ConfigurationKey(
        name: "metrics.public", defaultText: "false",
        help: "whether everybody may read /metrics: true or false"
    ) { ["true", "false"].contains($0) ? nil : "must be true or false" }
    public static let logFormat = ConfigurationKey(
        name: "log.format", defaultText: "text",
        help: "the log on standard error: text, or json, an object a line"
    ) { ["text", "json"].contains($0) ? nil : "must be text or json" }
    public static let logLevel = ConfigurationKey(
        name: "log.level", defaultText: "info", help: "trace, debug, info, notice, warning, error or critical"
    ) { logLevels.contains($0) ? nil : "must be one of " + logLevels.joined(separator: ", ") }

    private static let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

    static let ofServer: [ConfigurationKey] = [
        .listen, .maximumRequests, .maximumRequestsPerAddress, .trustedProxies, .headerSeconds, .idleSeconds,
        .stallSeconds, .stopSeconds, .gatewayServe, .subdomains, .dnsLinks, .metricsPublic, .logFormat,
        .logLevel,
    ]

    /// A key that is a number in a range.
    private static func count(
        _ name: String, _ value: Int, _ range: ClosedRange<Int>, help: String
    ) -> ConfigurationKey {
        ConfigurationKey(name: name, defaultText: String(value), help: help) { text in
            Int(text).map { range.contains($0) } == true
                ? nil : "must be a number from \(range.lowerBound) to \(range.upperBound)"
        }
    }
}

extension Configuration {
    /// A number that `set` has checked.
    public func number(_ key: ConfigurationKey) -> Int { Int(self[key]) ?? Int(key.defaultText) ?? 0 }

    /// The words of a list that is separated by spaces.
    public func words(_ key: ConfigurationKey) -> [String] {
        self[key].split(separator: " ").map(String.init)
    }
}
