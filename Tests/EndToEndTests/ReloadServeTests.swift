import Foundation
import Glibc
import TestKit
import Testing

/// What SIGHUP takes over, what the roles open, and where spans go.
@Suite struct ReloadServeTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    private func configure(_ text: String) throws {
        try Data(text.utf8).write(
            to: URL(fileURLWithPath: directory.path("data/nacre.toml")), options: .atomic)
    }

    @Test func aReloadTakesOverWhatCanChangeAndNamesWhatNeedsARestart() throws {
        let hidden = try #require(
            try nacre.run(["add", "-Q", "--private", "-"], input: Array("hidden".utf8)).lines.first)
        let served = try ServedNacre(nacre)
        #expect(try served.get("/ipfs/\(hidden)").hasPrefix("HTTP/1.1 404 "))
        #expect(try served.get("/", host: "site.test").contains("This is a Nacre node"))
        #expect(try served.get("/metrics").hasPrefix("HTTP/1.1 401 "))
        try configure(
            """
            roles = ["gateway"]
            [server]
            stop_seconds = 29
            max_header_bytes = 2048
            [gateway]
            serve = "all"
            dnslink = { "site.test" = "/ipfs/\(hidden)" }
            [metrics]
            public = true
            [log]
            level = "debug"
            """)
        served.running.signal(SIGHUP)
        try served.running.wait("it is taken over") { served.said.contains("configuration taken over") }
        #expect(try served.get("/ipfs/\(hidden)").hasSuffix("hidden"))
        #expect(try served.get("/", host: "site.test").hasSuffix("hidden"))
        #expect(try served.get("/metrics").hasPrefix("HTTP/1.1 200 "))
        let long = "X: " + String(repeating: "a", count: 3000) + "\n"
        #expect(try served.get("/health/live", long).hasPrefix("HTTP/1.1 431 "))
        #expect(served.said.contains("these settings need a restart settings=server.stop_seconds"))
        #expect(served.said.contains("debug answered"))
        // A typing error changes nothing.
        try configure("[gateway]\nserv = \"public\"\n")
        served.running.signal(SIGHUP)
        try served.running.wait("it is refused") { served.said.contains("configuration not taken over") }
        #expect(served.said.contains("did you mean gateway.serve"))
        #expect(try served.get("/ipfs/\(hidden)").hasSuffix("hidden"))
        try served.end()
    }

    @Test func routesOfARoleThatIsOffSaySo() throws {
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: [1]).lines.first)
        let served = try ServedNacre(nacre, ["NACRE_ROLES": ""])
        for path in ["/ipfs/\(root)", "/routing/v1/providers/\(root)"] {
            let answer = try served.get(path)
            #expect(answer.hasPrefix("HTTP/1.1 404 ") && answer.contains("role gateway"), "\(answer)")
        }
        try served.end()
        var nacre = nacre
        nacre.environment["NACRE_ROLES"] = "gateway gatewy"
        let refused = try nacre.run("serve", "--listen", "127.0.0.1:0")
        #expect(
            refused.status == 2 && refused.errors.contains("there is no role gatewy"), "\(refused.errors)")
    }

    @Test func spansOfRequestsReachACollectorWithoutPathsOrSecrets() throws {
        let receiver = try SpanReceiver()
        let served = try ServedNacre(
            nacre,
            [
                "NACRE_OTLP_ENDPOINT": "http://127.0.0.1:\(receiver.port)", "NACRE_METRICS_PUBLIC": "true",
            ])
        let parent = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n"
        _ = try served.get("/ipfs/not-a-cid-but-a-secret", parent)
        _ = try served.get("/health/live", "Authorization: Bearer secret\n")
        // Waits for the first batch, which comes some seconds later, and answers it.
        let received = try receiver.take()
        #expect(received.hasPrefix("POST /v1/traces HTTP/1.1"), "\(received.prefix(200))")
        let body = try #require(received.range(of: "\r\n\r\n"))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(received[body.upperBound...].utf8)) as? [String: Any])
        let resources = try #require(object["resourceSpans"] as? [[String: Any]])
        let scopes = try #require(resources.first?["scopeSpans"] as? [[String: Any]])
        let spans = try #require(scopes.first?["spans"] as? [[String: Any]])
        let content = try #require(spans.first { $0["name"] as? String == "GET /ipfs/{path}" })
        #expect(content["traceId"] as? String == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(content["parentSpanId"] as? String == "00f067aa0ba902b7")
        #expect(spans.contains { $0["name"] as? String == "GET /health/live" })
        #expect(!received.contains("secret"))
        try served.running.wait("the batch counts") {
            try served.metric("nacre_spans_sent_total") >= 2
        }
        try served.end()
    }

    @Test func aCollectorThatIsAwayCostsNothingButItsSpans() throws {
        // A port that nobody listens on: taken, and given back.
        let port = try SpanReceiver().port
        let served = try ServedNacre(nacre, ["NACRE_OTLP_ENDPOINT": "http://127.0.0.1:\(port)"])
        _ = try served.get("/health/live")
        try served.running.wait("the log tells of it") { served.said.contains("spans are lost") }
        try served.end()
    }
}

/// Takes one request on loopback and answers 200.
private final class SpanReceiver {
    let port: UInt16
    private let listener: Int32

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 8) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        try #require(result)
        var time = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(listener) }

    func take() throws -> String {
        let connection = accept(listener, nil, nil)
        try #require(connection >= 0, "nobody came")
        defer { close(connection) }
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65536)
        while !isWhole(text) {
            let count = recv(connection, &buffer, buffer.count, 0)
            try #require(count > 0)
            text += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".utf8)
        _ = send(connection, answer, answer.count, Int32(MSG_NOSIGNAL))
        return text
    }

    private func isWhole(_ text: String) -> Bool {
        guard let end = text.range(of: "\r\n\r\n") else { return false }
        let fields = text[..<end.lowerBound].lowercased()
        guard let length = fields.components(separatedBy: "content-length: ").dropFirst().first else {
            return false
        }
        return text[end.upperBound...].utf8.count >= Int(length.prefix { $0.isNumber }) ?? 0
    }
}
