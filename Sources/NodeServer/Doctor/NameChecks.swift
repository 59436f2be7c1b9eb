import Glibc
import IPNS
import NodeCore

/// The hosts of the subdomain gateway, and the DNS that DNSLink needs.
struct NameChecks {
    let configuration: Configuration

    func findings() -> [Finding] {
        // Browsers lead names below localhost to their own machine without asking anybody.
        let hosts = configuration.words(.subdomains).filter {
            $0 != "localhost" && !$0.hasSuffix(".localhost")
        }
        return hosts.map(host) + (hosts.isEmpty ? [] : [dns(hosts[0])])
    }

    /// Whether a name below a host leads here. A proxy in front has addresses of its own, hence a warning.
    private func host(_ host: String) -> Finding {
        let check = "subdomain-host"
        // Any label will do: the record is a wildcard.
        let name = "nacre-doctor.ipfs." + host
        let addresses = Self.addresses(of: name)
        guard !addresses.isEmpty else {
            return .fail(
                check, "\(name) does not resolve",
                advice: "add DNS records *.ipfs.\(host) and *.ipns.\(host) that point to this machine")
        }
        let own = Self.ownAddresses()
        guard !addresses.isDisjoint(with: own) else {
            return .warn(
                check,
                "\(name) leads to \(addresses.sorted().joined(separator: ", ")), which is no address of this machine",
                advice: "that is right only if a proxy there passes requests on to this node")
        }
        return .ok(check, "\(name) leads to this machine")
    }

    private func dns(_ host: String) -> Finding {
        guard let domain = DomainName(host) else { return .ok("dns", "not asked: \(host) is a single label") }
        do {
            let link = try SystemDNSLinks().link(of: domain)
            return .ok(
                "dns", "the DNS answers" + (link.map { "; \(host) has a DNSLink to \($0.target)" } ?? ""))
        } catch {
            return .warn("dns", "\(error)", advice: "DNSLink needs it: look at /etc/resolv.conf")
        }
    }

    static func addresses(of name: String) -> Set<String> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: Set<String> = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr { found.formUnion(text(address)) }
            next = entry.pointee.ai_next
        }
        return found
    }

    private static func ownAddresses() -> Set<String> {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: Set<String> = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ifa_addr { found.formUnion(text(address)) }
            next = entry.pointee.ifa_next
        }
        return found
    }

    /// The address as text; empty for families other than the two of the Internet.
    private static func text(_ address: UnsafePointer<sockaddr>) -> [String] {
        let length: Int
        switch Int32(address.pointee.sa_family) {
        case AF_INET: length = MemoryLayout<sockaddr_in>.size
        case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
        default: return []
        }
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard
            getnameinfo(address, socklen_t(length), &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0
        else { return [] }
        return [String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)]
    }
}
