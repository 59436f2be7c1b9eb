public import Multiformats

/// A peer, as delegated routing answers with it.
///
/// Spec: ipfs/specs, "Delegated Routing V1 HTTP API", peer schema.
public struct RoutingPeer: Hashable, Sendable {
    public var id: PeerID
    /// Multiaddrs, as text.
    public var addresses: [String]
    /// Names of transfer protocols: `transport-ipfs-gateway-http`, `transport-bitswap`.
    public var protocols: [String]

    public init(id: PeerID, addresses: [String] = [], protocols: [String] = []) {
        self.id = id
        self.addresses = addresses
        self.protocols = protocols
    }
}
