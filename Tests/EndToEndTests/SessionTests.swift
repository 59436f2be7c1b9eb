import Foundation
import Glibc
import TestKit
import Testing

/// Logging in over HTTP: the cookie, what proves the page, and where neither counts.
@Suite struct SessionTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess
    private let json = ["-H", "Content-Type: application/json"]

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    private func addUser(_ name: String, _ more: String...) throws {
        let added = try nacre.run(
            ["user", "add", name, "--password-file", "-"] + more, input: Array("long enough".utf8))
        #expect(added.status == 0, "\(added.errors)")
    }

    private struct Login {
        /// `name=value`, as a browser sends it.
        let cookie: String
        let field: String
        let csrf: String
        let body: [String: Any]

        var reading: [String] { ["-H", "Cookie: " + cookie] }
        var changing: [String] { reading + ["-H", "X-CSRF-Token: " + csrf] }
    }

    private func logIn(
        _ server: ServerProcess, _ name: String, _ password: String = "long enough"
    ) throws -> Login {
        let answer = try server.curl(
            json + ["-D", "-", "-d", "{\"name\":\"\(name)\",\"password\":\"\(password)\"}"],
            "/api/v1/sessions")
        #expect(answer.status == 201, "\(answer.body)")
        let lines = answer.body.split(whereSeparator: \.isNewline).map(String.init)
        let field = try #require(lines.first { $0.lowercased().hasPrefix("set-cookie: ") })
        let body = try #require(
            try JSONSerialization.jsonObject(with: Data((lines.last ?? "").utf8)) as? [String: Any])
        let cookie = field.dropFirst(12).prefix { $0 != ";" }
        return Login(
            cookie: String(cookie), field: field, csrf: try #require(body["csrfToken"] as? String), body: body
        )
    }

    @Test func whoLogsInActsAsTheirRolesAllow() throws {
        try addUser("ada", "--admin")
        try addUser("ben")
        #expect(try nacre.run("project", "member", "default", "ben", "reader").status == 0)
        let server = try ServerProcess(nacre)
        let ada = try logIn(server, "ada")
        for part in ["; Path=/api/;", "; HttpOnly;", "; SameSite=Strict"] {
            #expect(ada.field.contains(part), "\(ada.field)")
        }
        #expect(!ada.field.contains("Secure"), "a browser would not send it over plain HTTP")
        #expect((ada.body["user"] as? [String: Any])?["name"] as? String == "ada")
        #expect(try server.curl(ada.reading, "/api/v1/users").status == 200)
        let ben = try logIn(server, "ben")
        #expect(try server.curl(ben.reading, "/api/v1/pins").status == 200)
        #expect(try server.curl(ben.reading, "/api/v1/users").status == 403)
        #expect(try server.curl(ben.changing + ["-d", "x"], "/api/v1/uploads").status == 403)
        let who = try server.curl(ben.reading, "/api/v1/principal")
        #expect(who.body.contains("\"source\":\"session\"") && who.body.contains("project:default"))
        let elsewhere = ben.reading + ["-H", "X-Nacre-Project: other"]
        #expect(try server.curl(elsewhere, "/api/v1/pins").status == 404)
        try server.stop()
    }

    @Test func aChangeByCookieNeedsTheTokenOfItsSession() throws {
        try addUser("ada", "--admin")
        let server = try ServerProcess(nacre)
        let (one, other) = (try logIn(server, "ada"), try logIn(server, "ada"))
        let upload = ["-H", "Content-Type: text/plain", "-d", "hello"]
        for proof in [[], ["-H", "X-CSRF-Token: "], ["-H", "X-CSRF-Token: " + other.csrf]] {
            let refused = try server.curl(one.reading + proof + upload, "/api/v1/uploads")
            #expect(refused.status == 403 && refused.body.contains("csrf-token-invalid"), "\(refused.body)")
        }
        #expect(try server.curl(one.reading + ["-X", "DELETE"], "/api/v1/sessions/current").status == 403)
        #expect(try nacre.run("pin", "ls").lines.isEmpty)
        #expect(try server.curl(one.changing + upload, "/api/v1/uploads").status == 201)
        // A page of another origin, also where the token leaked.
        for field in [
            "Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site",
        ] {
            #expect(try server.curl(one.changing + ["-H", field] + upload, "/api/v1/uploads").status == 403)
            #expect(try server.curl(one.reading + ["-H", field], "/api/v1/pins").status == 403)
        }
        #expect(
            try server.curl(one.reading + ["-H", "Sec-Fetch-Site: same-origin"], "/api/v1/pins").status == 200
        )
        // A second cookie of the name was planted by somebody: neither counts.
        let planted = ["-H", "Cookie: \(one.cookie); \(other.cookie)"]
        #expect(try server.curl(planted, "/api/v1/pins").status == 401)
        // What was refused is in the audit log.
        #expect(
            try nacre.run("audit", "--principal", "ada", "--outcome", "refused").text.contains(
                "csrf-token-invalid"))
        try server.stop()
    }

    @Test func aCookieCountsForTheAPIAlone() throws {
        try addUser("ada", "--admin")
        let root = try #require(
            try nacre.run(["add", "-Q", "--private", "-"], input: Array("private".utf8)).lines.first)
        let server = try ServerProcess(nacre)
        let ada = try logIn(server, "ada")
        #expect(try server.curl(ada.reading, "/api/v1/content/\(root)").body == "private")
        #expect(try server.curl(ada.reading, "/ipfs/\(root)").status == 404)
        #expect(try server.curl(ada.reading, "/metrics").status == 401)
        try server.stop()
    }

    @Test func sessionsEndByLogoutAndWithThePassword() throws {
        try addUser("ada", "--admin")
        let server = try ServerProcess(nacre)
        func isAlive(_ login: Login) throws -> Bool {
            try server.curl(login.reading, "/api/v1/sessions/current").status == 200
        }
        let (one, two, three) = (try logIn(server, "ada"), try logIn(server, "ada"), try logIn(server, "ada"))
        let ended = try server.curl(one.changing + ["-X", "DELETE", "-D", "-"], "/api/v1/sessions/current")
        #expect(ended.status == 204 && ended.body.contains("nacre_session=; Path=/api/; Max-Age=0"))
        #expect(try !isAlive(one) && isAlive(two) && isAlive(three))
        let wrong = try server.curl(
            two.changing + json + [
                "-X", "PUT", "-d", "{\"current\":\"a guess\",\"new\":\"long enough too\"}",
            ],
            "/api/v1/sessions/current/password")
        #expect(wrong.status == 401 && wrong.body.contains("login-refused"), "\(wrong.body)")
        let changed = try server.curl(
            two.changing + json + [
                "-X", "PUT", "-d", "{\"current\":\"long enough\",\"new\":\"long enough too\"}",
            ],
            "/api/v1/sessions/current/password")
        #expect(changed.status == 204, "\(changed.body)")
        #expect(try !isAlive(two) && !isAlive(three))
        let four = try logIn(server, "ada", "long enough too")
        let set = try nacre.run(
            ["user", "password", "ada", "--password-file", "-"], input: Array("another one".utf8))
        #expect(set.status == 0, "\(set.errors)")
        #expect(try !isAlive(four))
        let token = try server.adminToken()
        #expect(try server.curl([], "/api/v1/sessions/current", token: token).status == 404)
        #expect(try server.curl([], "/api/v1/sessions/current").status == 401)
        try server.stop()
    }

    @Test func overTLSTheCookieIsForTLSAlone() throws {
        for (file, path) in [("one.pem", "certificate.pem"), ("one-key.pem", "key.pem")] {
            try directory.write(try Vectors.bytes("tls/" + file), to: path)
        }
        #expect(chmod(directory.path("key.pem"), 0o600) == 0)
        try addUser("ada")
        let server = try ServerProcess(
            nacre,
            [
                "NACRE_TLS_CERTIFICATE": directory.path("certificate.pem"),
                "NACRE_TLS_KEY": directory.path("key.pem"),
            ])
        let body = "{\"name\":\"ada\",\"password\":\"long enough\"}"
        let answer = try server.curl(json + ["-k", "-D", "-", "-d", body], "/api/v1/sessions")
        #expect(answer.status == 201 && answer.body.contains("; SameSite=Strict; Secure"), "\(answer.body)")
        try server.stop()
    }

    @Test func noSecretOfALoginIsWrittenAnywhere() throws {
        try addUser("ada", "--admin")
        let server = try ServerProcess(nacre, ["NACRE_LOG_LEVEL": "trace"])
        let login = try logIn(server, "ada")
        let upload = login.changing + ["-H", "Content-Type: text/plain", "-d", "hello"]
        #expect(try server.curl(upload, "/api/v1/uploads").status == 201)
        let wrong = json + ["-d", "{\"name\":\"ada\",\"password\":\"a wrong guess\"}"]
        #expect(try server.curl(wrong, "/api/v1/sessions").status == 401)
        let new = json + ["-d", "{\"name\":\"ben\",\"password\":\"bens password\"}"]
        let added = try server.curl(login.changing + new, "/api/v1/users")
        #expect(added.status == 201 && !added.body.contains("password"), "\(added.body)")
        server.running.signal(SIGTERM)
        let outcome = try server.running.end()
        let value = String(login.cookie.split(separator: "=").last ?? "")
        for secret in ["long enough", "a wrong guess", "bens password", value, login.csrf] {
            #expect(!outcome.errors.contains(secret) && !outcome.text.contains(secret))
            for (path, bytes) in try directory.allFiles() {
                #expect(!String(decoding: bytes, as: UTF8.self).contains(secret), "\(path)")
            }
        }
    }

    /// The delays themselves are tested with a clock that is moved by hand: `AccountTests`.
    @Test func guessesAreToldToWait() throws {
        let server = try ServerProcess(nacre)
        // All at once, since checking a password takes longer than the first delays.
        let script = """
            seq 12 | xargs -P 12 -I{} curl -s -D - -H 'Content-Type: application/json' \
            -d '{"name":"ada","password":"a guess at it"}' '\(server.address)/api/v1/sessions'
            """
        let said = try Tool.run(["/bin/sh", "-c", script]).output.lowercased()
        let refused = said.components(separatedBy: "http/1.1 429 ").count - 1
        #expect(refused >= 5 && said.contains("http/1.1 401 "), "\(said)")
        #expect(said.contains("retry-after: ") && said.contains("login-throttled"), "\(said)")
        #expect(try server.curl(json + ["-d", "{\"name\":\"ada\"}"], "/api/v1/sessions").status == 400)
        try server.stop()
    }
}
