import Glibc

/// Where this node tells others that its gateway can be reached: a multiaddr, or a URL that becomes one.
public struct AnnouncedAddress: Hashable, Sendable {
    /// Such as `/dns/node.example/tcp/443/https`.
    public let multiaddr: String

    /// - Returns: `nil` for what is neither a multiaddr that begins with an address or a name, nor
    ///   `http://HOST[:PORT]` or `https://HOST[:PORT]`.
    public init?(_ text: String) {
        guard let multiaddr = text.hasPrefix("/") ? Self.checked(text) : Self.multiaddr(ofURL: text) else {
            return nil
        }
        self.multiaddr = multiaddr
    }

    /// The first of several addresses, URLs or multiaddrs, that is one of HTTP, as a URL without a slash at
    /// its end; one by HTTPS before the others.
    public static func firstURL(of addresses: [String]) -> String? {
        let urls = addresses.compactMap { AnnouncedAddress($0)?.url }
        return urls.first { $0.hasPrefix("https://") } ?? urls.first
    }

    /// `nil` for what does not end in `/tcp/PORT` and `/http`, `/https` or `/tls/http`.
    private var url: String? {
        let parts = multiaddr.split(separator: "/").map(String.init)
        guard parts.count >= 5, parts[2] == "tcp", let port = Int(parts[3]), (1...65535).contains(port) else {
            return nil
        }
        let scheme: String
        switch parts[4...].joined(separator: "/") {
        case "https", "tls/http": scheme = "https"
        case "http": scheme = "http"
        default: return nil
        }
        let host = parts[0] == "ip6" ? "[\(parts[1])]" : parts[1]
        return "\(scheme)://\(host)" + (port == (scheme == "https" ? 443 : 80) ? "" : ":\(port)")
    }

    private static func checked(_ text: String) -> String? {
        let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 2, text.utf8.count <= 512, parts.allSatisfy({ !$0.isEmpty }),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") })
        else { return nil }
        switch parts[0] {
        case "ip4": return isAddress(parts[1], AF_INET) ? text : nil
        case "ip6": return isAddress(parts[1], AF_INET6) ? text : nil
        case "dns", "dns4", "dns6", "dnsaddr": return isName(parts[1]) ? text : nil
        default: return nil
        }
    }

    private static func multiaddr(ofURL text: String) -> String? {
        for (scheme, port) in [("https", 443), ("http", 80)] where text.hasPrefix(scheme + "://") {
            var rest = text.dropFirst(scheme.count + 3)
            if rest.hasSuffix("/") { rest = rest.dropLast() }
            var (host, number) = (String(rest), port)
            if let colon = rest.lastIndex(of: ":"), !rest.hasSuffix("]") {
                guard let given = Int(rest[rest.index(after: colon)...]), (1...65535).contains(given) else {
                    return nil
                }
                (host, number) = (String(rest[..<colon]), given)
            }
            return place(host).map { "\($0)/tcp/\(number)/\(scheme)" }
        }
        return nil
    }

    private static func place(_ host: String) -> String? {
        if host.hasPrefix("["), host.hasSuffix("]") {
            let address = String(host.dropFirst().dropLast())
            return isAddress(address, AF_INET6) ? "/ip6/\(address)" : nil
        }
        if isAddress(host, AF_INET) { return "/ip4/\(host)" }
        return isName(host) ? "/dns/\(host)" : nil
    }

    private static func isAddress(_ text: String, _ family: Int32) -> Bool {
        var bytes = in6_addr()
        return inet_pton(family, text, &bytes) == 1
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                $0 == 0x2D || $0 == 0x2E || $0 == 0x5F || (0x30...0x39).contains($0)
                    || (0x61...0x7A).contains($0)
            }
    }
}
