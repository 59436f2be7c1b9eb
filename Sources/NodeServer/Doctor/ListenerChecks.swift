import Glibc
import NodeCore

/// Whether the node can listen where it is told to, and who can reach it there.
struct ListenerChecks {
    let configuration: Configuration
    let holder: LockHolder?

    func findings() -> [Finding] {
        guard let address = ListenAddress(configuration[.listen]) else { return [] }
        return [port(address), reach(address), encryption(address)]
    }

    private func port(_ address: ListenAddress) -> Finding {
        if let served = holder?.address { return .ok("port", "the running node has \(served)") }
        if address.port == 0 { return .ok("port", "the system chooses one that is free") }
        switch Self.bind(address) {
        case 0: return .ok("port", "\(address) is free")
        case EADDRINUSE:
            return .fail(
                "port", "another program listens on \(address)",
                advice: "`ss -ltnp 'sport = :\(address.port)'` says which; end it, or set server.listen")
        case EACCES:
            return .fail(
                "port", "this user may not listen on \(address)",
                advice: "take a port above 1023, or give the service CAP_NET_BIND_SERVICE")
        case EADDRNOTAVAIL:
            return .fail(
                "port", "this machine has no address \(address.host)",
                advice: "set server.listen to one of `ip addr`, or to 0.0.0.0")
        case let code:
            return .fail(
                "port", "\(address) cannot be listened on: \(String(cString: strerror(code)))",
                advice: "set server.listen to ADDRESS:PORT")
        }
    }

    private func reach(_ address: ListenAddress) -> Finding {
        if address.isLoopback { return .ok("reach", "only this machine can reach the node") }
        guard configuration[.gatewayServe] != "all" else {
            return .warn(
                "reach", "everybody who reaches \(address) can read everything (gateway.serve = all)",
                advice: "set gateway.serve = public, unless nothing private is in it")
        }
        return .ok("reach", "the network can reach the node at \(address)")
    }

    /// Whether what keys allow travels in the open.
    private func encryption(_ address: ListenAddress) -> Finding {
        let check = "encryption"
        if !configuration[.tlsCertificate].isEmpty {
            return .ok(check, "the node speaks TLS")
        }
        if address.isLoopback { return .ok(check, "not needed: only this machine can reach the node") }
        let proxies = configuration.words(.trustedProxies)
        guard proxies.isEmpty else {
            return .ok(check, "left to the proxy in front (\(proxies.joined(separator: ", ")))")
        }
        return .warn(
            check,
            "the node listens on \(address) without TLS: keys, passwords and content can be read on the way",
            advice: "set tls.certificate and tls.key (docs/how-to/https.md); or listen on 127.0.0.1 behind a "
                + "proxy that speaks TLS, and name it in server.trusted_proxies (docs/how-to/nginx.md)")
    }

    /// Listens for a moment.
    ///
    /// - Returns: 0, or why it cannot be.
    private static func bind(_ address: ListenAddress) -> Int32 {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, String(address.port), &hints, &list) == 0, let first = list else {
            return EADDRNOTAVAIL
        }
        defer { freeaddrinfo(list) }
        let descriptor = socket(
            first.pointee.ai_family, first.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        // As the server does: connections that are just ending are no reason.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard Glibc.bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0,
            listen(descriptor, 1) == 0
        else { return errno }
        return 0
    }
}

extension ListenAddress {
    /// Whether only this machine can reach it.
    fileprivate var isLoopback: Bool { host.hasPrefix("127.") || host == "::1" || host == "localhost" }
}
