import Foundation
import TestKit
import Testing

/// `nacre ns share` and `nacre ns members`: with and without a node that runs, and what curl gets.
@Suite struct ShareVerbTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
        #expect(try nacre.run("ns", "create", "recipes").status == 0)
        try directory.write(Array("a good password\n".utf8), to: "password")
    }

    /// The URL of a new link: alone on standard output.
    private func share(_ arguments: String...) throws -> String {
        let made = try nacre.run(["ns", "share"] + arguments)
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.lines.count == 1 && made.errors.contains("keep the URL"))
        return String(try #require(made.lines.first))
    }

    @Test func withoutANodeLinksAreMadeListedAndEnded() throws {
        let url = try share("recipes", "--expires", "7d", "--max-uses", "3")
        #expect(url.hasPrefix("http://127.0.0.1:8080/c/") && url.hasSuffix("/"))
        _ = try share(
            "recipes:/", "--upload", "--max-bytes", "1MiB", "--password-file", directory.path("password"))
        let list = try nacre.run("ns", "share", "ls", "recipes")
        #expect(list.lines.count == 2, "\(list.text)")
        let fields = try #require(list.lines.first).split(separator: " ").map(String.init)
        #expect(fields[1] == "active" && fields[2] == "viewer" && fields[4] == "0/3" && fields[5] == "/")
        #expect(fields.count == 6, "nothing else is asked for")
        #expect(list.lines[1].hasSuffix(" 0/any /  (password, max-bytes 0 B of 1.0 MiB)"), "\(list.text)")
        let locked = try share(
            "recipes", "--from", "192.0.2.0/24", "--referrer", "https://example.org/shop/")
        let line = try #require(try nacre.run("ns", "share", "ls", "recipes").lines.last)
        #expect(line.hasSuffix(" /  (from 192.0.2.0/24, referrer https://example.org/shop)"), "\(line)")
        _ = try nacre.run("ns", "share", "rm", String(try #require(line.split(separator: " ").first)))
        #expect(!locked.isEmpty)
        let objects = try nacre.run("ns", "share", "ls", "recipes", "--json").objects()
        #expect(
            objects.last?["password"] as? Bool == true && objects.last?["role"] as? String == "writer_only")
        #expect(objects.allSatisfy { $0["url"] == nil && $0["location"] == nil })
        let ended = try nacre.run("ns", "share", "rm", fields[0])
        #expect(ended.status == 0 && ended.text.contains(" revoked "))
        #expect(try nacre.run("ns", "share", "ls", "recipes").lines.count == 1)
        #expect(try nacre.run("ns", "share", "ls", "recipes", "--all").lines.count == 3)
        #expect(try nacre.run("ns", "share", "rm", fields[0].lowercased() + "x").status == 4)
    }

    @Test func whatMakesNoSenseIsRefused() throws {
        for (arguments, status) in [
            (["nosuch"], 4), (["recipes:/nosuch"], 4), (["recipes", "--max-uses", "0"], 2),
            (["recipes", "--expires", "yesterday"], 2), (["recipes", "--max-bytes", "5"], 2),
            (["recipes", "--from", "1.2.3"], 2), (["recipes", "--referrer", "example"], 2), ([], 2),
            (["recipes", "--password-file", "/dev/null"], 2),
        ] {
            let outcome = try nacre.run(["ns", "share"] + arguments)
            #expect(outcome.status == Int32(status), "\(arguments): \(outcome.status) \(outcome.errors)")
            #expect(outcome.text.isEmpty)
        }
        #expect(try nacre.run("ns", "share", "ls", "recipes", "--all").text.isEmpty)
    }

    /// What is wrong is the last thing that is said, and not lost before how `nacre` is called.
    @Test func theReasonIsAllThatIsSaid() throws {
        for (text, reason) in [
            ("yesterday", "--expires is a duration such as 12h or 30d"),
            ("2001-01-01T00:00:00Z", "--expires 2001-01-01T00:00:00Z is in the past"),
        ] {
            for verb in [["ns", "share", "recipes"], ["key", "create", "--name", "a", "--allow", "read"]] {
                let outcome = try nacre.run(verb + ["--expires", text])
                #expect(outcome.status == 2 && outcome.errors.contains(reason), "\(outcome.errors)")
                #expect(!outcome.errors.contains("Usage"), "\(outcome.errors)")
                #expect(outcome.errors.split(separator: "\n").count == 1)
            }
        }
    }

    @Test func whatIsNotInANamespaceIsNamedByItsPath() throws {
        for verb in ["cat", "ls", "stat"] {
            let outcome = try nacre.run(verb, "recipes:/soups/nope")
            #expect(outcome.status == 4, "\(outcome.errors)")
            #expect(
                outcome.errors.contains("nothing at “soups” in version 0 of “recipes”")
                    && !outcome.errors.contains("bafy"), "\(outcome.errors)")
        }
    }

    @Test func aLinkIsUsedWithCurlWhileTheNodeRuns() throws {
        let server = try ServerProcess(nacre)
        let box = try share(
            "recipes", "--upload", "--max-file-bytes", "1MiB", "--password-file", directory.path("password"))
        #expect(box.hasPrefix(server.address + "/c/"))
        let path = String(box.dropFirst(server.address.count))
        try directory.write(SeededRandom.bytes(seed: 3, count: 900_000), to: "Soup.pdf")
        try directory.write(SeededRandom.bytes(seed: 4, count: 1_100_000), to: "large.bin")
        let password = ["-u", ":a good password"]
        #expect(try server.curl(["-T", directory.path("Soup.pdf")], path).status == 401)
        let first = try server.curl(password + ["-T", directory.path("Soup.pdf")], path)
        #expect(first.status == 201 && first.body == "received Soup.pdf\n", "\(first)")
        let second = try server.curl(
            password + [
                "-F", "files=@" + directory.path("Soup.pdf"), "-F", "files=@" + directory.path("password"),
            ],
            path)
        #expect(second.status == 201 && second.body.contains("received password"))
        #expect(try server.curl(password + ["-T", directory.path("large.bin")], path).status == 413)

        let file = try share("recipes:/Soup.pdf", "--max-uses", "1")
        #expect(file.hasSuffix("/Soup.pdf"))
        let got = directory.path("got.pdf")
        let filePath = String(file.dropFirst(server.address.count))
        #expect(try server.curl(["-o", got], filePath).status == 200)
        #expect(try directory.read("got.pdf") == directory.read("Soup.pdf"))
        #expect(try server.curl([], filePath).status == 410)
        let folder = try share("recipes")
        let page = try server.curl(
            ["-H", "Accept: text/html"], String(folder.dropFirst(server.address.count)))
        #expect(page.status == 200 && page.body.contains("Soup.pdf") && page.body.contains("password"))
        #expect(!page.body.contains("Soup (2).pdf"), "equal content under one name is one file")
        // A page is no use, what it leads to is.
        let soup = String(folder.dropFirst(server.address.count)) + "Soup.pdf"
        #expect(try server.curl([], soup).status == 200 && server.curl([], soup).status == 200)
        let list = try nacre.run("ns", "share", "ls", "recipes", "--all")
        #expect(list.lines.last?.hasSuffix(" active viewer never 2/any /") == true, "\(list.text)")
        #expect(list.lines.count == 3 && list.lines[1].contains(" exhausted viewer never 1/1 /Soup.pdf"))
        try server.stop()
        #expect(try nacre.run("ns", "share", "ls", "recipes", "--all").text == list.text)
        #expect(try nacre.run("verify").status == 0)
    }

    @Test func theURLIsWhereTheNodeIsAnnounced() throws {
        var nacre = nacre
        nacre.environment["NACRE_GATEWAY_ANNOUNCE"] = "http://node.example:8080 https://node.example"
        let made = try nacre.run("ns", "share", "recipes")
        #expect(made.text.hasPrefix("https://node.example/c/"), "\(made.text) \(made.errors)")
    }

    @Test func membersComeChangeAndGoWithTheirKeys() throws {
        let added = try nacre.run(
            "user", "add", "bob", "--password-file", directory.path("password"))
        #expect(added.status == 0)
        #expect(try nacre.run("ns", "members", "recipes").text.isEmpty)
        #expect(
            try nacre.run("ns", "members", "recipes", "add", "bob", "--role", "editor").text == "bob editor\n"
        )
        #expect(try nacre.run("ns", "members", "recipes").text == "bob editor\n")
        for arguments in [
            ["add", "bob"], ["add", "--role", "editor"], ["rm"], ["drop", "bob"],
            ["rm", "bob", "--role", "viewer"],
            ["add", "bob", "--role", "boss"],
        ] {
            #expect(try nacre.run(["ns", "members", "recipes"] + arguments).status == 2, "\(arguments)")
        }
        #expect(try nacre.run("ns", "members", "recipes", "add", "eve", "--role", "viewer").status == 4)
        let key = try nacre.run(
            "key", "create", "--name", "bob", "--user", "bob", "--scope", "namespace:default/recipes",
            "--allow",
            "read,write,delete")
        #expect(key.status == 0, "\(key.errors)")
        let token = String(try #require(key.lines.first))
        #expect(try nacre.run("key", "ls").text.contains(" namespace:default/recipes "))
        #expect(try nacre.run("ns", "rename", "recipes", "kitchen").status == 0)
        #expect(try nacre.run("key", "ls").text.contains(" namespace:default/kitchen "))

        let server = try ServerProcess(nacre)
        let list = try server.curl([], "/sync/v1/ns", token: token)
        #expect(
            list.status == 200 && list.body.contains("\"role\":\"editor\"") && list.body.contains("kitchen"))
        #expect(try nacre.run("ns", "members", "kitchen", "add", "bob", "--role", "viewer").status == 0)
        #expect(try server.curl([], "/sync/v1/ns", token: token).body.contains("\"role\":\"viewer\""))
        #expect(try nacre.run("ns", "members", "kitchen", "rm", "bob").text == "bob viewer\n")
        #expect(try server.curl([], "/sync/v1/ns", token: token).status == 401)
        try server.stop()
    }
}
