import Foundation
import TestKit
import Testing

/// Clients that are old, careless or gone, over real sockets.
@Suite struct OddClientTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    /// HTTP/1.0 has no chunks and no connections that go on.
    @Test func oldClientsGetNoChunksAndTheEndOfTheirConnection() throws {
        let bytes = SeededRandom.bytes(seed: 1, count: 3_000_000)
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: bytes).lines.first)
        let served = try ServedNacre(nacre)
        for path in ["/health/live", "/ipfs/\(root)", "/ipfs/\(root)?format=car", "/nothing"] {
            let connection = try RawConnection(port: served.port)
            try connection.send("GET \(path) HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let answer = connection.receiveAll()
            let end = try #require(answer.firstRange(of: Array("\r\n\r\n".utf8)))
            let head = String(decoding: answer[..<end.lowerBound], as: UTF8.self).lowercased()
            #expect(head.hasPrefix("http/1.0 "), "\(head)")
            #expect(!head.contains("transfer-encoding") && head.contains("connection: close"), "\(head)")
            let body = answer[end.upperBound...]
            if path.hasSuffix("car") {
                let car = try #require(
                    try nacre.run(["car", "verify", "-"], input: Array(body)).status == 0 ? body : nil)
                #expect(car.count > bytes.count)
            } else if path.hasPrefix("/ipfs") {
                #expect(Array(body) == bytes)
            }
        }
        try served.end()
    }

    @Test func whatCannotBeReadIsAnsweredInWordsAndUnderAnID() throws {
        let served = try ServedNacre(nacre)
        for (text, status) in [
            ("GET / HTTP/1.1\nHost: x\nContent-Length: 5\nContent-Length: 6\n\nhello", "400"),
            ("GET / HTTP/1.1\nHost: x\nTransfer-Encoding: xchunked\n\n", "400"),
            ("GET / HTTP/1.1\nHost: x\nHost: y\n\n", "400"),
            ("GET / HTTP/1.1\nHost: x\nX: " + String(repeating: "a", count: 200_000) + "\n\n", "431"),
        ] {
            let answer = try served.request(text)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
            #expect(answer.contains("X-Request-Id: "), "\(answer)")
            #expect(answer.split(separator: "\r\n\r\n").count == 2, "\(answer)")
        }
        try served.end()
    }

    @Test func uploadsThatBreakOffAndFormsThatAreNoneAreNoFailuresOfTheNode() throws {
        let served = try ServedNacre(nacre, ["NACRE_METRICS_PUBLIC": "true"])
        let token = try String(contentsOfFile: directory.path("data/secrets/admin-token"), encoding: .utf8)
            .filter { $0 != "\n" }
        let head = "POST /api/v1/uploads HTTP/1.1\nHost: 127.0.0.1\nAuthorization: Bearer \(token)\n"
        for type in ["multipart/form-data; boundary=x", "multipart/form-data"] {
            let answer = try served.request(
                head + "Content-Type: \(type)\nContent-Length: 7\nConnection: close\n\ngarbage")
            #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("invalid-form"), "\(answer)")
        }
        do {
            let gone = try RawConnection(port: served.port)
            try gone.send((head + "Content-Length: 1000000\n\n").replacingOccurrences(of: "\n", with: "\r\n"))
            try gone.send([UInt8](repeating: 1, count: 300_000))
        }
        let failed = "nacre_http_requests_total{route=\"/api/v1/uploads\",method=\"POST\",status=\"500\"}"
        try served.running.wait("the upload is given up") {
            try served.metric(failed.replacingOccurrences(of: "500", with: "400")) == 3
        }
        #expect(try served.metric(failed) == 0)
        try served.end()
    }

    /// The key for a form on somebody's web page.
    @Test func aKeyForPicturesTakesPicturesInForms() throws {
        let served = try ServedNacre(nacre)
        let key = try #require(
            try nacre.run(
                "key", "create", "--name", "form", "--allow", "write", "--content-type", "image/*",
                "--max-uses", "5"
            ).lines.first)
        func upload(_ type: String) throws -> String {
            let body =
                "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n"
                + "Content-Type: \(type)\r\n\r\n"
                + "bytes\r\n--b--\r\n"
            let connection = try RawConnection(port: served.port)
            try connection.send(
                "POST /api/v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(key)\r\n"
                    + "Content-Type: multipart/form-data; boundary=b\r\nConnection: close\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            return String(decoding: connection.receiveAll(), as: UTF8.self)
        }
        #expect(try upload("image/png").hasPrefix("HTTP/1.1 201 "))
        let refused = try upload("text/html")
        #expect(
            refused.hasPrefix("HTTP/1.1 403 ") && refused.contains("content-type-not-allowed"), "\(refused)")
        try served.end()
    }

    @Test func conditionsOnOtherVersionsFail() throws {
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: Array("text".utf8)).lines.first)
        let served = try ServedNacre(nacre)
        let path = "/ipfs/\(root)"
        for (field, status) in [
            ("If-Match: \"no\"", "412"), ("If-Match: *", "200"), ("If-Match: \"\(root)\"", "200"),
            ("If-Match: W/\"\(root)\"", "412"), ("If-Match: \"\(root)\"\nIf-None-Match: \"\(root)\"", "304"),
        ] {
            let answer = try served.get(path, field + "\n")
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(field): \(answer)")
        }
        try served.end()
    }

    @Test func aPortThatIsTakenIsNamed() throws {
        let served = try ServedNacre(nacre)
        let other = NacreProcess(data: directory.path("other"))
        let refused = try other.run("serve", "--listen", "127.0.0.1:\(served.port)")
        #expect(refused.status == 6, "\(refused.errors)")
        #expect(refused.errors.contains("127.0.0.1:\(served.port) is in use by another program"))
        try served.end()
    }
}
