import Foundation
import Glibc
import TestKit
import Testing

/// `/api/v1` over real sockets, as `curl` and raw clients see it.
@Suite struct NodeAPITests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    }

    private static func shell(_ script: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A token of a new grant.
    private func grant(_ server: ServerProcess, _ fields: String) throws -> String {
        let made = try server.curl(
            ["-H", "Content-Type: application/json", "-d", "{\"name\":\"g\",\(fields)}"], "/api/v1/grants",
            token: try server.adminToken())
        #expect(made.status == 201, "\(made.body)")
        return try #require(try object(made.body)["token"] as? String)
    }

    @Test func filesFormsAndCARsAreUploaded() throws {
        let server = try ServerProcess(nacre)
        let token = try server.adminToken()
        let bytes = SeededRandom.bytes(seed: 1, count: 2_500_000)
        let file = try directory.write(bytes, to: "b")
        let small = try directory.write(Array("small".utf8), to: "a")
        let one = try server.curl(["--data-binary", "@" + file], "/api/v1/uploads?name=one", token: token)
        #expect(one.status == 201, "\(one.body)")
        let expected = try nacre.run("add", "-Q", "--only-hash", file).lines
        #expect(try object(one.body)["cid"] as? String == expected.first)

        let form = ["-F", "x=@\(small);filename=f/a", "-F", "y=@\(file);filename=f/s/b", "-F", "note=hello"]
        let folder = try server.curl(form, "/api/v1/uploads", token: token)
        #expect(folder.status == 201, "\(folder.body)")
        try directory.write(Array("small".utf8), to: "f/a")
        try directory.write(bytes, to: "f/s/b")
        let same = try nacre.run("add", "-Q", "--only-hash", directory.path("f")).lines
        #expect(try object(folder.body)["cid"] as? String == same.first)
        #expect(try object(folder.body)["name"] as? String == "f")

        let car = directory.path("f.car")
        #expect(try nacre.run("car", "export", "f", "-o", car).status == 0)
        let again = try server.curl(
            ["-H", "Content-Type: application/vnd.ipld.car", "--data-binary", "@" + car],
            "/api/v1/uploads?name=car", token: token)
        #expect(try object(again.body)["roots"] as? [String] == same, "\(again.body)")
        #expect(try nacre.run("pin", "ls").lines.count == 3)
        let cut = try directory.write(
            Array(try Data(contentsOf: URL(fileURLWithPath: car)).dropLast(9)), to: "cut")
        let broken = try server.curl(
            ["-H", "Content-Type: application/vnd.ipld.car", "--data-binary", "@" + cut], "/api/v1/uploads",
            token: token)
        #expect(broken.status == 400 && broken.body.contains("invalid-car"), "\(broken.body)")
        for bad in ["../x", "a/../b", "x/./y"] {
            let refused = try server.curl(
                ["-F", "x=@\(small);filename=\(bad)"], "/api/v1/uploads", token: token)
            #expect(refused.status == 400, "\(bad): \(refused.body)")
        }
        try server.stop()
        #expect(try nacre.run("verify").status == 0)
    }

    /// Content that is not public, for who may read it, with the path below the root.
    @Test func contentIsReadByWhoMay() throws {
        try directory.write(Array("hello world".utf8), to: "folder/sub/a.txt")
        try directory.write(Array("marked".utf8), to: "folder/sub/\u{301}m")
        let root = try #require(try nacre.run("add", "-Q", "--private", directory.path("folder")).lines.first)
        let server = try ServerProcess(nacre)
        let token = try server.adminToken()
        let path = "/api/v1/content/\(root)?path=sub/a.txt"
        #expect(try server.curl([], path, token: token).body == "hello world")
        #expect(try server.curl([], path + "&offset=6&length=3", token: token).body == "wor")
        let head = try server.curl(["-I"], path, token: token)
        #expect(head.body.lowercased().contains("content-length: 11"), "\(head.body)")
        #expect(head.body.lowercased().contains("content-disposition: attachment"))
        let listed = try server.curl([], "/api/v1/directories/\(root)?path=sub", token: token)
        #expect(listed.body.contains("\"name\":\"a.txt\""), "\(listed.body)")
        // A name that begins with a combining mark is one behind the slash all the same.
        let marked = try server.curl([], "/api/v1/content/\(root)?path=sub/%CC%81m", token: token)
        #expect(marked.body == "marked")
        #expect(try server.curl([], "/api/v1/content/\(root)", token: token).status == 400)
        #expect(try server.curl([], "/api/v1/content/\(root)?path=no", token: token).status == 404)
        #expect(try server.curl([], path).status == 401)
        #expect(try server.curl([], "/ipfs/\(root)/sub/a.txt").status == 404)
        try server.stop()
    }

    @Test func noAnswerOfTheAPIIsToBeGuessedAt() throws {
        let server = try ServerProcess(nacre)
        let token = try server.adminToken()
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: [1, 2, 3]).lines.first)
        for (path, given, status) in [
            ("/api/v1/stats", token, 200), ("/api/v1/openapi.json", "", 200), ("/api/v1/pins", token, 200),
            ("/api/v1/pins", "nonsense", 401), ("/api/v1/nothing", token, 404),
            ("/api/v1/blocks/nonsense", token, 400), ("/api/v1/blocks/\(root)", token, 200),
            ("/metrics", "nonsense", 401), ("/ipfs/\(root)", "nonsense", 401), ("/health/live", "", 200),
        ] {
            let answer = try server.curl(["-i"], path, token: given.isEmpty ? nil : given)
            #expect(answer.status == status, "\(path): \(answer.body)")
            let fields = answer.body.lowercased().split(whereSeparator: \.isNewline)
            #expect(fields.count { $0 == "x-content-type-options: nosniff" } == 1, "\(path): \(answer.body)")
        }
        try server.stop()
    }

    /// As the gateway does, so that a download by the API can go on where it broke off.
    @Test func contentComesInRangesAndOnConditions() throws {
        let bytes = SeededRandom.bytes(seed: 7, count: 700_000)
        let file = try directory.write(bytes, to: "file.bin")
        let root = try #require(try nacre.run("add", "-Q", "--private", file).lines.first)
        let server = try ServerProcess(nacre)
        let token = try server.adminToken()
        let out = directory.path("got")
        func ask(_ fields: [String], _ more: String = "") throws -> (status: Int, head: String, body: [UInt8])
        {
            let arguments = ["-D", "-", "-o", out] + fields.flatMap { ["-H", $0] }
            let answer = try server.curl(arguments, "/api/v1/content/\(root)" + more, token: token)
            let body = [UInt8]((try? Data(contentsOf: URL(fileURLWithPath: out))) ?? Data())
            unlink(out)
            return (answer.status, answer.body.lowercased(), body)
        }
        let whole = try ask([])
        #expect(whole.status == 200 && whole.body == bytes && whole.head.contains("accept-ranges: bytes"))
        let tag = "\"\(root)\""
        #expect(
            whole.head.contains("etag: \(tag)") && whole.head.contains("cache-control: private, no-cache"))
        for (range, expected) in [
            ("bytes=0-9", 0..<10), ("bytes=300000-", 300_000..<700_000), ("bytes=-5", 699_995..<700_000),
            ("bytes=699999-900000", 699_999..<700_000),
        ] {
            let part = try ask(["Range: " + range])
            #expect(part.status == 206 && part.body == Array(bytes[expected]), "\(range): \(part.head)")
            let shown = "content-range: bytes \(expected.lowerBound)-\(expected.upperBound - 1)/700000"
            #expect(part.head.contains(shown), "\(part.head)")
        }
        let parts = try ask(["Range: bytes=0-1,500000-500002"])
        #expect(parts.status == 206 && parts.head.contains("multipart/byteranges; boundary="))
        #expect(Data(parts.body).range(of: Data(bytes[500_000..<500_003])) != nil)
        #expect(parts.head.contains("content-length: \(parts.body.count)"), "\(parts.head)")
        let behind = try ask(["Range: bytes=700000-"])
        #expect(behind.status == 416 && behind.head.contains("content-range: bytes */700000"))
        // Of what the query names.
        let sliced = try ask(["Range: bytes=10-19"], "?offset=1000&length=100")
        #expect(sliced.status == 206 && sliced.body == Array(bytes[1010..<1020]))
        #expect(sliced.head.contains("bytes 10-19/100") && !sliced.head.contains("etag: \(tag)"))
        #expect(try ask(["Range: bytes=50-"], "?offset=699990").status == 416)

        for (fields, status) in [
            (["If-None-Match: \(tag)"], 304), (["If-None-Match: \"other\""], 200),
            (["If-None-Match: *"], 304),
            (["If-Match: \(tag)"], 200), (["If-Match: \"other\""], 412),
            (["Range: bytes=0-1", "If-Range: \(tag)"], 206),
            (["Range: bytes=0-1", "If-Range: \"other\""], 200),
            (["Range: bytes=0-1", "If-None-Match: \(tag)"], 304), (["Range: lines=0-1"], 200),
        ] {
            #expect(try ask(fields).status == status, "\(fields)")
        }
        let unread = try server.curl([], "/api/v1/content/\(root)?path=%zz", token: token)
        #expect(unread.status == 400 && unread.body.contains("invalid-value"), "\(unread.body)")
        try server.stop()
    }

    /// Bad input 28: a key for one upload under a hundred parallel attempts.
    @Test func aKeyForOneUploadIsGoodForExactlyOne() throws {
        let server = try ServerProcess(nacre, ["NACRE_SERVER_MAX_REQUESTS_PER_ADDRESS": "1000"])
        let token = try grant(server, "\"operations\":[\"write\"],\"maxUses\":1")
        let script = """
            seq 100 | xargs -P 50 -I{} curl -s -o /dev/null -w '%{http_code}\\n' \
            -H 'Authorization: Bearer \(token)' -d 'content {}' '\(server.address)/api/v1/uploads' |
            sort | uniq -c
            """
        let counted = try Self.shell(script)
        #expect(counted.contains("1 201") && counted.contains("99 403"), "\(counted)")
        #expect(try nacre.run("pin", "ls").lines.count == 1)
        try server.stop()
    }

    @Test func limitsOfAKeyHoldAndWhatWasRefusedIsNotUsed() throws {
        let server = try ServerProcess(nacre)
        let token = try grant(
            server,
            "\"operations\":[\"write\"],\"maxFileBytes\":1000,\"maxUses\":2,\"contentTypes\":[\"image/*\"]")
        let large = try directory.write([UInt8](repeating: 1, count: 5000), to: "large")
        let small = try directory.write([UInt8](repeating: 1, count: 500), to: "small")
        func upload(_ file: String, _ type: String, _ extra: [String] = []) throws -> (
            status: Int, body: String
        ) {
            try server.curl(
                extra + ["-H", "Content-Type: " + type, "--data-binary", "@" + file], "/api/v1/uploads",
                token: token)
        }
        #expect(try upload(large, "image/png").status == 413)
        #expect(try upload(small, "text/html").status == 403)
        // Without a length the limit is found on the way.
        let chunked = try upload(large, "image/png", ["-H", "Transfer-Encoding: chunked"])
        #expect(chunked.status == 413, "\(chunked.body)")
        #expect(try upload(small, "image/png").status == 201)
        #expect(try server.curl([], "/api/v1/pins", token: token).status == 403)
        #expect(try server.curl([], "/api/v1/pins").status == 401)
        #expect(try nacre.run("pin", "ls").lines.count == 1, "of what was refused nothing is kept")
        try server.stop()
    }

    /// A client that goes away in the middle, and one that says a wrong length, leave nothing behind.
    @Test(arguments: [true, false]) func anUploadThatBreaksOffKeepsNothing(isChunked: Bool) throws {
        let server = try ServerProcess(nacre)
        let token = try server.adminToken()
        var connection: RawConnection? = try RawConnection(port: server.port)
        let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 1000000"
        try connection?.send(
            "POST /api/v1/uploads HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n\(framing)\r\n\r\n"
        )
        try connection?.send((isChunked ? "1000\r\n" : "") + String(repeating: "x", count: 4096))
        connection = nil
        // The next request is answered, and nothing was pinned.
        for _ in 0..<20 {
            #expect(try server.curl([], "/api/v1/pins", token: token).body.contains("\"items\":[]"))
        }
        try server.stop()
    }

    @Test func whoIsRefusedNeedNotSendTheBody() throws {
        let server = try ServerProcess(nacre)
        for (token, expected) in [("nonsense", "HTTP/1.1 401 "), (try server.adminToken(), "HTTP/1.1 100 ")] {
            let connection = try RawConnection(port: server.port)
            try connection.send(
                """
                POST /api/v1/uploads HTTP/1.1\r
                Host: localhost\r
                Authorization: Bearer \(token)\r
                Connection: close\r
                Expect: 100-continue\r
                Content-Length: 5\r
                \r

                """)
            let head = String(decoding: connection.receive(13), as: UTF8.self)
            #expect(head == expected)
            guard expected.contains("100") else { continue }
            try connection.send("hello")
            #expect(String(decoding: connection.receiveAll(), as: UTF8.self).contains("HTTP/1.1 201 "))
        }
        try server.stop()
    }

    @Test func longWorkIsAJobThatSurvivesAKill() throws {
        try directory.write(Array("x".utf8), to: "folder/a")
        let root = try #require(try nacre.run("add", "-Q", directory.path("folder")).lines.first)
        let server = try ServerProcess(nacre)
        let token = try server.adminToken()
        let json = ["-H", "Content-Type: application/json"]
        // So slow that it is under way when the node is killed.
        let asked = try server.curl(json + ["-d", "{\"bytesPerSecond\":1}"], "/api/v1/verify", token: token)
        #expect(asked.status == 202, "\(asked.body)")
        let url = try #require(try object(asked.body)["url"] as? String)
        server.running.signal(SIGKILL)
        _ = try server.running.end()
        let next = try ServerProcess(nacre)
        let job = try next.curl([], url, token: token)
        #expect(["queued", "running"].contains(try object(job.body)["state"] as? String), "\(job.body)")
        let cancelled = try next.curl(["-X", "POST"], url + "/cancel", token: token)
        #expect(cancelled.status == 202)
        let ended = try next.curl(["-H", "Prefer: wait=20"], url, token: token)
        #expect(try object(ended.body)["state"] as? String == "cancelled", "\(ended.body)")
        let walked = try next.curl(
            ["-X", "POST", "-H", "Prefer: wait=20"], "/api/v1/dags/\(root)/walk", token: token)
        #expect(walked.status == 200 && walked.body.contains("\"blocks\":2"), "\(walked.body)")
        try next.stop()
    }

    /// Every operation refuses who shows nothing, answers what is documented, and nothing of a mistyped
    /// request.
    @Test func everyOperationIsDescribedAndAsksForAGrant() throws {
        let server = try ServerProcess(nacre)
        let token = try server.adminToken()
        let document = try object(try server.curl([], "/api/v1/openapi.json").body)
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        #expect(paths.count > 25)
        for (path, methods) in paths {
            for (method, operation) in methods {
                let place = path.replacingOccurrences(
                    of: "\\{[a-z]+\\}", with: "x", options: .regularExpression)
                let target = "/api/v1" + (place == "/" ? "" : place)
                let isOpen = ((operation as? [String: Any])?["security"] as? [Any])?.isEmpty == true
                let refused = try server.curl(["-X", method.uppercased()], target)
                #expect(isOpen == (path == "/sessions" && method == "post"), "\(method) \(path)")
                #expect(refused.status == (isOpen ? 400 : 401), "\(method) \(path): \(refused.status)")
                let mistyped = try server.curl(
                    ["-X", method.uppercased(), "-d", "{nonsense"], target + "?nosuch=1", token: token)
                #expect((400..<500).contains(mistyped.status), "\(method) \(path): \(mistyped.body)")
                #expect(mistyped.body.contains("\"code\""), "\(mistyped.body)")
            }
        }
        // A dry run that is mistyped must not be a real one.
        let wish = try server.curl(
            ["-H", "Content-Type: application/json", "-d", "{\"dryrun\":true}"], "/api/v1/gc", token: token)
        #expect(wish.status == 400 && wish.body.contains("dryRun"), "\(wish.body)")
        let absent = try server.curl([], "/api/v1/nosuch", token: token)
        #expect(absent.status == 404 && absent.body.contains("no-such-operation"))
        let method = try server.curl(["-X", "DELETE", "-D", "-"], "/api/v1/stats", token: token)
        #expect(
            method.status == 405 && method.body.lowercased().contains("allow: get, head"), "\(method.body)")
        try server.stop()
    }

    @Test func signedURLsAllowWhatTheySay() throws {
        let server = try ServerProcess(nacre)
        let token = try server.adminToken()
        let expires = Int64(Date().timeIntervalSince1970 * 1000) + 600_000
        let made = try server.curl(
            [
                "-H", "Content-Type: application/json", "-d",
                "{\"method\":\"POST\",\"path\":\"/api/v1/uploads\",\"expires\":\(expires),\"maxBytes\":100}",
            ], "/api/v1/signed-urls", token: token)
        #expect(made.status == 201, "\(made.body)")
        let url = try #require(try object(made.body)["url"] as? String)
        #expect(try server.curl(["-d", String(repeating: "x", count: 101)], url).status == 413)
        #expect(
            try server.curl(["-d", "hello"], url.replacingOccurrences(of: "uploads", with: "blocks")).status
                == 401)
        let first = try server.curl(["-d", "hello"], url)
        #expect(first.status == 201, "\(first.body)")
        #expect(try server.curl(["-d", "hello"], url).status == 403, "it was good for one")
        try server.stop()
    }
}
