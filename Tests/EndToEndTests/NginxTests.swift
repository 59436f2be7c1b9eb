import Foundation
import TestKit
import Testing

/// The shipped file for nginx, in a real nginx in front of a real node.
@Suite struct NginxTests {
    @Test func theShippedFileServesTheNode() throws {
        guard Tool.areHere("nginx", "curl", "openssl") else { return }
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        let nacre = NacreProcess(data: directory.path("data"))
        let bytes = SeededRandom.bytes(seed: 1, count: 20_000_000)
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: bytes).lines.first)
        let node = try ServedNode(
            nacre,
            settings: [
                "NACRE_SERVER_TRUSTED_PROXIES": "127.0.0.1", "NACRE_GATEWAY_SUBDOMAINS": "example.org",
            ])
        let nginx = try RunningNginx(in: directory, upstream: node.port)
        defer { nginx.stop() }

        let plain = try nginx.curl("http", "-i", "http://example.org/ipfs/\(root)?a=1")
        #expect(plain.contains("301") && plain.contains("Location: https://example.org/ipfs/\(root)?a=1"))
        // What the client claims of itself is thrown away.
        let path = try nginx.curl(
            "https", "-i", "-H", "X-Forwarded-Host: evil.example", "-H", "X-Forwarded-Proto: http",
            "https://example.org/ipfs/\(root)")
        #expect(path.lowercased().contains("location: https://\(root).ipfs.example.org/"), "\(path)")
        for version in ["--http1.1", "--http2"] {
            let range = try nginx.curl(
                "https", version, "-i", "-r", "5-9", "https://\(root).ipfs.example.org/")
            #expect(range.lowercased().contains("content-range: bytes 5-9/20000000"), "\(range)")
        }
        _ = try nginx.curl("https", "-o", directory.path("back"), "https://\(root).ipfs.example.org/")
        #expect(try directory.read("back") == bytes)
        for path in ["/metrics", "/health/ready"] {
            let answer = try nginx.curl("https", "-i", "https://example.org" + path)
            #expect(answer.contains("404"), "\(path): \(answer)")
        }
        #expect(try nginx.curl("https", "https://example.org/health/live").contains("live"))
        try node.stop()
    }
}

/// nginx on sockets of the file system, so that no port is fixed.
private final class RunningNginx {
    private let process = Process()
    private let directory: TemporaryDirectory

    init(in directory: TemporaryDirectory, upstream: UInt16) throws {
        self.directory = directory
        let made = try Tool.run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", directory.path("key.pem"), "-out", directory.path("certificate.pem"), "-days", "2",
            "-subj", "/CN=example.org")
        try #require(made.status == 0, "\(made.output)")
        let shipped = try String(
            contentsOf: Vectors.packageRoot.appendingPathComponent("packaging/nginx/nacre.conf"),
            encoding: .utf8)
        var site = shipped
        for (old, new) in [
            ("server 127.0.0.1:8080;", "server 127.0.0.1:\(upstream);"),
            ("listen 80;", "listen unix:\(directory.path("http"));"),
            ("listen 443 ssl", "listen unix:\(directory.path("https")) ssl"),
            ("/etc/letsencrypt/live/example.org/fullchain.pem", directory.path("certificate.pem")),
            ("/etc/letsencrypt/live/example.org/privkey.pem", directory.path("key.pem")),
        ] {
            try #require(site.contains(old), "\(old)")
            site = site.replacingOccurrences(of: old, with: new)
        }
        try directory.write(Array(site.utf8), to: "site.conf")
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
            "\($0)_temp_path \(directory.path("temporary-" + $0));"
        }
        let main = """
            daemon off; pid \(directory.path("pid")); error_log \(directory.path("error.log"));
            events {}
            http { access_log off; \(temporary.joined(separator: " ")) include \(directory.path("site.conf")); }
            """
        try directory.write(Array(main.utf8), to: "nginx.conf")
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "nginx", "-c", directory.path("nginx.conf"), "-e", directory.path("error.log"),
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        let end = ContinuousClock.now + .seconds(30)
        while !FileManager.default.fileExists(atPath: directory.path("https")) {
            let log = (try? directory.read("error.log")) ?? []
            try #require(
                process.isRunning && ContinuousClock.now < end, "\(String(decoding: log, as: UTF8.self))")
            usleep(2000)
        }
    }

    func curl(_ socket: String, _ arguments: String...) throws -> String {
        let outcome = try Tool.run(
            ["curl", "-sS", "-k", "--max-time", "60", "--unix-socket", directory.path(socket)] + arguments)
        #expect(outcome.status == 0, "\(arguments): \(outcome.output)")
        return outcome.output
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }
}
