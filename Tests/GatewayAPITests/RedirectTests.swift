import GatewayAPI
import TestKit
import Testing

/// `_redirects`: rules of sites for paths that do not exist.
@Suite struct RedirectTests {
    private static let conformance = """
        /redirect-one /one.html
        /301-redirect-one /one.html 301
        /302-redirect-two /two.html 302
        /200-index /index.html 200
        /posts/:year/:month/:day/:title /articles/:year/:month/:day/:title 301
        /splat/* /redirected-splat/:splat 301
        /not-found/* /404.html 404
        /gone/* /410.html 410
        /unavail/* /451.html 451
        /* /index.html 200
        """

    private static func match(_ file: String, _ path: String, query: String? = nil) throws -> RedirectMatch? {
        try RedirectRules(Array(file.utf8)).match(path.split(separator: "/").map(String.init), query: query)
    }

    @Test(arguments: [
        ("/redirect-one", 301, "/one.html"), ("/301-redirect-one", 301, "/one.html"),
        ("/302-redirect-two", 302, "/two.html"), ("/200-index", 200, "/index.html"),
        ("/posts/2022/01/01/hello-world", 301, "/articles/2022/01/01/hello-world"),
        ("/splat/one.html", 301, "/redirected-splat/one.html"),
        ("/splat/a/b c/é", 301, "/redirected-splat/a/b%20c/%C3%A9"), ("/splat", 301, "/redirected-splat/"),
        ("/not-found/has-no-redirects-entry", 404, "/404.html"), ("/gone/x/y", 410, "/410.html"),
        ("/unavail/x", 451, "/451.html"), ("/catch-all", 200, "/index.html"), ("/", 200, "/index.html"),
        ("/posts/2022", 200, "/index.html"), ("/redirect-one/more", 200, "/index.html"),
    ])
    func rulesOfTheConformanceSuite(path: String, status: Int, target: String) throws {
        for file in [
            Self.conformance, Self.conformance.split(separator: "\n").joined(separator: "\r\n") + "\r\n",
        ] {
            let match = try Self.match(file, path)
            #expect(match?.status == status)
            #expect(match?.target == target)
            #expect(match?.isRedirect == (300..<400).contains(status))
        }
    }

    @Test(arguments: [200, 301, 302, 303, 307, 308, 404, 410, 451])
    func everyStatusOfTheSpecIsTaken(status: Int) throws {
        #expect(try Self.match("/a /b \(status)", "/a")?.status == status)
    }

    @Test(arguments: ["301!", "999", "300", "304", "0", "-301", "+301", "2000", "abc", "٣٠١", "0301"])
    func everyOtherStatusIsRefused(status: String) {
        #expect(throws: RedirectError.badStatus(status, line: 2)) {
            try RedirectRules(Array("/x /y\n/a /b \(status)".utf8))
        }
    }

    @Test(arguments: [
        ("/a", RedirectError.wrongWords(line: 1)), ("/a /b 301 more", .wrongWords(line: 1)),
        ("a /b", .badFrom(line: 1)), ("https://a.test/ /b", .badFrom(line: 1)),
        ("/a*b /c", .badFrom(line: 1)),
        ("/*/a /b", .badFrom(line: 1)), ("/: /b", .badFrom(line: 1)), ("/:a-b /c", .badFrom(line: 1)),
        ("/a%zz /b", .badFrom(line: 1)), ("/a b", .badTo(line: 1)), ("/a ftp://a.test/", .badTo(line: 1)),
        ("/a javascript:alert(1)", .badTo(line: 1)), ("/a https://a.test/ 200", .badTo(line: 1)),
        ("/:x/:x /b", .repeatedPlaceholder("x", line: 1)),
        ("/:splat/* /b", .repeatedPlaceholder("splat", line: 1)),
        ("# note\n\n  \t\n/a /b 999", .badStatus("999", line: 4)),
    ])
    func malformedLinesAreNamed(file: String, error: RedirectError) {
        #expect(throws: error) { try RedirectRules(Array(file.utf8)) }
        #expect("\(error)".hasPrefix("could not parse _redirects: line "))
    }

    @Test func commentsAndBlankLinesAreNoRules() throws {
        let file = "\n# /a /b\n   # /c /d\r\n\t/e\t /f  \t307 \r\n\r\n"
        #expect(try RedirectRules(Array(file.utf8)).rules.count == 1)
        #expect(try Self.match(file, "/e") == Self.match("/e /f 307", "/e"))
        #expect(try Self.match("", "/a") == nil)
    }

    @Test func placeholdersMayBeRepeatedInTheTarget() throws {
        #expect(try Self.match("/:a/x /:a/:a/:a_b?q=:a", "/v/x")?.target == "/v/v/:a_b?q=v")
        #expect(try Self.match("/w/:t /wiki/Special::t", "/w/Search")?.target == "/wiki/Special:Search")
        #expect(try Self.match("/a /wiki/Special:Search", "/a")?.target == "/wiki/Special:Search")
        #expect(try Self.match("/a https://b.test:8443/:splat", "/a")?.target == "https://b.test:8443/:splat")
        #expect(
            try Self.match("/old/* https://b.test/:splat 302", "/old/c/d")?.target == "https://b.test/c/d")
    }

    @Test(arguments: [
        ("/a /b", "x=1", "/b?x=1"), ("/a /b?y=2", "x=1", "/b?y=2&x=1"),
        ("/a /b?x=2&z=3", "x=1", "/b?z=3&x=1"),
        ("/a /b#top", "x=1", "/b?x=1#top"), ("/a /b?x=2#top", "", "/b?x=2#top"), ("/a /b 200", "x=1", "/b"),
        ("/a https://c.test/?k", "x=1&x=2", "https://c.test/?k&x=1&x=2"),
    ])
    func theQueryOfTheRequestGoesAlongAndWins(file: String, query: String, target: String) throws {
        #expect(try Self.match(file, "/a", query: query)?.target == target)
    }

    @Test func badInput29RedirectsCannotEndAHeaderOrLeaveTheSiteUnasked() throws {
        // CR and LF in the file are ends of lines or errors; in a request they come encoded.
        #expect(throws: RedirectError.badTo(line: 1)) { try RedirectRules(Array("/a /b\rX-Evil:1".utf8)) }
        #expect(throws: RedirectError.self) { try RedirectRules(Array("/a /b\u{0}".utf8)) }
        let injected = try #require(
            try RedirectRules(Array("/:a /x/:a".utf8)).match(["v\r\nSet-Cookie: a=b"]))
        #expect(injected.target == "/x/v%0D%0ASet-Cookie%3A%20a%3Db")
        let query = try #require(try Self.match("/a /b", "/a", query: "x=1\r\nSet-Cookie: a=b"))
        #expect(!query.target.contains { $0.isNewline || $0 == " " })
        // An open redirect needs a host of the visitor's choice.
        for target in ["https://good.test@evil.test/", "http:///x", "https:evil.test"] {
            #expect(throws: RedirectError.badTo(line: 1)) {
                try RedirectRules(Array("/:host \(target)".utf8))
            }
        }
        #expect(try Self.match("/:host https://:host/", "/evil.test")?.target == "https://:host/")
        #expect(throws: RedirectError.badTo(line: 1)) { try RedirectRules(Array("/a //evil.test".utf8)) }
        #expect(throws: RedirectError.badTo(line: 1)) { try RedirectRules(Array("/a /\\evil.test".utf8)) }
        #expect(try Self.match("/* /:splat/x", "/")?.target == "/x")
        #expect(try RedirectRules(Array("/* /:splat".utf8)).match(["", "evil.test"])?.target == "/evil.test")
    }

    @Test func badInput29TooManyRulesAndTooManyBytesAreRefused() throws {
        let rules = String(repeating: "/a /b\n", count: RedirectRules.maximumRules)
        #expect(try RedirectRules(Array(rules.utf8)).rules.count == RedirectRules.maximumRules)
        #expect(throws: RedirectError.tooManyRules(maximum: 2000)) {
            try RedirectRules(Array((rules + "/a /b").utf8))
        }
        let large = [UInt8](repeating: 0x0A, count: 64 * 1024)
        #expect(try RedirectRules(large).rules.isEmpty)
        do {
            _ = try RedirectRules(large + [0x0A])
            Issue.record("a file over the limit is taken")
        } catch {
            #expect("\(error)".contains("could not parse _redirects: redirects file size cannot exceed"))
        }
        #expect(throws: RedirectError.notText(line: 1)) { try RedirectRules([0x2F, 0xFF, 0x20, 0x2F]) }
    }

    @Test func matchingIsLinearWhateverTheRules() throws {
        let hard = try RedirectRules(Array(String(repeating: "/a/:b/a/:d/end /x\n", count: 1500).utf8))
        let path = (0..<1000).map { _ in "a" }
        #expect(hard.match(path) == nil)
    }
}
