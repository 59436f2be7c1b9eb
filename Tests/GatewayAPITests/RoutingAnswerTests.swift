import Foundation
import GatewayAPI
import Multiformats
import TestKit
import Testing

/// Answers of delegated routing, and the filters of IPIP-484.
@Suite struct RoutingAnswerTests {
    private static func peer(_ addresses: [String], _ protocols: [String]) throws -> RoutingPeer {
        RoutingPeer(
            id: try PeerID(text: "12D3KooWLQzUv2FHWGVPXTXSZpdHs7oHbXub2G5WC8Tx4NQhyd2d"),
            addresses: addresses,
            protocols: protocols)
    }

    private static let addresses = [
        "/ip4/192.0.2.1/tcp/4001", "/ip4/192.0.2.1/udp/4001/quic-v1", "/dns4/a.test/tcp/443/tls/http",
        "/ip4/192.0.2.1/udp/4001/quic-v1/p2p/12D3KooWLQzUv2FHWGVPXTXSZpdHs7oHbXub2G5WC8Tx4NQhyd2d/p2p-circuit",
    ]

    @Test(
        arguments: [
            (nil, [0, 1, 2, 3]), ("", [0, 1, 2, 3]), ("tcp", [0, 2]), ("TCP, quic-v1", [0, 1, 2, 3]),
            ("!p2p-circuit", [0, 1, 2]), ("quic-v1,!p2p-circuit", [1]), ("http", [2]), ("!tcp,!udp", nil),
            ("unknown", nil), ("unknown,http", [2]), ("tc", nil),
        ] as [(String?, [Int]?)])
    func addressesAreFiltered(filter: String?, kept: [Int]?) throws {
        let found = RoutingFilter(addresses: filter).apply(to: try Self.peer(Self.addresses, []))
        #expect(found?.addresses == kept?.map { Self.addresses[$0] })
    }

    @Test(
        arguments: [
            (nil, true), ("unknown", true), ("unknown,tcp", true), ("tcp", false), ("!tcp", true),
        ] as [(String?, Bool)])
    func peersWithoutAddressesStayWhereUnknownIsWanted(filter: String?, isKept: Bool) throws {
        #expect((RoutingFilter(addresses: filter).apply(to: try Self.peer([], [])) != nil) == isKept)
    }

    @Test(
        arguments: [
            (nil, ["transport-bitswap"], true), ("transport-bitswap", ["Transport-Bitswap"], true),
            ("transport-ipfs-gateway-http", ["transport-bitswap"], false), ("unknown", [], true),
            ("transport-bitswap", [], false), ("unknown", ["transport-bitswap"], false),
        ] as [(String?, [String], Bool)])
    func protocolsKeepOrDropWholePeers(filter: String?, protocols: [String], isKept: Bool) throws {
        let found = RoutingFilter(protocols: filter).apply(to: try Self.peer(Self.addresses, protocols))
        #expect((found != nil) == isKept)
        if isKept { #expect(found?.addresses == Self.addresses) }
    }

    @Test func answersAreJSON() throws {
        let odd = try Self.peer(["/dns4/\"a\\b\u{1}é/tcp/1"], ["transport-ipfs-gateway-http"])
        let bytes = RoutingAnswer.json(.providers, [odd])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: [[String: Any]]])
        let record = try #require(object["Providers"]?.first)
        #expect(record["Schema"] as? String == "peer")
        #expect(record["ID"] as? String == odd.id.description)
        #expect(record["Addrs"] as? [String] == odd.addresses)
        #expect(record["Protocols"] as? [String] == odd.protocols)
        #expect(String(decoding: RoutingAnswer.json(.peers, []), as: UTF8.self) == "{\"Peers\":[]}")
        let many = [RoutingPeer](repeating: odd, count: 150)
        let all =
            try JSONSerialization.jsonObject(with: Data(RoutingAnswer.json(.peers, many))) as? [String: [Any]]
        #expect(all?["Peers"]?.count == 100)
    }

    @Test func streamsHaveALineForEachPeer() throws {
        let peer = try Self.peer(Self.addresses, [])
        let line = RoutingAnswer.line(peer)
        #expect(line.last == 0x0A)
        #expect(line.filter { $0 == 0x0A }.count == 1)
        #expect(try JSONSerialization.jsonObject(with: Data(line)) is [String: Any])
        #expect(RoutingAnswer.line(peer, filter: RoutingFilter(addresses: "ws")).isEmpty)
    }
}
