import BlockStorage
import Catalog
import GatewayAPI
import HTTPSupport
import HTTPTypes
import IPLD
import IPNS
import Multiformats
import NodeCore
import TestKit
import Testing

/// Delegated routing over what a node knows.
@Suite struct RoutingDoorTests {
    let laboratory: GatewayLaboratory
    let door: RoutingDoor
    private static let type = "application/vnd.ipfs.ipns-record"

    init() throws {
        laboratory = try GatewayLaboratory()
        door = RoutingDoor(node: laboratory.node, gateway: laboratory.gateway)
    }

    private func ask(
        _ path: String, _ fields: HTTPFields = [:], method: HTTPRequest.Method = .get, body: [UInt8] = []
    ) throws -> (status: Int, fields: HTTPFields, bytes: [UInt8]) {
        let request = DoorRequest(
            method: method, target: try RequestTarget("/routing/v1/" + path), fields: fields)
        let response = door.respond(to: request, body: body)
        guard case .bytes(let bytes) = response.body else {
            return (response.status.code, response.fields, [])
        }
        return (response.status.code, response.fields, bytes)
    }

    @Test func theNodeProvidesWhatItHoldsForEverybody() throws {
        let (open, secret) = (Block(content: [1]), Block(content: [2]))
        try laboratory.node.store.put(open, scope: .public)
        try laboratory.node.store.put(secret)
        let held = try ask("providers/\(open.cid)")
        let id = try laboratory.node.secrets.nodeKey().publicKey.peerID
        #expect(held.status == 200 && String(decoding: held.bytes, as: UTF8.self).contains("\(id)"))
        for cid in [secret.cid, Block(content: [3]).cid] {
            let none = try ask("providers/\(cid)")
            #expect(none.status == 200 && none.bytes == Array("{\"Providers\":[]}".utf8))
            #expect(none.fields[.cacheControl]?.hasPrefix("public, max-age=15") == true)
        }
        let stream = try ask("providers/\(open.cid)", [.accept: "application/x-ndjson"])
        #expect(stream.bytes.last == 10 && stream.fields[.contentType] == "application/x-ndjson")
        #expect(try ask("peers/\(id)").bytes.count > 30)
        #expect(try ask("providers/nonsense").status == 400)
        #expect(try ask("nothing/x").status == 400)
        #expect(try ask("providers/\(open.cid)", method: .put).status == 501)
    }

    @Test func recordsArePutAndFoundAgain() throws {
        let key = PrivateKey.generate()
        let name = try key.publicKey.peerID
        func record(_ sequence: UInt64) throws -> [UInt8] {
            let draft = IPNSRecordDraft(
                target: ContentPath(Block(content: [1]).cid), sequence: sequence,
                validUntil: IPNSTime.now.adding(.seconds(3600)))
            return try IPNSRecord(signing: draft, with: key).bytes
        }
        let none = try ask("ipns/\(name.ipnsName)")
        #expect(none.status == 200 && none.fields[.contentType] != Self.type, "no record, and not a 404")
        let put = try ask("ipns/\(name)", [.contentType: Self.type], method: .put, body: record(2))
        #expect(put.status == 200)
        let found = try ask("ipns/\(name.ipnsName)", [.accept: Self.type])
        #expect(found.status == 200 && found.fields[.contentType] == Self.type)
        #expect(try IPNSRecord(validating: found.bytes, for: name, at: .now).sequence == 2)
        #expect(
            try ask("ipns/\(name)", [.contentType: Self.type], method: .put, body: record(1)).status == 409)
        #expect(try ask("ipns/\(name)", method: .put, body: record(3)).status == 406)
        var forged = try record(4)
        forged[forged.count - 1] ^= 1
        #expect(try ask("ipns/\(name)", [.contentType: Self.type], method: .put, body: forged).status == 400)
        #expect(try ask("ipns/\(name)", [.accept: "text/html"]).status == 406)
    }

    @Test func whatIsNotKnownOfAPeerIsLeftOutAndEmptyAnswersAreKeptForLess() throws {
        let open = Block(content: [1])
        try laboratory.node.store.put(open, scope: .public)
        let id = try laboratory.node.secrets.nodeKey().publicKey.peerID
        for path in ["providers/\(open.cid)", "peers/\(id)"] {
            let held = try ask(path)
            let text = String(decoding: held.bytes, as: UTF8.self)
            #expect(!text.contains("Addrs") && text.contains("transport-ipfs-gateway-http"), "\(text)")
            #expect(held.fields[.cacheControl]?.hasPrefix("public, max-age=300,") == true)
            // A filter that takes out everything leaves an empty answer.
            for filter in ["filter-addrs=tcp", "filter-protocols=transport-bitswap"] {
                let none = try ask(path + "?" + filter)
                #expect(String(decoding: none.bytes, as: UTF8.self).hasSuffix(":[]}"))
                #expect(none.fields[.cacheControl]?.hasPrefix("public, max-age=15,") == true)
                let stream = try ask(path + "?" + filter, [.accept: "application/x-ndjson"])
                #expect(stream.status == 200 && stream.bytes.isEmpty)
            }
        }
    }

    @Test func whereTheNodeIsIsToldAsItWasSet() throws {
        let open = Block(content: [1])
        try laboratory.node.store.put(open, scope: .public)
        let address = try #require(AnnouncedAddress("https://node.example")?.multiaddr)
        let door = RoutingDoor(
            node: laboratory.node, gateway: laboratory.gateway, addresses: [address])
        let id = try laboratory.node.secrets.nodeKey().publicKey.peerID
        for path in ["providers/\(open.cid)", "peers/\(id)"] {
            let target = try RequestTarget("/routing/v1/" + path)
            let response = door.respond(to: DoorRequest(method: .get, target: target, fields: [:]), body: [])
            guard case .bytes(let bytes) = response.body else { continue }
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.contains("\"Addrs\":[\"/dns/node.example/tcp/443/https\"]"), "\(text)")
            #expect(text.contains("\"Protocols\":[\"transport-ipfs-gateway-http\"]"))
        }
    }

    @Test(arguments: [
        ("https://node.example", "/dns/node.example/tcp/443/https"),
        ("https://node.example:8443/", "/dns/node.example/tcp/8443/https"),
        ("http://192.0.2.1:8080", "/ip4/192.0.2.1/tcp/8080/http"),
        ("http://[2001:db8::1]", "/ip6/2001:db8::1/tcp/80/http"),
        ("/dns4/node.example/tcp/443/tls/http", "/dns4/node.example/tcp/443/tls/http"),
        ("https://", nil), ("https://a b", nil), ("https://a/path", nil), ("https://a:0", nil),
        ("https://a:99999", nil), ("ftp://a", nil), ("/ip4/300.1.1.1/tcp/1", nil), ("/p2p/x", nil),
        ("/", nil),
        ("node.example", nil), ("/dns/A/tcp/1", nil), ("/dns/a/", nil),
    ]) func announcedAddressesAreURLsOrMultiaddrs(text: String, expected: String?) {
        #expect(AnnouncedAddress(text)?.multiaddr == expected)
    }
}
