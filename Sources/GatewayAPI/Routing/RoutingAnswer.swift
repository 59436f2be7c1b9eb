import Multiformats

/// Answers of delegated routing, as bytes.
///
/// Spec: ipfs/specs, "Delegated Routing V1 HTTP API".
public enum RoutingAnswer {
    /// What the answer's list is of.
    public enum List: String, Sendable {
        case providers = "Providers"
        case peers = "Peers"
    }

    /// The most records of a JSON answer; streams have no such limit.
    public static let maximumRecords = 100

    /// `{"Providers":[…]}`, for `application/json`. Nothing found is an empty list (IPIP-513).
    public static func json(
        _ list: List, _ peers: [RoutingPeer], filter: RoutingFilter = RoutingFilter()
    ) -> [UInt8] {
        let records = peers.lazy.compactMap { filter.apply(to: $0) }.prefix(maximumRecords).map { object($0) }
        return Array("{\"\(list.rawValue)\":[\(records.joined(separator: ","))]}".utf8)
    }

    /// One record and a newline, for `application/x-ndjson`; empty if the filter does not let it through.
    public static func line(_ peer: RoutingPeer, filter: RoutingFilter = RoutingFilter()) -> [UInt8] {
        guard let peer = filter.apply(to: peer) else { return [] }
        return Array((object(peer) + "\n").utf8)
    }

    /// What is not known is left out, as the specification allows.
    private static func object(_ peer: RoutingPeer) -> String {
        let addresses = peer.addresses.isEmpty ? "" : ",\"Addrs\":" + array(peer.addresses)
        let protocols = peer.protocols.isEmpty ? "" : ",\"Protocols\":" + array(peer.protocols)
        return "{\"Schema\":\"peer\",\"ID\":\(string(peer.id.description))\(addresses)\(protocols)}"
    }

    private static func array(_ texts: [String]) -> String {
        "[" + texts.map(string).joined(separator: ",") + "]"
    }

    /// Spec: RFC 8259 section 7.
    private static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
