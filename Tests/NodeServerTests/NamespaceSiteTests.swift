import Access
import BlockStorage
import Catalog
import Dispatch
import Foundation
import HTTPSupport
import IPLD
import Multiformats
import Namespaces
import NodeCore
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// Namespaces as directories and sites: `/n/NAME/…` and `NAME.n.localhost`.
@Suite struct NamespaceSiteTests {
    private struct Site: Sendable {
        let info: NamespaceInfo
        let page: SyncNode
        let rules: SyncNode
    }

    private static func site(_ laboratory: ServerLaboratory, _ visibility: String = "public") throws -> Site {
        let info = try laboratory.owner.create(NamespaceRequest(name: "site", visibility: visibility))
        try laboratory.put("index.html", "<h1>welcome</h1>", in: info)
        let folder = try laboratory.makeDirectory("docs", in: info)
        let page = try laboratory.put("a b.txt", "0123456789", in: info, below: folder.id)
        let rules = try laboratory.put("_redirects", "/old /docs/a%20b.txt 302\n/* /404.html 404\n", in: info)
        try laboratory.put("404.html", "<h1>not here</h1>", in: info)
        return Site(info: info, page: page, rules: rules)
    }

    private static let path = "/n/site/docs/a%20b.txt"

    @Test func aNamespaceIsADirectoryWithItsIndexAndLists() async throws {
        try await ServerLaboratory.serve { laboratory in
            let site = try Self.site(laboratory)
            try await laboratory.connect { connection in
                let index = try connection.get("/n/site/")
                #expect(index.status == 200 && index.text == "<h1>welcome</h1>")
                #expect(index.fields["content-type"]?.hasPrefix("text/html") == true)
                let slash = try connection.get("/n/site?x=1")
                #expect(slash.status == 301 && slash.fields["location"] == "/n/site/?x=1")
                #expect(try connection.get("/n/site/docs").fields["location"] == "/n/site/docs/")
                let list = try connection.get("/n/site/docs/")
                #expect(list.status == 200 && list.text.contains("a b.txt"))
                #expect(try connection.get("/n/\(site.info.id)/").text == index.text)
                #expect(try connection.get("/n/site/nosuch").status == 404)
                for path in ["/n/nosuch/", "/n/", "/n/site%00/", "/n/@1/", "/n/%2F/"] {
                    let answer = try connection.get(path)
                    #expect((400...404).contains(answer.status), "\(path): \(answer.status)")
                }
            }
        }
    }

    /// A store in which a block takes until it is let through.
    private struct SlowStore: BlockStore {
        let base: NamespaceBlocks
        let isReached: DispatchSemaphore
        let mayGoOn: DispatchSemaphore

        func block(_ cid: CID) throws -> Block? { try base.block(cid) }
        func size(of cid: CID) throws -> Int? { try base.size(of: cid) }
        func commit() throws { try base.commit() }

        func put(_ blocks: [BlockView], scope: ScopeMarks) throws -> PutSummary {
            isReached.signal()
            mayGoOn.wait()
            return try base.put(blocks, scope: scope)
        }
    }

    @Test func whoAsksForEarlierVersionsKeepsNobodyElseWaiting() async throws {
        try await ServerLaboratory.serve { laboratory in
            let site = try Self.site(laboratory)
            for number in 0..<3 { try laboratory.put("more \(number)", "more", in: site.info) }
            let namespace = try laboratory.node.namespaces.namespace("site")
            let (isReached, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let slow = SlowStore(
                base: try NamespaceBlocks(laboratory.node, of: namespace), isReached: isReached,
                mayGoOn: mayGoOn)
            let building = Task.detached {
                try await laboratory.onThread {
                    try laboratory.node.namespaces.snapshot(of: namespace, asOf: 1, in: slow)
                }
            }
            let port = laboratory.port
            try await laboratory.onThread {
                isReached.wait()
                // More than there are threads, of that version and of others.
                let readers = try (0..<40).map { number in
                    let connection = try HTTPConnection(port: port)
                    connection.send(HTTPConnection.request("/n/site@\(1 + number % 3)/index.html"))
                    return connection
                }
                let other = try HTTPConnection(port: port)
                #expect(try other.get("/n/site/index.html").status == 200, "the newest state")
                #expect(try other.get("/health/ready").status == 200)
                for _ in 0..<100 { mayGoOn.signal() }
                for reader in readers {
                    let answer = try reader.answer()
                    #expect(answer.status == 200 && answer.text == "<h1>welcome</h1>", "\(answer.text)")
                }
            }
            _ = try await building.value
        }
    }

    @Test func aFileHasRangesATagAndTheTimeOfItsLastChange() async throws {
        try await ServerLaboratory.serve { laboratory in
            let site = try Self.site(laboratory)
            let tag = "\"\(try #require(site.page.content))\""
            let namespace = try laboratory.node.namespaces.namespace("site")
            let entry = try #require(
                try laboratory.node.namespaces.journal(of: namespace).first { $0.node.id == site.page.id })
            let changed = HTTPDate(seconds: entry.time / 1000)
            try await laboratory.connect { connection in
                let whole = try connection.get(Self.path)
                #expect(whole.status == 200 && whole.text == "0123456789")
                #expect(whole.fields["etag"] == tag)
                #expect(whole.fields["last-modified"] == changed.description, "by this node's clock")
                #expect(whole.fields["cache-control"] == "public, max-age=0")
                let part = try connection.get(Self.path, "Range: bytes=2-4\r\n")
                #expect(part.status == 206 && part.text == "234")
                #expect(part.fields["content-range"] == "bytes 2-4/10")
                #expect(try connection.get(Self.path, "Range: bytes=20-\r\n").status == 416)
                #expect(try connection.get(Self.path, "If-None-Match: \(tag)\r\n").status == 304)
                #expect(try connection.get(Self.path, "If-None-Match: \"x\"\r\n").status == 200)
                let later = HTTPDate(seconds: changed.seconds + 1)
                let before = HTTPDate(seconds: changed.seconds - 1)
                for (date, status) in [(changed, 304), (later, 304), (before, 200)] {
                    #expect(try connection.get(Self.path, "If-Modified-Since: \(date)\r\n").status == status)
                }
                for (date, status) in [(changed, 200), (before, 412)] {
                    #expect(
                        try connection.get(Self.path, "If-Unmodified-Since: \(date)\r\n").status == status)
                }
                #expect(
                    try connection.get(Self.path, "If-Range: \(tag)\r\nRange: bytes=0-0\r\n").status == 206)
                #expect(try connection.get(Self.path, method: "HEAD").fields["content-length"] == "10")

                let edited = try laboratory.put("", "abc", in: site.info, over: site.page)
                let next = try connection.get(Self.path, "If-None-Match: \(tag)\r\n")
                #expect(next.status == 200 && next.text == "abc")
                #expect(next.fields["etag"] == "\"\(try #require(edited.content))\"")
                // Other files have not changed with it.
                let index = try connection.get("/n/site/index.html")
                #expect(index.status == 200 && index.text == "<h1>welcome</h1>")
                // In the place of its directory it is as old; a list is as old as what it shows.
                let date = try #require(index.fields["last-modified"])
                let shown = try connection.get("/n/site/")
                #expect(shown.text == index.text && shown.fields["last-modified"] == date)
                #expect(
                    try connection.get("/n/site/", "If-Modified-Since: \(date)\r\n").status == 304)
                let newest = try #require(try laboratory.node.namespaces.journal(of: namespace).first)
                #expect(
                    try connection.get("/n/site/docs/").fields["last-modified"]
                        == HTTPDate(seconds: newest.time / 1000).description)
            }
        }
    }

    @Test func directoriesAndFilesShowTheirVersions() async throws {
        try await ServerLaboratory.serve { laboratory in
            let site = try Self.site(laboratory)
            try await laboratory.connect { connection in
                let list = try connection.get("/n/site/docs/")
                #expect(list.text.contains("Version 5, the newest."))
                #expect(list.text.contains("href=\"/n/site%405/docs/\" aria-current=\"true\""))
                let tag = try #require(list.fields["etag"])
                #expect(try connection.get("/n/site/docs/", "If-None-Match: \(tag)\r\n").status == 304)
                try laboratory.put("more.txt", "more", in: site.info)
                let next = try connection.get("/n/site/docs/", "If-None-Match: \(tag)\r\n")
                #expect(next.status == 200 && next.text.contains("Version 6, the newest."))
                let old = try connection.get("/n/site@3/docs/")
                #expect(old.status == 200 && old.text.contains("Show the newest"))
                let changes = try connection.get(Self.path + "?versions")
                #expect(changes.status == 200 && changes.text.contains("/n/site%403/docs/a%20b.txt"))
                #expect(try connection.get("/n/site/nosuch?versions").status == 404)
                #expect(try connection.get("/n/site/?versions").text.contains("made"))
            }
        }
    }

    @Test func everyVersionStaysReadable() async throws {
        try await ServerLaboratory.serve { laboratory in
            let site = try Self.site(laboratory)
            let old = try await laboratory.connect { connection in
                try #require(
                    try connection.get("/n/site/docs/").fields["x-ipfs-roots"]?.split(separator: ",").first)
            }
            let edited = try laboratory.put("", "abc", in: site.info, over: site.page)
            try laboratory.change(
                .delete(edited.id, base: edited.revision, newestBelow: 0), in: site.info)
            let entries = try laboratory.node.namespaces.journal(
                of: laboratory.node.namespaces.namespace("site"))
            let time = try #require(entries.first { $0.jid == 6 }?.time)
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            let text = Date(timeIntervalSince1970: Double(time) / 1000 + 0.0001).formatted(style)
            let isAlone = entries.filter { $0.time == time }.count == 1
            try await laboratory.connect { connection in
                #expect(try connection.get(Self.path).status == 404)
                for (version, content) in [
                    ("3", "0123456789"), ("5", "0123456789"), ("6", "abc"), (String(old), "0123456789"),
                ] {
                    let answer = try connection.get("/n/site@\(version)/docs/a%20b.txt")
                    #expect(answer.status == 200 && answer.text == content, "\(version): \(answer.text)")
                }
                if isAlone {
                    #expect(try connection.get("/n/site@\(text)/docs/a%20b.txt").text == "abc")
                }
                #expect(try connection.get("/n/site@2999-01-01T00:00:00Z/index.html").status == 200)
                #expect(try connection.get("/n/site@2/docs/").status == 200, "an empty directory")
                #expect(try connection.get("/n/site@0/").status == 200, "the empty beginning")
                for path in [
                    "/n/site@2/docs/a%20b.txt", "/n/site@8/", "/n/site@-1/", "/n/site@x/", "/n/site@/",
                    "/n/site@99999999999999999999/", "/n/site@999999999999-01-01T00:00:00Z/",
                    "/n/site@bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku/",
                    "/n/site@2001-01-01T00:00:00Z/index.html",
                ] {
                    #expect(try connection.get(path).status == 404, "\(path)")
                }
            }
        }
    }

    @Test func aPrivateNamespaceIsThereForItsProjectAlone() async throws {
        try await ServerLaboratory.serve { laboratory in
            let site = try Self.site(laboratory, "private")
            let key = try laboratory.key([.read])
            let stranger = try laboratory.key(in: try laboratory.node.catalog.projects.add(name: "others").id)
            let root = try laboratory.node.snapshot(of: laboratory.node.namespaces.namespace("site")).root
            try await laboratory.connect { connection in
                let absent = try connection.get("/n/nosuch/")
                for path in [Self.path, "/n/site/", "/n/site@3/", "/n/\(site.info.id)/", "/ipfs/\(root)/"] {
                    let own = try connection.get(path, key)
                    #expect(own.status == 200, "\(path)")
                    #expect(
                        own.fields["cache-control"]?.hasPrefix("private") == true, "\(path) \(own.fields)")
                    #expect(own.fields["vary"] == "Authorization")
                    for fields in ["", stranger] {
                        #expect(try connection.get(path, fields).status == 404, "\(path)")
                    }
                }
                #expect(
                    try connection.get("/n/site/").text.replacing("site", with: "nosuch") == absent.text,
                    "nobody learns that it is there")
            }
            _ = try laboratory.node.setVisibility(
                .public, of: laboratory.node.namespaces.namespace("site"))
            try await laboratory.connect { connection in
                for path in [Self.path, "/n/site@3/", "/ipfs/\(root)/"] {
                    let answer = try connection.get(path)
                    #expect(answer.status == 200, "\(path)")
                }
            }
            _ = try laboratory.node.setVisibility(
                .private, of: laboratory.node.namespaces.namespace("site"))
            try await laboratory.connect { connection in
                for path in [Self.path, "/n/site@3/", "/ipfs/\(root)/"] {
                    let (stranger, own) = (try connection.get(path), try connection.get(path, key))
                    #expect(stranger.status == 404 && own.status == 200, "\(path)")
                }
            }
        }
    }

    @Test func belowItsPathANamespaceIsASiteToo() async throws {
        try await ServerLaboratory.serve { laboratory in
            let site = try Self.site(laboratory)
            try laboratory.put("_redirects", Self.rules, in: site.info, over: site.rules)
            try await laboratory.connect { connection in
                // What the rules call / is where the namespace is.
                for (path, status, target) in [
                    ("/n/site/old", 302, "/n/site/docs/a%20b.txt"),
                    ("/n/site/old?x=1", 302, "/n/site/docs/a%20b.txt?x=1"),
                    ("/n/site@6/old", 302, "/n/site%406/docs/a%20b.txt"),
                    ("/n/\(site.info.id)/move/d/e%20f", 301, "/n/\(site.info.id)/docs/d/e%20f"),
                    ("/n/site/away/x", 307, "https://example.org/x"),
                ] {
                    let answer = try connection.get(path)
                    #expect(answer.status == status && answer.fields["location"] == target, "\(path)")
                    #expect(answer.fields["cache-control"]?.hasPrefix("public, max-age=") == true)
                }
                let app = try connection.get("/n/site/app/any")
                #expect(app.status == 200 && app.text == "<h1>welcome</h1>")
                #expect(app.fields["content-security-policy"]?.hasPrefix("sandbox") == true)
                let gone = try connection.get("/n/site/gone/x")
                #expect(gone.status == 410 && gone.text == "<h1>not here</h1>")
                // No rule fits: the page is found all the same.
                let lost = try connection.get("/n/site/docs/no/such")
                #expect(lost.status == 404 && lost.text == "<h1>not here</h1>")
                #expect(lost.fields["content-security-policy"]?.hasPrefix("sandbox") == true)
                // What is there is served, whatever a rule says; a version has its own rules.
                #expect(try connection.get("/n/site/index.html").status == 200)
                #expect(try connection.get("/n/site@3/app/any").status == 404)
                #expect(try connection.get("/n/site/old?format=raw").status == 404)
            }
        }
    }

    private static let rules = """
        /old /docs/a%20b.txt 302
        /move/* /docs/:splat
        /away/* https://example.org/:splat 307
        /app/* /index.html 200
        /gone/* /404.html 410
        /index.html /docs/
        """

    @Test func aPageForWhatIsNotThereNeedsNoRules() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "site", visibility: "public"))
            let page = try laboratory.put("404.html", "outer", in: info)
            let folder = try laboratory.makeDirectory("docs", in: info)
            try laboratory.put("404.html", "inner", in: info, below: folder.id)
            try await laboratory.connect { connection in
                for (path, text) in [("/x", "outer"), ("/docs/x", "inner"), ("/docs/x/y", "inner")] {
                    for host in ["site.n.localhost", "localhost"] {
                        let prefix = host == "localhost" ? "/n/site" : ""
                        connection.send("GET \(prefix)\(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                        let answer = try connection.answer()
                        #expect(answer.status == 404 && answer.text == text, "\(host)\(path)")
                    }
                }
                let head = try connection.get("/n/site/x", method: "HEAD")
                #expect(head.status == 404 && head.fields["content-length"] == "5")
            }
            try laboratory.change(.delete(page.id, base: page.revision, newestBelow: 0), in: info)
            try await laboratory.connect { connection in
                let absent = try connection.get("/n/site/x")
                #expect(absent.status == 404 && absent.text.contains("no link named"))
            }
        }
    }

    @Test func onAHostOfItsOwnANamespaceIsASite() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try Self.site(laboratory)
            try await laboratory.connect { connection in
                func get(_ path: String, host: String = "site.n.localhost") throws -> HTTPConnection.Answer {
                    connection.send("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                    return try connection.answer()
                }
                #expect(try get("/").text == "<h1>welcome</h1>")
                #expect(try get("/docs/a%20b.txt").text == "0123456789")
                let old = try get("/old")
                #expect(old.status == 302 && old.fields["location"] == "/docs/a%20b.txt")
                let lost = try get("/nosuch/page")
                #expect(lost.status == 404 && lost.text == "<h1>not here</h1>")
                #expect(try get("/", host: "nosuch.n.localhost").status == 404)
                // A path that the node itself has is content here.
                #expect(try get("/sync/v1/hello").text == "<h1>not here</h1>")
                #expect(try get("/n/site/").text == "<h1>not here</h1>")
            }
        }
    }
}
