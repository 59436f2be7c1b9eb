import Glibc

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
            + "these origins are there in any case",
        shape: .list
    ) { hostProblem($0) }
    public static let announce = ConfigurationKey(
        name: "gateway.announce", defaultText: "",
        help:
            "where others reach this gateway, as /routing/v1 tells them: URLs such as https://node.example, or "
            + "multiaddrs such as /dns/node.example/tcp/443/https",
        shape: .list
    ) { text in
        for word in text.split(separator: " ") where AnnouncedAddress(String(word)) == nil {
            return "\(word.prefix(60)) is neither a URL such as https://node.example nor a multiaddr"
        }
        return nil
    }
    public static let roles = ConfigurationKey(
        name: "roles", defaultText: NodeRole.allText,
        help: "what this node is; routes of other roles are answered with 404: \(NodeRole.allText)",
        shape: .list
    ) { text in
        for word in text.split(separator: " ") where NodeRole(rawValue: String(word)) == nil {
            return "there is no role \(word.prefix(40)); the roles are \(NodeRole.allText)"
        }
        return nil
    }
    public static let hosts = ConfigurationKey(
        name: "server.hosts", defaultText: "",
        help:
            "names under which the node is reached, without port: routes that need authority are answered under them, "
            + "under localhost and under addresses, and under no other name",
        shape: .list
    ) { hostProblem($0) }
    public static let origins = ConfigurationKey(
        name: "server.origins", defaultText: "",
        help: "origins whose web pages may use routes that need authority, such as https://app.example.org",
        shape: .list
    ) { text in
        text.split(separator: " ").allSatisfy { origin in
            let rest =
                origin.hasPrefix("https://")
                ? origin.dropFirst(8) : origin.hasPrefix("http://") ? origin.dropFirst(7) : ""
            return !rest.isEmpty
                && rest.utf8.allSatisfy {
                    $0 == 0x2D || $0 == 0x2E || (0x30...0x3A).contains($0) || (0x61...0x7A).contains($0)
                        || $0 == 0x5B || $0 == 0x5D
                }
        } ? nil : "must be origins in lower case without a path, such as https://app.example.org"
    }
    public static let tlsCertificate = ConfigurationKey(
        name: "tls.certificate", defaultText: "",
        help:
            "PEM file with the node's certificate, then those that lead to its authority; with tls.key the node "
            + "speaks HTTPS (HTTP/1.1 and HTTP/2), and follows the files when they change"
    ) { _ in nil }
    public static let tlsKey = ConfigurationKey(
        name: "tls.key", defaultText: "",
        help: "PEM file with the private key of tls.certificate, without a password"
    ) { _ in nil }
    public static let maximumConnections = count(
        "server.max_connections", 16_384, 1...1_000_000,
        help: "connections that are open at once; more are answered with 503, or closed")
    public static let maximumConnectionsPerAddress = count(
        "server.max_connections_per_address", 256, 1...1_000_000,
        help:
            "of those, from one address (of IPv6: from one /64) that is neither this machine nor a trusted proxy; "
            + "more are answered with 429, or closed")
    public static let maximumStreams = count(
        "server.max_streams", 100, 1...10_000, help: "requests that are under way on one HTTP/2 connection")
    public static let maximumHeaderBytes = count(
        "server.max_header_bytes", 32_768, 1024...1_048_576,
        help: "bytes of all header fields of a request; more are answered with 431")
    public static let maximumRequests = count(
        "server.max_requests", 1024, 1...1_000_000,
        help: "requests that are worked on at once; more are answered with 503")
    public static let maximumRequestsPerAddress = count(
        "server.max_requests_per_address", 64, 1...1_000_000,
        help: "of those, for one address that is not this machine; more are answered with 429")
    public static let syncRequestsPerSecond = count(
        "devices.requests_per_second", 100, 0...1_000_000,
        help: "requests a second of one device that syncs; more are answered with 429; 0: any number")
    public static let syncBurst = count(
        "devices.burst", 400, 1...1_000_000, help: "of those, as many may come at once after a rest")
    public static let syncStreams = count(
        "devices.streams", 8, 0...10_000,
        help: "requests of one device that are worked on at once; more are answered with 429; 0: any number")
    public static let syncInflightSeconds = count(
        "devices.inflight_seconds", 600, 0...600,
        help: "how long a file that a device sends is shown to others after something of it came; 0: never")
    public static let trustedProxies = ConfigurationKey(
        name: "server.trusted_proxies", defaultText: "",
        help:
            "addresses of proxies, and ranges such as 10.0.0.0/8, whose X-Forwarded-For, -Proto and -Host are believed",
        shape: .list
    ) { text in
        for word in text.split(separator: " ") where !isAddressRange(String(word)) {
            return "\(word.prefix(60)) is neither an address nor a range such as 10.0.0.0/8"
        }
        return nil
    }
    public static let headerSeconds = count(
        "server.header_seconds", 10, 1...3600, help: "how long the first header of a connection may take")
    public static let bodySeconds = count(
        "server.body_seconds", 20, 1...3600,
        help: "a request's body must bring server.body_floor bytes in so long, or is given up")
    public static let bodyFloor = count(
        "server.body_floor", 4096, 1...1_000_000_000, help: "see server.body_seconds")
    public static let requestSeconds = count(
        "server.max_request_seconds", 86_400, 0...10_000_000,
        help: "the longest that a request may last, with its answer; 0: as long as something goes on")
    public static let uploadSeconds = count(
        "server.max_upload_seconds", 43_200, 0...10_000_000,
        help: "the longest that the body of a request may take; 0: as long as something comes")
    public static let downloadSeconds = count(
        "server.max_download_seconds", 43_200, 0...10_000_000,
        help: "the longest that an answer may take; 0: as long as something is taken")
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

    public static let logRequests = ConfigurationKey(
        name: "log.requests", defaultText: "errors",
        help:
            "which requests have a line in the log at info: off, errors (status 5xx, or broken off) or all; with "
            + "all none is answered from memory"
    ) { RequestLogging(rawValue: $0) == nil ? "must be off, errors or all" : nil }

    public static let collector = ConfigurationKey(
        name: "otlp.endpoint", defaultText: "",
        help: "an OpenTelemetry collector that gets a span of every request, such as http://127.0.0.1:4318"
    ) {
        $0.isEmpty || CollectorURL($0) != nil
            ? nil : "must be http://HOST:PORT of a collector of OTLP over HTTP, or nothing"
    }
    public static let traceShare = ConfigurationKey(
        name: "otlp.share", defaultText: "100%",
        help:
            "how many of the traces that begin here are told of; those of a traceparent decide for themselves"
    ) { share(of: $0) == nil ? "must be a share from 0% to 100%" : nil }

    /// From 0 to 1.
    static func share(of text: String) -> Double? {
        guard text.hasSuffix("%"), let share = Double(text.dropLast()), (0...100).contains(share) else {
            return nil
        }
        return share / 100
    }

    private static let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

    static let ofServer: [ConfigurationKey] = [
        .listen, .hosts, .origins, .maximumConnections, .maximumConnectionsPerAddress, .maximumRequests,
        .maximumRequestsPerAddress, .maximumStreams,
        .maximumHeaderBytes, .trustedProxies, .headerSeconds,
        .bodySeconds, .bodyFloor, .stallSeconds, .requestSeconds, .uploadSeconds, .downloadSeconds,
        .idleSeconds, .stopSeconds, .syncRequestsPerSecond, .syncBurst, .syncStreams,
        .syncInflightSeconds, .tlsCertificate,
        .tlsKey, .gatewayServe, .subdomains, .dnsLinks,
        .announce, .metricsPublic, .logFormat, .logLevel, .logRequests, .collector, .traceShare,
    ]

    /// What a running node takes over when it reads its configuration again; all others need a restart.
    public static let takenOver: Set<String> = Set(
        [
            tlsCertificate, tlsKey, maximumConnections, maximumConnectionsPerAddress, maximumRequests,
            maximumRequestsPerAddress, syncRequestsPerSecond, syncBurst, syncStreams, syncInflightSeconds,
            maximumStreams,
            maximumHeaderBytes, trustedProxies, headerSeconds,
            bodySeconds, bodyFloor, stallSeconds, requestSeconds, uploadSeconds, downloadSeconds, idleSeconds,
            roles, hosts, origins, gatewayServe, subdomains, dnsLinks, announce, metricsPublic,
            logLevel, logRequests,
        ].map(\.name))

    /// An address, or one with the length of its prefix, behind which no bit is set.
    private static func isAddressRange(_ text: String) -> Bool {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        var (four, six) = (in_addr(), in6_addr())
        let bytes: [UInt8]
        if inet_pton(AF_INET, parts[0], &four) == 1 {
            bytes = withUnsafeBytes(of: four) { Array($0) }
        } else if inet_pton(AF_INET6, parts[0], &six) == 1 {
            bytes = withUnsafeBytes(of: six) { Array($0) }
        } else {
            return false
        }
        guard parts.count == 2 else { return true }
        guard let length = Int(parts[1]), (0...8 * bytes.count).contains(length) else { return false }
        return (length..<8 * bytes.count).allSatisfy { bytes[$0 / 8] & (0x80 >> ($0 % 8)) == 0 }
    }

    private static func hostProblem(_ text: String) -> String? {
        text.split(separator: " ").allSatisfy { host in
            host.utf8.allSatisfy {
                $0 == 0x2D || $0 == 0x2E || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0)
            }
        } ? nil : "must be host names in lower case, without port"
    }

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

    /// Where traces go; `nil` for nowhere.
    public var collector: CollectorURL? { CollectorURL(self[.collector]) }
    /// From 0 to 1.
    public var traceShare: Double { ConfigurationKey.share(of: self[.traceShare]) ?? 1 }

    public var requestLogging: RequestLogging { RequestLogging(rawValue: self[.logRequests]) ?? .errors }

    /// The words of a list that is separated by spaces.
    public func words(_ key: ConfigurationKey) -> [String] {
        self[key].split(separator: " ").map(String.init)
    }
}
