import Access
import HTTPSupport
import HTTPTypes

/// Makes requests of what a connection brought; what proxies say of clients is believed only from proxies
/// that were named.
///
/// Bad input 33: from anybody else `X-Forwarded-…` is a claim like any other and is passed over.
struct TrustedProxies: Sendable {
    private let ranges: [AddressRange]

    /// - Parameter texts: addresses and ranges such as `10.0.0.0/8`; what is neither stands for nobody.
    init(_ texts: [String]) { ranges = texts.compactMap { try? AddressRange(text: $0) } }

    /// Whether what this address forwards is believed.
    func contains(_ address: String) -> Bool {
        guard !ranges.isEmpty, let address = IPAddress(address) else { return false }
        return ranges.contains { $0.contains(address) }
    }

    /// - Parameters:
    ///   - scheme: what the connection is.
    ///   - peer: the address at the other end of the connection.
    func request(
        _ head: HTTPRequest, id: String, scheme: String, peer: String
    ) throws(RequestTargetError) -> DoorRequest {
        var target = head.path ?? "/"
        var authority = head.authority ?? ""
        // Beside the first one: another reader on the way may believe the other.
        for other in head.headerFields[values: .host] where other != authority { throw .badHost }
        // The absolute form, which proxies get: RFC 9112 section 3.2.2.
        for prefix in ["http://", "https://"] where target.lowercased().hasPrefix(prefix) {
            let rest = target.dropFirst(prefix.count)
            let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
            let named = String(rest[..<end])
            guard authority.isEmpty || named.lowercased() == authority.lowercased() else { throw .badHost }
            authority = named
            target = rest[end...].first == "/" ? String(rest[end...]) : "/" + rest[end...]
            break
        }
        var scheme = scheme
        var address = peer
        if contains(peer) {
            let fields = head.headerFields
            if let host = fields[.forwardedHost], !host.isEmpty { authority = Self.first(host) }
            if let proto = fields[.forwardedProto].map(Self.first), ["http", "https"].contains(proto) {
                scheme = proto
            }
            address = client(fields[values: .forwardedFor]) ?? peer
        }
        guard authority.utf8.allSatisfy(Self.isOfHost) else { throw .badHost }
        return DoorRequest(
            method: head.method, target: try RequestTarget(target), fields: head.headerFields,
            authority: authority.lowercased(), scheme: scheme, remoteAddress: address, id: id)
    }

    /// The last entry that is no proxy of ours is what the first of ours saw; those before it are what it was
    /// told.
    ///
    /// - Returns: `nil` if nothing can be made of it.
    private func client(_ lists: [String]) -> String? {
        var client: String?
        for entry in lists.joined(separator: ",").split(separator: ",").reversed().prefix(Self.maximumHops) {
            guard let address = IPAddress(Self.withoutPort(entry.filter { $0 != " " })) else { return client }
            client = address.description
            guard ranges.contains(where: { $0.contains(address) }) else { return client }
        }
        return client
    }

    private static let maximumHops = 32

    /// `192.0.2.1:80` and `[2001:db8::1]:80`, as some proxies write them.
    private static func withoutPort(_ entry: String) -> String {
        if entry.hasPrefix("[") { return String(entry.dropFirst().prefix { $0 != "]" }) }
        return entry.filter { $0 == ":" }.count == 1 ? String(entry.prefix { $0 != ":" }) : entry
    }

    private static func first(_ list: String) -> String {
        String(list.split(separator: ",").first ?? "").filter { $0 != " " }.lowercased()
    }

    /// Letters, digits, `.`, `-`, `_`, and `:`, `[`, `]` of ports and addresses.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x3A, 0x41...0x5B, 0x5D, 0x5F, 0x61...0x7A, 0x2D, 0x2E: true
        default: false
        }
    }
}
