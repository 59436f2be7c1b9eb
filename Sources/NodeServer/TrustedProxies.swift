import HTTPSupport
import HTTPTypes

/// Makes requests of what a connection brought; what proxies say of clients is believed only from proxies
/// that were named.
///
/// Bad input 33: from anybody else `X-Forwarded-…` is a claim like any other and is passed over.
struct TrustedProxies: Sendable {
    private let addresses: Set<String>

    init(_ addresses: Set<String>) { self.addresses = addresses }

    /// - Parameters:
    ///   - scheme: what the connection is.
    ///   - peer: the address at the other end of the connection.
    func request(
        _ head: HTTPRequest, id: String, scheme: String, peer: String
    ) throws(RequestTargetError) -> DoorRequest {
        var target = head.path ?? "/"
        var authority = head.authority ?? ""
        // The absolute form, which proxies get: RFC 9112 section 3.2.2.
        for prefix in ["http://", "https://"] where target.lowercased().hasPrefix(prefix) {
            let rest = target.dropFirst(prefix.count)
            let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
            authority = String(rest[..<end])
            target = rest[end...].first == "/" ? String(rest[end...]) : "/" + rest[end...]
            break
        }
        var scheme = scheme
        var address = peer
        if addresses.contains(peer) {
            let fields = head.headerFields
            if let host = fields[.forwardedHost], !host.isEmpty { authority = Self.first(host) }
            if let proto = fields[.forwardedProto].map(Self.first), ["http", "https"].contains(proto) {
                scheme = proto
            }
            // The last entry is what our proxy saw; those before it are what it was told.
            let chain = fields[values: .forwardedFor].joined(separator: ",").split(separator: ",")
            if let client = chain.last { address = String(client.filter { $0 != " " }) }
        }
        return DoorRequest(
            method: head.method, target: try RequestTarget(target), fields: head.headerFields,
            authority: authority.lowercased(), scheme: scheme, remoteAddress: address, id: id)
    }

    private static func first(_ list: String) -> String {
        String(list.split(separator: ",").first ?? "").filter { $0 != " " }.lowercased()
    }
}
