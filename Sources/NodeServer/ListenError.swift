import Glibc

/// Why the node cannot listen on its address.
public struct ListenError: Error, Equatable, Sendable {
    public let address: ListenAddress
    /// As of the system call.
    public let errno: Int32
}

extension ListenError: CustomStringConvertible {
    public var description: String {
        switch errno {
        case EADDRINUSE:
            "\(address) is in use by another program (`ss -ltnp 'sport = :\(address.port)'` says which); stop it, "
                + "or choose another address with --listen (server.listen)"
        case EACCES, EPERM:
            "this user may not listen on \(address); take a port above 1023, or give the service "
                + "CAP_NET_BIND_SERVICE"
        case EADDRNOTAVAIL:
            "this machine has no address \(address.host); set server.listen to one of `ip addr`, or to 0.0.0.0"
        default:
            "\(address) cannot be listened on: \(String(cString: strerror(errno))); set server.listen to "
                + "ADDRESS:PORT"
        }
    }
}
