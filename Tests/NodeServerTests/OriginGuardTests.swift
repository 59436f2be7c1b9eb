import HTTPSupport
import HTTPTypes
import Testing

@testable import NodeServer

@Suite struct OriginGuardTests {
    private func guardian(hosts: [String] = [], origins: [String] = []) -> OriginGuard {
        var options = ServerOptions(address: ListenAddress(host: "127.0.0.1", port: 8080))
        options.hosts = hosts
        options.origins = origins
        return OriginGuard(options, gatewayHosts: ["gateway.test"])
    }

    private func request(_ authority: String, origin: String? = nil) throws -> DoorRequest {
        var fields: HTTPFields = [:]
        if let origin { fields[.origin] = origin }
        return DoorRequest(
            method: .get, target: try RequestTarget("/metrics"), fields: fields, authority: authority)
    }

    @Test(arguments: [
        "", "localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "192.0.2.1", "node.test",
        "node.test:443", "gateway.test",
    ])
    func knownNamesAndAddressesAreAnswered(authority: String) throws {
        let refusal = try guardian(hosts: ["node.test"]).refusal(of: request(authority))
        #expect(refusal == nil)
    }

    @Test(arguments: [
        "evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "x.localhost", "127.0.0.1.nip.io",
        "node.test.",
    ])
    func badInput31NamesThatAreNotTheNodesAreRefused(authority: String) throws {
        let refusal = try #require(try guardian(hosts: ["node.test"]).refusal(of: request(authority)))
        #expect(refusal.status == .misdirectedRequest)
        guard case .bytes(let body) = refusal.body else { throw Missing() }
        #expect(String(decoding: body, as: UTF8.self).contains("server.hosts"), "it says what to set")
    }

    @Test func badInput31PagesOfOthersAreRefused() throws {
        let guardian = guardian(origins: ["https://app.test"])
        for origin in ["null", "http://evil.test", "https://localhost:8080", "http://app.test", ""] {
            let refusal = try guardian.refusal(of: request("localhost:8080", origin: origin))
            #expect(refusal?.status == .forbidden, "\(origin)")
        }
        for origin in ["http://localhost:8080", "https://app.test"] {
            #expect(try guardian.refusal(of: request("localhost:8080", origin: origin)) == nil)
        }
    }

    @Test func badInput31OnlyNamedOriginsMayReadAndNeverWithCookies() throws {
        let guardian = guardian(origins: ["https://app.test"])
        var answer = DoorResponse(.ok)
        guardian.share(&answer, with: try request("localhost", origin: "https://app.test"))
        #expect(
            answer.fields[.accessControlAllowOrigin] == "https://app.test" && answer.fields[.vary] == "Origin"
        )
        #expect(answer.fields[.accessControlAllowCredentials] == nil)
        var other = DoorResponse(.ok)
        guardian.share(&other, with: try request("localhost", origin: "http://localhost"))
        #expect(other.fields[.accessControlAllowOrigin] == nil)
    }

    private struct Missing: Error {}
}
