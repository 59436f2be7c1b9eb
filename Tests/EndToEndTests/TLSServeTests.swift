import Foundation
import Glibc
import TestKit
import Testing

/// HTTPS over real sockets, with clients of the system.
@Suite struct TLSServeTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess
    private let certificate: String
    private let key: String

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
        certificate = directory.path("certificate.pem")
        key = directory.path("key.pem")
        try install("one")
    }

    private func install(_ name: String, key other: String? = nil) throws {
        for (file, path) in [(name + ".pem", certificate), ((other ?? name) + "-key.pem", key)] {
            try Data(Vectors.bytes("tls/" + file)).write(to: URL(fileURLWithPath: path), options: .atomic)
        }
    }

    private func serve() throws -> ServedNacre {
        try ServedNacre(nacre, ["NACRE_TLS_CERTIFICATE": certificate, "NACRE_TLS_KEY": key])
    }

    private func curl(_ served: ServedNacre, _ path: String, _ options: String...) throws -> String {
        let all = ["curl", "-s", "--cacert", Vectors.url("tls/one.pem").path] + options
        return try Tool.run(all + ["https://localhost:\(served.port)\(path)"]).output
    }

    /// The name on the certificate that a new connection is shown.
    private func shownName(_ served: ServedNacre, _ options: String...) throws -> String {
        let all = ["openssl", "s_client", "-connect", "127.0.0.1:\(served.port)"] + options
        let answer = try Tool.run(all).output
        return answer.split(separator: "\n").first { $0.hasPrefix("subject=") }.map(String.init) ?? answer
    }

    @Test(arguments: ["--http1.1", "--http2"])
    func contentComesByEitherVersion(version: String) throws {
        let bytes = SeededRandom.bytes(seed: 4, count: 3_000_000)
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: bytes).lines.first)
        let served = try serve()
        let copy = directory.path("copy")
        let said = try curl(
            served, "/ipfs/\(root)", version, "-o", copy, "-w", "%{http_version} %{response_code}")
        #expect(said == (version == "--http2" ? "2 200" : "1.1 200"))
        #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: copy))) == bytes)
        try served.stop()
    }

    /// A client that reads slowly once had whatever the socket did not take in the memory of the node.
    @Test(arguments: ["--http1.1", "--http2"])
    func badInput27SlowReadersHoldLittleMemory(version: String) throws {
        guard Tool.areHere("curl") else { return }
        let bytes = SeededRandom.bytes(seed: 5, count: 48_000_000)
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: bytes).lines.first)
        let served = try ServedNacre(
            nacre,
            [
                "NACRE_TLS_CERTIFICATE": certificate, "NACRE_TLS_KEY": key, "NACRE_METRICS_PUBLIC": "true",
            ])
        let readers = try (0..<4).map { _ in
            let reader = Process()
            reader.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            reader.arguments = [
                "curl", "-s", version, "--cacert", Vectors.url("tls/one.pem").path, "--limit-rate", "100k",
                "-o", "/dev/null", "https://localhost:\(served.port)/ipfs/\(root)",
            ]
            try reader.run()
            return reader
        }
        var most = 0
        for _ in 0..<60 {
            let page = try curl(served, "/metrics")
            let line = page.split(separator: "\n").first { $0.hasPrefix("nacre_http_waiting_bytes ") }
            let waiting = try #require(line.flatMap { Int($0.split(separator: " ")[1]) }, "\(page)")
            most = max(most, waiting)
        }
        for reader in readers {
            // Tests run on threads that block what a polite end would be asked for with.
            kill(reader.processIdentifier, SIGKILL)
            reader.waitUntilExit()
        }
        #expect(most > 0, "nobody was slow")
        #expect(most <= readers.count * 512 * 1024)
        try served.stop()
    }

    @Test func originsOfHTTPSAreOfHTTPS() throws {
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: [1]).lines.first)
        let served = try ServedNacre(
            nacre,
            [
                "NACRE_TLS_CERTIFICATE": certificate, "NACRE_TLS_KEY": key,
                "NACRE_GATEWAY_SUBDOMAINS": "localhost",
            ])
        let answer = try curl(served, "/ipfs/\(root)", "-I")
        #expect(answer.contains("location: https://\(root).ipfs.localhost:\(served.port)/"), "\(answer)")
        try served.stop()
    }

    @Test func oldVersionsOfTLSAreRefused() throws {
        let served = try serve()
        let old = try Tool.run(
            "openssl", "s_client", "-connect", "127.0.0.1:\(served.port)", "-tls1_1", "-cipher",
            "ALL:@SECLEVEL=0")
        #expect(old.status != 0 && old.output.contains("protocol version"), "\(old.output)")
        #expect(try shownName(served, "-tls1_2").contains("one.test"))
        #expect(try shownName(served, "-tls1_3").contains("one.test"))
        try served.stop()
    }

    @Test func aRenewedCertificateIsShownAndABadOneIsNotAndConnectionsGoOn() throws {
        let served = try serve()
        let open = try HeldConnection(port: served.port)
        defer { open.close() }
        #expect(try open.askWhetherItLives().hasPrefix("HTTP/1.1 200 "))
        try install("two", key: "one")
        served.running.signal(SIGHUP)
        try served.running.wait("the log tells of the pair that is none") {
            served.said.contains("certificate not taken over")
        }
        #expect(try shownName(served).contains("one.test"))
        try install("two")
        served.running.signal(SIGHUP)
        try served.running.wait("the new one is taken over") {
            served.said.contains("certificate taken over")
        }
        #expect(try shownName(served).contains("two.test"))
        #expect(try open.askWhetherItLives().hasPrefix("HTTP/1.1 200 "), "the old connection goes on")
        #expect(!served.said.contains("BEGIN"), "no key in the log")
        try served.stop()
    }

    @Test func aRenewedCertificateIsSeenWithoutASignal() throws {
        let served = try serve()
        #expect(try shownName(served).contains("one.test"))
        try install("two")
        try served.running.wait("it is looked for") { served.said.contains("certificate taken over") }
        #expect(try shownName(served).contains("two.test"))
        try served.stop()
    }

    @Test func aNodeDoesNotStartWithFilesThatCannotBeUsed() throws {
        try install("one", key: "two")
        var nacre = nacre
        nacre.environment = ["NACRE_TLS_CERTIFICATE": certificate, "NACRE_TLS_KEY": key]
        let mismatch = try nacre.run("serve", "--listen", "127.0.0.1:0")
        #expect(mismatch.status == 2 && mismatch.errors.contains("not the one of the certificate"))
        nacre.environment["NACRE_TLS_KEY"] = directory.path("absent.pem")
        let absent = try nacre.run("serve", "--listen", "127.0.0.1:0")
        #expect(absent.status == 2 && absent.errors.contains("absent.pem"), "\(absent.errors)")
        nacre.environment["NACRE_TLS_KEY"] = nil
        let incomplete = try nacre.run("serve", "--listen", "127.0.0.1:0")
        #expect(incomplete.status == 2 && incomplete.errors.contains("tls.key"), "\(incomplete.errors)")
    }

    @Test func aStopDoesNotWaitForHandshakes() throws {
        let served = try serve()
        let stuck = try RawConnection(port: served.port)
        try stuck.send([0x16, 3, 1])
        let live = try curl(served, "/health/live")
        #expect(live == "live\n")
        let start = ContinuousClock.now
        try served.stop()
        #expect(ContinuousClock.now - start < .seconds(8))
    }

    @Test func badInput36PlainHTTPOnATLSPortIsToldSo() throws {
        let served = try serve()
        let answer = try served.get("/health/live")
        #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("https://"), "\(answer)")
        try served.stop()
    }

    @Test func badInput36RandomBytesAreClosedUpon() throws {
        let served = try ServedNacre(
            nacre,
            [
                "NACRE_TLS_CERTIFICATE": certificate, "NACRE_TLS_KEY": key,
                "NACRE_SERVER_HEADER_SECONDS": "1",
            ])
        for seed in UInt64(1)...8 {
            let connection = try RawConnection(port: served.port)
            // A handshake as far as its first bytes tell; the rest may be the beginning of a long record.
            try connection.send([0x16, 3, 1] + SeededRandom.bytes(seed: seed, count: 2000))
            let start = ContinuousClock.now
            _ = connection.receiveAll()
            #expect(ContinuousClock.now - start < .seconds(10), "seed \(seed)")
        }
        #expect(try shownName(served).contains("one.test"), "it goes on for others")
        try served.stop()
    }
}

/// A TLS connection that is held open, by `openssl s_client`.
private final class HeldConnection {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(port: UInt16) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl", "s_client", "-quiet", "-connect", "127.0.0.1:\(port)"]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// The whole answer of `/health/live`.
    func askWhetherItLives() throws -> String {
        try input.fileHandleForWriting.write(
            contentsOf: Data("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        var answer = ""
        while !answer.hasSuffix("live\n") {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { return answer }
            answer += String(decoding: more, as: UTF8.self)
        }
        return answer
    }

    func close() {
        try? input.fileHandleForWriting.close()
        process.terminate()
        process.waitUntilExit()
    }
}
