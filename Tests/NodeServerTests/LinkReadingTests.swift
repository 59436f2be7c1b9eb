import Access
import Catalog
import HTTPSupport
import Multiformats
import Namespaces
import NodeCore
import NodeMessages
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// What a link shows, over sockets: files and folders, as they are and as they become.
@Suite struct LinkReadingTests {
    private struct Shared: Sendable {
        let info: NamespaceInfo
        let soup: SyncNode
        let folder: SyncNode
    }

    /// A private namespace with `Soup.html`, `docs/a b.txt`, `docs/index.html` and `secret.txt`.
    private static func fill(_ laboratory: ServerLaboratory) throws -> Shared {
        let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
        let soup = try laboratory.put("Soup.html", "<script>alert(1)</script>", in: info)
        try laboratory.put("secret.txt", "for nobody", in: info)
        let folder = try laboratory.makeDirectory("docs", in: info)
        try laboratory.put("a b.txt", "0123456789", in: info, below: folder.id)
        try laboratory.put("index.html", "<h1>mine</h1>", in: info, below: folder.id)
        return Shared(info: info, soup: soup, folder: folder)
    }

    @Test func aFileKeepsItsNameInTheURLAndIsNoPageOfTheNode() async throws {
        try await ServerLaboratory.serve { laboratory in
            let shared = try Self.fill(laboratory)
            let path = try laboratory.link("recipes", "/Soup.html")
            #expect(path.hasPrefix("/c/") && path.hasSuffix("/Soup.html"))
            let token = String(path.split(separator: "/")[1])
            try await laboratory.connect { connection throws in
                let answer = try connection.get(path)
                #expect(answer.status == 200 && answer.text == "<script>alert(1)</script>")
                #expect(answer.fields["content-type"]?.hasPrefix("text/html") == true)
                let policy = try #require(answer.fields["content-security-policy"])
                #expect(policy.hasPrefix("sandbox ") && !policy.contains("allow-same-origin"))
                #expect(answer.fields["x-content-type-options"] == "nosniff")
                #expect(answer.fields["cache-control"] == "private, no-cache")
                #expect(answer.fields["vary"] == "Authorization, Cookie")
                #expect(answer.fields["referrer-policy"] == "same-origin")
                #expect(answer.fields["x-robots-tag"] == "noindex, nofollow")
                #expect(answer.fields["access-control-allow-origin"] == nil)
                #expect(answer.fields["x-ipfs-roots"] == nil && answer.fields["x-ipfs-path"] == nil)
                let tag = try #require(answer.fields["etag"])
                #expect(tag == "\"\(try #require(shared.soup.content))\"")
                #expect(try connection.get(path, "If-None-Match: \(tag)\r\n").status == 304)
                let part = try connection.get(path, "Range: bytes=1-6\r\n")
                #expect(part.status == 206 && part.text == "script")
                #expect(part.fields["content-range"] == "bytes 1-6/25")
                #expect(try connection.get(path, "Range: bytes=90-\r\n").status == 416)
                let head = try connection.get(path, method: "HEAD")
                #expect(head.status == 200 && head.fields["content-length"] == "25")
                let date = try #require(answer.fields["last-modified"])
                #expect(try connection.get(path, "If-Modified-Since: \(date)\r\n").status == 304)
                let download = try connection.get(path + "?download=1&filename=x.html")
                #expect(download.fields["content-disposition"]?.hasPrefix("attachment") == true)
                for short in ["/c/\(token)", "/c/\(token)/"] {
                    let redirect = try connection.get(short)
                    #expect(redirect.status == 302 && redirect.fields["location"] == path, "\(short)")
                }
                #expect(try connection.get("/c/\(token.uppercased())/Soup.html").status == 200)
                // A worker would outlive the page and see what others are shown.
                #expect(try connection.get(path, "Service-Worker: script\r\n").status == 400)
                #expect(try connection.get(path, method: "DELETE").status == 405)
            }
        }
    }

    @Test func aFolderIsAListWithNothingOfWhatIsBesideIt() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try Self.fill(laboratory)
            let path = try laboratory.link("recipes", "/docs")
            let key = try laboratory.key([.read])
            #expect(path.hasSuffix("/") && path.split(separator: "/").count == 2)
            try await laboratory.connect { connection throws in
                let page = try connection.get(path, "Accept: text/html\r\n")
                #expect(page.status == 200 && page.text.contains("href=\"\(path)a%20b.txt\""))
                #expect(page.text.contains("index.html") && !page.text.contains("<h1>mine</h1>"))
                #expect(!page.text.contains("secret") && !page.text.contains("recipes"))
                #expect(!page.text.contains("/ipfs/") && !page.text.contains("bafy"), "no CIDs")
                #expect(page.fields["content-security-policy"]?.contains("default-src 'none'") == true)
                let slash = try connection.get(String(path.dropLast()))
                #expect(slash.status == 302 && slash.fields["location"] == path)
                let file = try connection.get(path + "a%20b.txt", "Range: bytes=2-4\r\n")
                #expect(file.status == 206 && file.text == "234")
                #expect(file.fields["last-modified"] != nil && file.fields["etag"] != nil)
                let tar = try connection.get(path + "?format=tar")
                #expect(tar.status == 200 && tar.fields["content-type"] == "application/x-tar")
                #expect(tar.fields["content-disposition"]?.contains("docs.tar") == true)
                #expect(tar.text.contains("docs/a b.txt") && !tar.text.contains("secret"))
                let zip = try connection.get(path + "?format=zip")
                #expect(zip.status == 200 && zip.fields["content-type"] == "application/zip")
                #expect(zip.fields["content-disposition"]?.contains("docs.zip") == true)
                #expect(zip.body.starts(with: Array("PK\u{3}\u{4}".utf8)) && !zip.text.contains("secret"))
                #expect(page.text.contains("?format=zip") && page.text.contains("?format=tar"))
                let own = try connection.get(path + "a%20b.txt", "Accept: application/zip\r\n")
                #expect(own.text == "0123456789", "a file that is a ZIP would be meant")
                let car = try connection.get(path + "a%20b.txt?format=car")
                #expect(car.status == 200 && !car.text.contains("secret.txt"), "nothing of the way there")
                // What the link does not reach stays as closed as before.
                let root = try connection.get("/n/recipes/", key).fields["x-ipfs-roots"] ?? ""
                #expect(try connection.get("/ipfs/\(root)/").status == 404)
                #expect(try connection.get("/n/recipes/").status == 404)
            }
        }
    }

    @Test(arguments: [
        "../secret.txt", "..%2Fsecret.txt", "%2e%2e/secret.txt", "./../secret.txt", "..", "a%00b", "%2F",
        "docs/a%20b.txt", "secret.txt", "..%5Csecret.txt", "%c0%ae%c0%ae/secret.txt", "a%20b.txt/x", "%zz",
    ])
    func noPathLeadsOutOfAFolder(tail: String) async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try Self.fill(laboratory)
            let path = try laboratory.link("recipes", "/docs")
            let file = try laboratory.link("recipes", "/Soup.html")
            try await laboratory.connect { connection throws in
                let answer = try connection.get(path + tail)
                #expect(answer.status == 400 || answer.status == 404, "\(answer.status)")
                #expect(!answer.text.contains("for nobody") && !answer.text.contains("recipes"))
                let token = file.split(separator: "/")[1]
                let other = try connection.get("/c/\(token)/" + tail)
                #expect(!other.text.contains("for nobody") && !other.text.contains("0123456789"))
            }
        }
    }

    @Test func aLinkStaysWithItsFileUnderOtherNamesAndEndsWithIt() async throws {
        try await ServerLaboratory.serve { laboratory in
            let shared = try Self.fill(laboratory)
            let file = try laboratory.link("recipes", "/Soup.html")
            let folder = try laboratory.link("recipes", "/docs")
            let token = file.split(separator: "/")[1]
            let moved = try laboratory.change(
                .move(
                    shared.soup.id, parent: shared.folder.id, name: "Suppe.txt", base: shared.soup.revision),
                in: shared.info)
            let renamed = try laboratory.change(
                .move(
                    shared.folder.id, parent: shared.info.root, name: "papers", base: shared.folder.revision),
                in: shared.info)
            _ = try laboratory.administrator.changeNamespace(
                "recipes", NamespaceChangeMessage(name: "kitchen"))
            try await laboratory.connect { connection throws in
                let old = try connection.get(file)
                #expect(old.status == 200 && old.text.hasPrefix("<script>"))
                #expect(old.fields["content-type"]?.hasPrefix("text/plain") == true, "as it is called")
                #expect(
                    try connection.get("/c/\(token)/").fields["location"] == "/c/\(token)/Suppe.txt")
                let page = try connection.get(folder)
                #expect(page.status == 200 && page.text.contains("papers") && page.text.contains("Suppe.txt"))
            }
            // A new file under the old name is another file.
            try laboratory.put("Soup.html", "a new one", in: shared.info)
            try laboratory.change(
                .delete(moved.id, base: moved.revision, newestBelow: 0), in: shared.info)
            try await laboratory.connect { connection throws in
                let gone = try connection.get(file)
                #expect(gone.status == 410 && !gone.text.contains("a new one"))
                #expect(try connection.get(folder).status == 200)
            }
            try laboratory.change(
                .delete(renamed.id, base: renamed.revision, newestBelow: .max / 2), in: shared.info)
            try await laboratory.connect { connection throws in
                #expect(try connection.get(folder + "a%20b.txt").status == 410)
                #expect(
                    try connection.get(folder, "Accept: text/html\r\n").text.contains("This link has ended"))
            }
            let list = try laboratory.administrator.links(inNamespace: "kitchen", cursor: nil, limit: 10)
            #expect(list.items.map(\.status) == ["deleted", "deleted"])
        }
    }

    @Test func whatEndsALinkEndsItAtOnce() async throws {
        let clock = ManualClock(milliseconds: 1_700_000_000_000)
        try await ServerLaboratory.serve(authority: { $0.now = { Int64(clock.milliseconds) } }) {
            laboratory in
            _ = try Self.fill(laboratory)
            let office = laboratory.authority.links
            let namespace = try laboratory.node.namespaces.namespace("recipes")
            var draft = LinkDraft(.viewer, to: namespace.root, of: namespace, name: "all")
            draft.limits.expires = 1_700_000_060_000
            let timed = try office.create(draft, by: .localAdministrator)
            draft.limits.expires = nil
            let taken = try office.create(draft, by: .localAdministrator)
            let (one, other) = ("/c/\(timed.token.text)/secret.txt", "/c/\(taken.token.text)/secret.txt")
            try await laboratory.connect { connection throws in
                #expect(try connection.get(one).text == "for nobody")
                #expect(try connection.get(other).text == "for nobody")
            }
            clock.advance(milliseconds: 59_999)
            try await laboratory.connect { connection throws in #expect(try connection.get(one).status == 200)
            }
            clock.advance(milliseconds: 1)
            try await laboratory.connect { connection throws in
                let over = try connection.get(one, "Accept: text/html\r\n")
                #expect(over.status == 410 && over.text.contains("expired"))
                #expect(over.fields["cache-control"] == "no-store")
            }
            _ = try office.revoke(taken.link.grant.id, by: .localAdministrator)
            try await laboratory.connect { connection throws in
                #expect(try connection.get(other).status == 410)
                #expect(try connection.get("/c/" + String(repeating: "0", count: 32) + "/x").status == 404)
                for path in ["/c", "/c/", "/c//", "/c/x/y", "/c/%00/", "/c/nacre_x/"] {
                    #expect(try connection.get(path).status == 404, "\(path)")
                }
            }
            // A namespace that is put away takes its links along.
            let last = try office.create(draft, by: .localAdministrator)
            _ = try laboratory.administrator.removeNamespace("recipes")
            try await laboratory.connect { connection throws in
                #expect(try connection.get("/c/\(last.token.text)/secret.txt").status == 410)
            }
        }
    }

    @Test func aTokenOpensNoOtherDoor() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try Self.fill(laboratory)
            let token = try laboratory.link("recipes").split(separator: "/")[1]
            try await laboratory.connect { connection throws in
                for path in ["/n/recipes/", "/api/v1/namespaces", "/sync/v1/ns", "/ipfs/bafkqaaa"] {
                    let answer = try connection.get(path, "Authorization: Bearer \(token)\r\n")
                    #expect(answer.status == 401, "\(path): \(answer.status)")
                }
                // A key is no password of a link, and a link's page asks for none.
                #expect(try connection.get("/c/\(token)/secret.txt").status == 200)
            }
        }
    }
}
