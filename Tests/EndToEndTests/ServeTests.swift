import Foundation
import Glibc
import IPLD
import Multiformats
import TestKit
import Testing

/// `nacre serve` over real sockets.
@Suite struct ServeTests {
    let directory: TemporaryDirectory
    var nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    /// A server with its port, which it writes into the LOCK file.
    private func start(_ settings: [String: String] = [:]) throws -> (RunningNacre, UInt16) {
        var nacre = nacre
        nacre.environment.merge(settings) { $1 }
        let running = try RunningNacre(nacre, ["serve", "--listen", "127.0.0.1:0"])
        var port: UInt16?
        try running.wait("it listens") {
            let lock = try? String(contentsOfFile: directory.path("data/LOCK"), encoding: .utf8)
            port = lock?.split(separator: ":").last.flatMap { UInt16($0.filter { $0 != "\n" }) }
            return port != nil
        }
        return (running, try #require(port))
    }

    private func request(_ port: UInt16, _ text: String) throws -> String {
        let connection = try RawConnection(port: port)
        try connection.send(text.replacingOccurrences(of: "\n", with: "\r\n"))
        return String(decoding: connection.receiveAll(), as: UTF8.self)
    }

    private func get(_ port: UInt16, _ path: String, _ fields: String = "") throws -> String {
        try request(port, "GET \(path) HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\(fields)\n")
    }

    @Test func contentIsServedAndAStopFinishesWhatIsOnItsWay() throws {
        let bytes = SeededRandom.bytes(seed: 1, count: 30_000_000)
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: bytes).lines.first)
        let (running, port) = try start()
        let small = try get(port, "/ipfs/\(root)", "Range: bytes=1-4\n")
        #expect(small.hasPrefix("HTTP/1.1 206 ") && small.contains("Content-Range: bytes 1-4/30000000"))
        // A client that has asked and read a little when the stop comes.
        let slow = try RawConnection(port: port, receiveBuffer: 65536)
        try slow.send("GET /ipfs/\(root) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        var received = slow.receive(1000)
        running.signal(SIGTERM)
        usleep(300_000)
        received += slow.receiveAll()
        let end = try #require(received.range(of: Array("\r\n\r\n".utf8)))
        #expect(Array(received[end.upperBound...]) == bytes, "every byte came")
        let outcome = try running.end()
        #expect(outcome.status == 0 && !outcome.wasSignalled, "\(outcome.errors)")
        #expect(try nacre.run("verify").status == 0)
    }

    @Test func aSecondProcessIsToldWhoHasTheDirectory() throws {
        let (running, _) = try start()
        let refused = try nacre.run("verify", "--rebuild-index")
        #expect(refused.status == 6 && refused.errors.contains("\(running.pid)"), "\(refused.errors)")
        running.signal(SIGINT)
        #expect(try running.end().status == 0)
    }

    @Test func healthAndMetricsAreAnswered() throws {
        let (running, port) = try start(["NACRE_METRICS_PUBLIC": "true"])
        #expect(try get(port, "/health/live").hasSuffix("live\n"))
        #expect(try get(port, "/health/ready").hasSuffix("ready\n"))
        let metrics = try get(port, "/metrics")
        #expect(
            metrics.contains(
                "nacre_http_requests_total{route=\"/health/ready\",method=\"GET\",status=\"200\"} 1"))
        #expect(metrics.contains("process_resident_memory_bytes"))
        running.signal(SIGTERM)
        #expect(try running.end().status == 0)
        // The scratch block of the check leaves nothing behind.
        #expect(try nacre.run("stats", "--json").objects().first?["blocks"] as? Int == 0)
        let limited = try #require(
            try nacre.run("key", "create", "--name", "prometheus", "--allow", "metrics", "--scope", "node")
                .lines.first)
        let (closed, other) = try start()
        let refused = try get(other, "/metrics")
        #expect(refused.hasPrefix("HTTP/1.1 401 ") && refused.contains("application/problem+json"))
        #expect(
            refused.contains("\"code\":\"credentials-missing\"")
                && refused.contains("WWW-Authenticate: Bearer"))
        let admin = try String(contentsOfFile: directory.path("data/secrets/admin-token"), encoding: .utf8)
        for token in [limited, admin.filter { $0 != "\n" }] {
            #expect(try get(other, "/metrics", "Authorization: Bearer \(token)\n").hasPrefix("HTTP/1.1 200 "))
        }
        let wrong = limited.dropLast() + (limited.hasSuffix("a") ? "b" : "a")
        #expect(try get(other, "/metrics", "Authorization: Bearer \(wrong)\n").hasPrefix("HTTP/1.1 401 "))
        closed.signal(SIGTERM)
        _ = try closed.end()
    }

    @Test(arguments: [
        "GET / HTTP/1.1\nHost: x\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n",
        "GET / HTTP/1.1\nHost: x\nContent-Length: 5\nContent-Length: 6\n\nhello",
        "GET / HTTP/1.1\nHost: x\nBad Header: 1\n\n",
        "GET / HTTP/1.1\nHost: x\nTransfer-Encoding: xchunked\n\n", "NONSENSE\n\n",
        "GET / HTTP/1.1\nHost: x\nX: " + String(repeating: "a", count: 200_000) + "\n\n",
        "GET / HTTP/1.1\nHost: x\n" + String(repeating: "X: a\n", count: 20_000) + "\n",
        "\u{16}\u{3}\u{1}\u{0}\u{5}hello",
    ])
    func badInput26RequestsThatCanBeReadTwoWaysAreRefusedAndTheConnectionClosed(text: String) throws {
        let (running, port) = try start()
        let answer = try request(port, text)
        #expect(
            answer.isEmpty || answer.hasPrefix("HTTP/1.1 400 ") || answer.hasPrefix("HTTP/1.1 431 "),
            "\(answer)")
        #expect(try get(port, "/health/live").hasSuffix("live\n"), "it goes on for others")
        running.signal(SIGTERM)
        _ = try running.end()
    }

    @Test func badInput27SlowHeadersAndClientsThatDoNotReadAreDropped() throws {
        let bytes = SeededRandom.bytes(seed: 1, count: 60_000_000)
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: bytes).lines.first)
        let (running, port) = try start([
            "NACRE_SERVER_HEADER_SECONDS": "1", "NACRE_SERVER_STALL_SECONDS": "1",
        ])
        let slow = try RawConnection(port: port)
        try slow.send("GET / HTTP/1.1\r\nHost: x\r\nX-")
        let stalled = try RawConnection(port: port, receiveBuffer: 4096)
        try stalled.send("GET /ipfs/\(root) HTTP/1.1\r\nHost: x\r\n\r\n")
        let start = ContinuousClock.now
        #expect(slow.receiveAll().isEmpty)
        #expect(ContinuousClock.now - start < .seconds(20))
        sleep(4)
        let rest = stalled.receiveAll()
        #expect(rest.count < bytes.count, "it was broken off")
        running.signal(SIGTERM)
        #expect(try running.end().status == 0)
    }

    @Test func badInput33WhatAStrangerForwardsIsPassedOver() throws {
        let fields = "X-Forwarded-Host: evil.example\nX-Forwarded-Proto: https\n"
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: [1]).lines.first)
        let text = "GET /ipfs/\(root) HTTP/1.1\nHost: localhost:99\nConnection: close\n\(fields)\n"
        let (running, port) = try start(["NACRE_GATEWAY_SUBDOMAINS": "localhost"])
        let plain = try request(port, text)
        #expect(plain.contains("Location: http://\(root).ipfs.localhost:99/\r\n"), "\(plain)")
        running.signal(SIGTERM)
        _ = try running.end()
        let (trusting, other) = try start([
            "NACRE_SERVER_TRUSTED_PROXIES": "127.0.0.1", "NACRE_GATEWAY_SUBDOMAINS": "evil.example",
        ])
        let forwarded = try request(other, text)
        #expect(forwarded.contains("Location: https://\(root).ipfs.evil.example/\r\n"), "\(forwarded)")
        trusting.signal(SIGTERM)
        _ = try trusting.end()
    }

    @Test func aBodyThatEndsEarlyIsToldFromOneThatEnds() throws {
        var dag = HandmadeDAG()
        let leaves = (0..<100).map { dag.file([UInt8](repeating: UInt8($0), count: 100_000)) }
        let root = dag.directory(leaves.enumerated().map { ("f\($0.offset + 100)", $0.element) })
        let missing = leaves[99]
        let car = try HandmadeDAG.car(roots: [root], dag.blocks.filter { $0.cid != missing })
        _ = try nacre.run(["car", "import", "--no-pin", "-"], input: car)
        let (running, port) = try start()
        let answer = try get(port, "/ipfs/\(root)?format=car")
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        #expect(!answer.hasSuffix("\r\n0\r\n\r\n"), "the last chunk does not come")
        running.signal(SIGTERM)
        _ = try running.end()
    }
}

extension [UInt8] {
    fileprivate func range(of part: [UInt8]) -> Range<Int>? {
        guard count >= part.count else { return nil }
        return (0...(count - part.count)).lazy.map { $0..<($0 + part.count) }.first {
            self[$0].elementsEqual(part)
        }
    }
}
