import HTTPSupport
import HTTPTypes
import NodeCore
import Testing

@testable import NodeServer

@Suite struct TrustedProxiesTests {
    private func request(
        _ proxies: [String], peer: String = "192.0.2.1", path: String = "/", authority: String? = "node.test",
        _ fields: HTTPFields = [:]
    ) throws(RequestTargetError) -> DoorRequest {
        var head = HTTPRequest(method: .get, scheme: "https", authority: authority, path: path)
        head.headerFields = fields
        return try TrustedProxies(proxies).request(head, id: "", scheme: "http", peer: peer)
    }

    @Test func badInput33NobodyIsBelievedWhoWasNotNamed() throws {
        let fields: HTTPFields = [
            .forwardedFor: "198.51.100.7", .forwardedProto: "https", .forwardedHost: "evil.test",
            .forwarded: "for=198.51.100.7;proto=https;host=evil.test",
        ]
        let plain = try request(["192.0.2.2"], fields)
        #expect(
            plain.remoteAddress == "192.0.2.1" && plain.scheme == "http" && plain.authority == "node.test")
        let trusted = try request(["192.0.2.0/24"], fields)
        #expect(
            trusted.remoteAddress == "198.51.100.7" && trusted.scheme == "https"
                && trusted.authority == "evil.test")
        // The same proxy on a socket of IPv6.
        let mapped = try request(["192.0.2.1"], peer: "::ffff:192.0.2.1", fields)
        #expect(mapped.remoteAddress == "198.51.100.7")
    }

    @Test(arguments: [
        ("10.9.9.9, 198.51.100.7", "198.51.100.7"), ("evil, 198.51.100.7, 192.0.2.9", "198.51.100.7"),
        ("198.51.100.7:4711", "198.51.100.7"), ("[2001:db8::7]:4711", "2001:db8::7"),
        ("unknown", "192.0.2.1"), ("", "192.0.2.1"), ("198.51.100.7, \"><script>", "192.0.2.1"),
        ("192.0.2.8, 192.0.2.9", "192.0.2.8"),
    ])
    func badInput33TheLastAddressThatIsNoProxyIsTheClient(list: String, client: String) throws {
        #expect(try request(["192.0.2.0/24"], [.forwardedFor: list]).remoteAddress == client)
    }

    @Test func badInput26AHostIsNamedOnce() throws {
        #expect(throws: RequestTargetError.badHost) { try request([], [.host: "evil.test"]) }
        #expect(throws: RequestTargetError.badHost) { try request([], path: "http://evil.test/") }
        #expect(throws: RequestTargetError.badHost) { try request([], path: "http://user@node.test/") }
        for authority in ["a b", "a/b", "a\"b", "user@node.test", "<script>"] {
            #expect(throws: RequestTargetError.badHost) { try request([], authority: authority) }
        }
        #expect(try request([], path: "http://NODE.test/x?y").target.path == "/x")
        #expect(try request([], authority: "[::1]:8080").host == "[::1]")
        #expect(try request([], authority: nil).authority == "")
    }
}

extension HTTPField.Name {
    fileprivate static var forwarded: HTTPField.Name { HTTPField.Name("Forwarded") ?? .forwardedFor }
}

@Suite struct ServerKeyTests {
    @Test func listsOfTheServerAreChecked() {
        func problem(_ key: ConfigurationKey, _ text: String) -> String? { key.problem(with: text) }
        for text in ["", "127.0.0.1", "10.0.0.0/8 ::1 2001:db8::/32", "0.0.0.0/0"] {
            #expect(problem(.trustedProxies, text) == nil, "\(text)")
        }
        for text in ["proxy.test", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "2001:db8::1/64"]
        {
            #expect(problem(.trustedProxies, text) != nil, "\(text)")
        }
        #expect(problem(.origins, "https://app.test http://localhost:3000 http://[::1]:80") == nil)
        for text in ["app.test", "https://", "https://app.test/", "ftp://app.test", "*", "https://App.test"] {
            #expect(problem(.origins, text) != nil, "\(text)")
        }
        #expect(problem(.hosts, "node.test a.b") == nil && problem(.hosts, "node.test:80") != nil)
        #expect(problem(.roles, "gateway") == nil && problem(.roles, "") == nil)
        #expect(problem(.roles, "s3")?.contains("gateway") == true, "it names those that are known")
    }
}
