import Foundation
import Glibc
import TestKit
import Testing

/// Limits of connections and requests, and requests that no honest client sends, over real sockets.
@Suite struct LimitServeTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    private func add(_ bytes: [UInt8]) throws -> String {
        try #require(try nacre.run(["add", "-Q", "-"], input: bytes).lines.first)
    }

    // MARK: How much at once

    @Test func connectionsBeyondTheLimitAreToldToComeBack() throws {
        let served = try ServedNacre(nacre, ["NACRE_SERVER_MAX_CONNECTIONS": "3"])
        do {
            let held = try (0..<3).map { _ in try RawConnection(port: served.port) }
            for connection in held {
                try connection.send("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(String(decoding: connection.receive(), as: UTF8.self).contains("live"))
            }
            let refused = try served.get("/health/live")
            #expect(refused.hasPrefix("HTTP/1.1 503 ") && refused.contains("Retry-After: "), "\(refused)")
        }
        // The held ones are gone: there is room again.
        try served.running.wait("there is room") { try served.get("/health/live").hasSuffix("live\n") }
        try served.end()
    }

    @Test func requestsBeyondTheLimitAreToldToComeBack() throws {
        let root = try add(SeededRandom.bytes(seed: 1, count: 30_000_000))
        let served = try ServedNacre(nacre, ["NACRE_SERVER_MAX_REQUESTS": "1"])
        do {
            let slow = try RawConnection(port: served.port, receiveBuffer: 4096)
            try slow.send("GET /ipfs/\(root) HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(!slow.receive(100).isEmpty)
            let refused = try served.get("/health/live")
            #expect(refused.hasPrefix("HTTP/1.1 503 ") && refused.contains("Retry-After: "), "\(refused)")
        }
        try served.running.wait("there is room") { try served.get("/health/live").hasSuffix("live\n") }
        try served.end()
    }

    @Test func badInput27ADownloadAndAnUploadLastNoLongerThanTheyMay() throws {
        let root = try add(SeededRandom.bytes(seed: 1, count: 30_000_000))
        let served = try ServedNacre(
            nacre,
            [
                "NACRE_SERVER_MAX_DOWNLOAD_SECONDS": "1", "NACRE_SERVER_MAX_UPLOAD_SECONDS": "1",
                "NACRE_METRICS_PUBLIC": "true",
            ])
        let download = try RawConnection(port: served.port, receiveBuffer: 4096)
        try download.send("GET /ipfs/\(root) HTTP/1.1\r\nHost: x\r\n\r\n")
        let upload = try RawConnection(port: served.port)
        try upload.send("PUT /routing/v1/ipns/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
        _ = upload.receiveAll()
        var received = 0
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            let bytes = download.receive(1000)
            if bytes.isEmpty { break }
            received += bytes.count
            // It goes on all the time, slowly.
            usleep(20_000)
        }
        #expect(received < 30_000_000)
        #expect(try served.metric("nacre_http_dropped_total{reason=\"upload\"}") == 1)
        #expect(try served.metric("nacre_http_dropped_total{reason=\"download\"}") == 1)
        try served.end()
    }

    @Test func badInput27ABodyThatDripsIsGivenUp() throws {
        let served = try ServedNacre(
            nacre, ["NACRE_SERVER_BODY_SECONDS": "1", "NACRE_METRICS_PUBLIC": "true"])
        let connection = try RawConnection(port: served.port)
        try connection.send("PUT /routing/v1/ipns/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n")
        let start = ContinuousClock.now
        try connection.send("drip")
        #expect(connection.receiveAll().isEmpty && ContinuousClock.now - start < .seconds(20))
        #expect(try served.metric("nacre_http_dropped_total{reason=\"body\"}") == 1)
        try served.end()
    }

    @Test func badInput27AConnectionThatSaysNothingIsClosed() throws {
        let served = try ServedNacre(nacre, ["NACRE_SERVER_HEADER_SECONDS": "1"])
        let connection = try RawConnection(port: served.port)
        let start = ContinuousClock.now
        #expect(connection.receiveAll().isEmpty && ContinuousClock.now - start < .seconds(20))
        try served.end()
    }

    // MARK: Requests that no honest client sends

    @Test(arguments: [
        "GET /health/live HTTP/1.1\r\nHost: x\r\n X: folded\r\n\r\n",
        "GET /health/live HTTP/1.1\r\nHost: x\r\nX: a\u{0}b\r\n\r\n",
        "GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nx",
        "GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "GET /health/live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        "GET /health/live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "PUT /routing/v1/ipns/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nx",
        "PUT /routing/v1/ipns/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
        "GET /health/live HTTP/9.9\r\nHost: x\r\n\r\n",
        "GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n", "GET /health/live\r\n\r\n",
        "PROXY TCP4 198.51.100.7 127.0.0.1 4711 80\r\n",
        "GET /health/live HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n",
        "GET http://evil.test/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET http://evil.test/health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1, 2\r\n\r\nx",
    ])
    func badInput26WhatCanBeReadTwoWaysIsNotAnsweredAsIfItWereOne(text: String) throws {
        let served = try ServedNacre(nacre)
        let connection = try RawConnection(port: served.port)
        // A second request behind it: it must not be taken for one of its own.
        try connection.send(text + "GET /ipfs/smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let answer = String(decoding: connection.receiveAll(), as: UTF8.self)
        #expect(
            answer.isEmpty || answer.hasPrefix("HTTP/1.1 4") || answer.hasPrefix("HTTP/1.1 505"), "\(answer)")
        #expect(!answer.contains("smuggled"), "\(answer)")
        #expect(answer.components(separatedBy: "HTTP/1.1 ").count <= 2, "one answer: \(answer)")
        try served.end()
    }

    @Test func badInput26ChunkExtensionsWithoutEndAreNotKept() throws {
        let served = try ServedNacre(nacre)
        let connection = try RawConnection(port: served.port)
        try connection.send(
            "PUT /routing/v1/ipns/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;")
        let before = try residentBytes(served.running.pid)
        let part = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        for _ in 0..<64 { try connection.send(part) }
        #expect(try residentBytes(served.running.pid) - before < 32 * 1024 * 1024)
        try served.end()
    }

    @Test func badInput28ManyRangesAreNotAnsweredWithMoreThanTheFile() throws {
        let root = try add(SeededRandom.bytes(seed: 5, count: 10_000))
        let served = try ServedNacre(nacre)
        let many = (0..<1000).map { "\($0)-" }.joined(separator: ",")
        for range in [
            many, "0-,0-,0-,0-", "-99999999999", "0-18446744073709551615", "18446744073709551615-",
            "9-1", "-0", "0-18446744073709551616",
        ] {
            let answer = try served.get("/ipfs/\(root)", "Range: bytes=\(range)\n")
            #expect(answer.utf8.count < 100_000, "no more than the file: \(range.prefix(20))")
            #expect(["200", "206", "416"].contains(answer.dropFirst(9).prefix(3)), "\(answer.prefix(200))")
        }
        try served.end()
    }

    @Test func badInput29AFileNameCannotEndAHeader() throws {
        let root = try add([1, 2, 3])
        let served = try ServedNacre(nacre)
        for name in [
            "a%0D%0ASet-Cookie:%20x=1", "a%22;%20filename=evil", "%E2%80%AEgpj.exe", "..%2F..%2Fetc%2Fpasswd",
        ] {
            let answer = try served.get("/ipfs/\(root)?filename=\(name)&download=true")
            let head = answer.components(separatedBy: "\r\n\r\n")[0]
            #expect(!head.lowercased().contains("\r\nset-cookie"), "\(head)")
            #expect(!head.contains("\u{202E}") && !head.contains("../"), "\(head)")
        }
        try served.end()
    }

    @Test(arguments: ["text/html", "image/svg+xml"])
    func badInput30ContentCannotActAsThePageOfTheNode(type: String) throws {
        let page = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>"
        let file = type == "text/html" ? "x.html" : "x.svg"
        try Data(page.utf8).write(to: directory.url.appendingPathComponent(file))
        let root = try #require(
            try nacre.run("add", "-Q", "--wrap", directory.path(file)).lines.first)
        let served = try ServedNacre(nacre)
        let head = try served.get("/ipfs/\(root)/\(file)").components(separatedBy: "\r\n\r\n")[0]
        #expect(head.contains("X-Content-Type-Options: nosniff"), "\(head)")
        #expect(head.contains("Content-Security-Policy: ") && head.contains("sandbox"), "\(head)")
        #expect(!head.lowercased().contains("set-cookie"))
        try served.end()
    }

    @Test func badInput31ARebindingNameReachesContentAndNothingElse() throws {
        let root = try add(Array("content".utf8))
        let served = try ServedNacre(nacre, ["NACRE_SERVER_HOSTS": "node.test"])
        let token = try String(contentsOfFile: directory.path("data/secrets/admin-token"), encoding: .utf8)
        let grant = "Authorization: Bearer \(token.filter { $0 != "\n" })\n"
        let rebound = try served.get("/metrics", grant, host: "evil.test")
        #expect(rebound.hasPrefix("HTTP/1.1 421 ") && rebound.contains("\"code\":\"host-not-allowed\""))
        #expect(rebound.contains("server.hosts"), "it says what to set: \(rebound)")
        let foreign = try served.get("/metrics", grant + "Origin: http://evil.test\n")
        #expect(foreign.hasPrefix("HTTP/1.1 403 ") && foreign.contains("\"code\":\"origin-not-allowed\""))
        #expect(!foreign.contains("Access-Control-Allow-Origin"))
        #expect(try served.get("/metrics", grant, host: "node.test").hasPrefix("HTTP/1.1 200 "))
        #expect(try served.get("/ipfs/\(root)", "Origin: null\n", host: "any.test").hasSuffix("content"))
        try served.end()
    }

    @Test func badInput36RandomBytesAndTLSOnAPlainPortAreClosedUpon() throws {
        let served = try ServedNacre(nacre, ["NACRE_METRICS_PUBLIC": "true"])
        let hello = try RawConnection(port: served.port)
        let start = ContinuousClock.now
        try hello.send([0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3])
        #expect(hello.receiveAll().isEmpty && ContinuousClock.now - start < .seconds(5))
        #expect(try served.metric("nacre_http_dropped_total{reason=\"tls-without-certificate\"}") == 1)
        for seed in UInt64(1)...8 {
            let connection = try RawConnection(port: served.port)
            try connection.send(SeededRandom.bytes(seed: seed, count: 2000) + Array("\r\n\r\n".utf8))
            let answer = String(decoding: connection.receiveAll(), as: UTF8.self)
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "seed \(seed): \(answer)")
        }
        try served.end()
    }

    @Test func badInput39NothingIsOpenThatNeedsAGrantAndNoCredentialsAreBuiltIn() throws {
        let served = try ServedNacre(nacre)
        #expect(try served.get("/metrics").hasPrefix("HTTP/1.1 401 "))
        for guess in ["Bearer admin", "Bearer ", "Basic YWRtaW46YWRtaW4=", "Bearer nacre"] {
            #expect(try served.get("/metrics", "Authorization: \(guess)\n").hasPrefix("HTTP/1.1 401 "))
        }
        for path in [
            "/debug", "/debug/pprof/", "/admin", "/api/v0/id", "/config", "/.env", "/secrets/admin-token",
        ] {
            #expect(try served.get(path).hasPrefix("HTTP/1.1 404 "), "\(path)")
        }
        try served.end()
    }

    @Test func badInput40ADamagedBlockIsNeverServed() throws {
        let bytes = SeededRandom.bytes(seed: 6, count: 3_000_000)
        let root = try add(bytes)
        let packs = directory.path("data/blocks/packs")
        let pack = try #require(try FileManager.default.contentsOfDirectory(atPath: packs).first)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: packs + "/" + pack))
        // In the last of three leaves.
        let content = try #require(try file.readToEnd())
        let place = try #require(content.range(of: Data(bytes[2_500_000..<2_500_032]))).lowerBound
        try file.seek(toOffset: UInt64(place))
        try file.write(contentsOf: Data([bytes[2_500_000] ^ 1]))
        try file.close()
        let served = try ServedNacre(nacre)
        let connection = try RawConnection(port: served.port)
        try connection.send("GET /ipfs/\(root) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let answer = connection.receiveAll()
        #expect(answer.count < bytes.count, "it breaks off before the damage")
        let part = try served.get("/ipfs/\(root)", "Range: bytes=2500000-2500010\n")
        #expect(part.hasPrefix("HTTP/1.1 500 "), "\(part.prefix(300))")
        #expect(try served.get("/ipfs/\(root)", "Range: bytes=0-3\n").hasPrefix("HTTP/1.1 206 "))
        #expect(served.said.contains("verify --repair") || served.said.contains("damaged"), "\(served.said)")
        try served.end()
    }

    private func residentBytes(_ pid: Int32) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)
        return try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) }) * 4096
    }
}
