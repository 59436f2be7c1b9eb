/// Which peers a client wants, and which of their addresses (`filter-addrs`, `filter-protocols`).
///
/// Spec: IPIP-484.
public struct RoutingFilter: Hashable, Sendable {
    private var wantedAddresses: Set<String> = []
    private var unwantedAddresses: Set<String> = []
    private var protocols: Set<String> = []

    /// The most names in a filter; more are passed over.
    public static let maximumNames = 64
    private static let unknown = "unknown"

    /// - Parameters:
    ///   - addresses: the value of `filter-addrs`, decoded: names of multiaddr protocols, `!` before those
    ///     that are not wanted, `unknown` for peers without addresses.
    ///   - protocols: the value of `filter-protocols`.
    public init(addresses: String? = nil, protocols: String? = nil) {
        for name in Self.names(addresses) {
            if name.hasPrefix("!") {
                unwantedAddresses.insert(String(name.dropFirst()))
            } else {
                wantedAddresses.insert(name)
            }
        }
        self.protocols = Set(Self.names(protocols))
    }

    private static func names(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",", maxSplits: maximumNames).prefix(maximumNames).map {
            String($0.filter { !$0.isWhitespace }).lowercased()
        }.filter { !$0.isEmpty }
    }

    /// The peer with the addresses that are wanted; `nil` if it is not wanted.
    public func apply(to peer: RoutingPeer) -> RoutingPeer? {
        guard allowsProtocols(of: peer) else { return nil }
        guard !wantedAddresses.isEmpty || !unwantedAddresses.isEmpty else { return peer }
        if peer.addresses.isEmpty {
            // Without any positive name, nothing excludes a peer of which nothing is known.
            return wantedAddresses.isEmpty || wantedAddresses.contains(Self.unknown) ? peer : nil
        }
        var kept = peer
        kept.addresses = peer.addresses.filter(allows)
        return kept.addresses.isEmpty ? nil : kept
    }

    private func allows(_ address: String) -> Bool {
        let names = Set(address.lowercased().split(separator: "/").map(String.init))
        guard unwantedAddresses.isDisjoint(with: names) else { return false }
        return wantedAddresses.isEmpty || !wantedAddresses.isDisjoint(with: names)
    }

    private func allowsProtocols(of peer: RoutingPeer) -> Bool {
        if protocols.isEmpty { return true }
        if peer.protocols.isEmpty { return protocols.contains(Self.unknown) }
        return peer.protocols.contains { protocols.contains($0.lowercased()) }
    }
}
