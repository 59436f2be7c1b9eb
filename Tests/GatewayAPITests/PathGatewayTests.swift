import BlockStorage
import Foundation
import GatewayAPI
import HTTPTypes
import IPLD
import Multiformats
import NodeCore
import TestKit
import Testing
import UnixFS

/// Files and directories by path, on the trees of the conformance suite.
@Suite struct PathGatewayTests {
    let laboratory: GatewayLaboratory

    init() throws { laboratory = try GatewayLaboratory() }

    private struct Expected: Decodable {
        let root: String
        let entries: [Entry]

        struct Entry: Decodable {
            let path: String
            let cid: String
            let type: String
            let size: UInt64?
        }
    }

    @Test func everyEntryOfTheFixturesIsServedWithItsHeaders() throws {
        let all: [String: Expected] = try Vectors.json("gateway/expected.json")
        for (fixture, expected) in all.sorted(by: { $0.key < $1.key }) {
            try laboratory.load(fixture)
            for entry in expected.entries {
                let path = entry.path.split(separator: "/").map { segment in
                    "/" + (segment.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
                }.joined()
                let target = "/ipfs/\(expected.root)\(path)"
                let answer = try laboratory.get(target)
                #expect(answer["X-Ipfs-Path"] == target)
                #expect(
                    answer["X-Ipfs-Roots"]?.split(separator: ",").last.map(String.init) == entry.cid,
                    "\(target)")
                #expect(answer["Access-Control-Allow-Origin"] == "*")
                if entry.type == "directory" {
                    #expect(answer.status == 301, "\(target)")
                    #expect(
                        answer["Location"] == target.replacingOccurrences(of: "%2D", with: "-")
                            .replacingOccurrences(of: "%2E", with: ".") + "/")
                    continue
                }
                #expect(answer.status == 200, "\(target): \(answer.text)")
                guard entry.type != "symlink", let size = entry.size else { continue }
                #expect(answer.bytes.count == Int(size))
                #expect(answer["Etag"] == "\"\(entry.cid)\"")
                #expect(answer["Cache-Control"] == "public, max-age=29030400, immutable")
                let head = try laboratory.get(target, method: .head)
                #expect(head.status == 200 && head.bytes.isEmpty)
            }
        }
    }

    @Test func directoriesAreListedAndIndexPagesShown() throws {
        let root = try laboratory.load("dir_listing__fixtures.car")
        let listing = try laboratory.get("/ipfs/\(root)/%C4%85/%C4%99/")
        #expect(listing.status == 200)
        #expect(listing["Content-Type"] == "text/html; charset=utf-8")
        #expect(listing["Etag"]?.hasPrefix("\"DirIndex-") == true)
        #expect(listing.text.contains("<title>Index of /ipfs/\(root)/ą/ę/</title>"))
        let here = "/ipfs/\(root)/%C4%85/%C4%99"
        #expect(listing.text.contains("<a href=\"\(here)/file-%C5%BA%C5%82.txt\">file-źł.txt</a>"))
        #expect(listing.text.contains("<a href=\"\(here)/..\">..</a>"))
        #expect(listing.text.contains("/ipfs/<a href=\"/ipfs/\(root)\">\(root)</a>/<a href="))
        #expect(try !laboratory.get("/ipfs/\(root)/").text.contains(">..</a>"))
        // The link of the CID gives the file its name again.
        let link = try #require(listing.text.firstMatch(of: /href="([^"]+filename=[^"]+)"/)).1
        #expect(
            try laboratory.get(String(link))["Content-Disposition"]
                == "inline; filename=\"file-__.txt\"; filename*=UTF-8''file-%C5%BA%C5%82.txt")
        let same = try laboratory.get(
            "/ipfs/\(root)/%C4%85/%C4%99/", ["If-None-Match": try #require(listing["Etag"])])
        #expect(same.status == 304 && same.bytes.isEmpty)

        let cached = try laboratory.load("gateway-cache__fixtures.car")
        let index = try laboratory.get("/ipfs/\(cached)/root2/root3/root4/")
        #expect(index.status == 200 && index.bytes.count == 6)
        let roots = try #require(index["X-Ipfs-Roots"]?.split(separator: ",").map(String.init))
        #expect(roots.count == 4 && index["Etag"] == "\"\(roots[3])\"", "the tag is the directory's")
        #expect(index["Content-Type"] == "text/html; charset=utf-8")
    }

    @Test func aSymlinkIsShownAsItsTarget() throws {
        let root = try laboratory.load("path_gateway_unixfs__symlink.car")
        #expect(try laboratory.get("/ipfs/\(root)/foo").bytes.count == 8)
        #expect(try laboratory.get("/ipfs/\(root)/bar").text == "foo")
        // It is no document, whoever prefers one.
        #expect(try laboratory.get("/ipfs/\(root)/bar", ["Accept": "application/json"]).status == 406)
        #expect(try laboratory.get("/ipfs/\(root)/bar?format=cbor").status == 406)
    }

    @Test func rangesNeedOnlyTheirBlocks() throws {
        let root = try laboratory.load("path_gateway_unixfs__dir-with-files.car")
        let target = "/ipfs/\(root)/multiblock.txt"
        let whole = try laboratory.get(target).bytes
        for (header, range) in [
            ("bytes=0-15", 0..<16), ("bytes=1000-", 1000..<1026), ("bytes=-26", 1000..<1026),
        ] {
            let part = try laboratory.get(target, ["Range": header])
            #expect(part.status == 206 && part.bytes == Array(whole[range]))
            #expect(part["Content-Range"] == "bytes \(range.lowerBound)-\(range.upperBound - 1)/1026")
        }
        let beyond = try laboratory.get(target, ["Range": "bytes=2000-"])
        #expect(beyond.status == 416 && beyond["Content-Range"] == "bytes */1026")
        let changed = try laboratory.get(target, ["Range": "bytes=0-1", "If-Range": "\"other\""])
        #expect(changed.status == 200 && changed.bytes == whole)
    }

    @Test(arguments: [
        ("/ipfs/bafybeihchr7vmgjaasntayyatmp5sv6xza57iy2h4xj7g46bpjij6yhrmy/no", 404),
        ("/ipfs/bafybeihchr7vmgjaasntayyatmp5sv6xza57iy2h4xj7g46bpjij6yhrmy/ascii.txt/below", 404),
        ("/ipfs/bafkreihhpc5y2pqvl5rbe5uuyhqjouybfs3rvlmisccgzue2kkt5zq6upq", 404), ("/ipfs/nonsense", 400),
        ("/ipfs/", 400), ("/ipfs", 400), ("/ipfs/bafkqaaa?format=unknown", 400),
        ("/ipfs/bafkqaaa?format=ipns-record", 400),
        ("/ipfs/bafkqaaa?format=dag-cbor", 406),
        ("/ipfs/bafybeihchr7vmgjaasntayyatmp5sv6xza57iy2h4xj7g46bpjij6yhrmy/?format=car&dag-scope=some", 400),
        ("/ipfs/bafybeihchr7vmgjaasntayyatmp5sv6xza57iy2h4xj7g46bpjij6yhrmy/?format=car&car-version=2", 400),
        ("/ipfs/bafybeihchr7vmgjaasntayyatmp5sv6xza57iy2h4xj7g46bpjij6yhrmy/?after=1", 400),
    ])
    func whatIsWrongHasItsStatus(target: String, status: Int) throws {
        try laboratory.load("path_gateway_unixfs__dir-with-files.car")
        let answer = try laboratory.get(target)
        #expect(answer.status == status, "\(answer.text)")
        #expect(answer["Cache-Control"] == nil)
        let page = try laboratory.get(target, ["Accept": "text/html"])
        #expect(page.status == status && page.text.contains("<h1>"))
    }

    @Test(arguments: [
        "/ipfs/ROOT/../../etc/passwd", "/ipfs/ROOT/%2e%2e%2f%2e%2e%2fetc", "/ipfs/ROOT/%2e%2e/x",
        "/ipfs/ROOT/a%00b",
        "/ipfs/ROOT/..%5c..%5c", "/ipfs/ROOT/%C0%AE%C0%AE/", "/ipfs/ROOT/C:/x", "/ipfs/ROOT/%252e%252e/",
    ])
    func badInput15APathNeverLeadsOutOfItsRoot(target: String) throws {
        let root = try laboratory.load("path_gateway_unixfs__dir-with-files.car")
        let answer = try laboratory.get(target.replacingOccurrences(of: "ROOT", with: root.description))
        #expect(answer.status == 400 || answer.status == 404, "\(answer.text)")
    }

    @Test func whatIsNotPublishedIsNotThere() throws {
        let (secret, open) = (Block(content: Array("secret".utf8)), Block(content: Array("open".utf8)))
        // A directory for everybody that links to a block that is not.
        let links = [secret, open].enumerated().map { index, block in
            DAGPBLink(cid: block.cid, name: Array("f\(index)".utf8), tsize: 6)
        }
        let node = DAGPBNode(links: links, data: UnixFSData(kind: .directory).encoded())
        let directory = Block(content: node.encoded(), codec: .dagPB)
        try laboratory.node.store.put(secret, scope: .defaultProject)
        try laboratory.node.store.put(open, scope: [.defaultProject, .public])
        try laboratory.node.store.put(directory, scope: .public)
        #expect(try laboratory.get("/ipfs/\(secret.cid)").status == 404)
        #expect(try laboratory.get("/ipfs/\(secret.cid)?format=raw").status == 404)
        #expect(try laboratory.get("/ipfs/\(directory.cid)/f0").status == 404)
        #expect(try laboratory.get("/ipfs/\(directory.cid)/f1").text == "open")
        let car = try laboratory.get("/ipfs/\(directory.cid)/?format=car")
        #expect(car.status == 404 || car.error != nil, "the secret block is not there")
        #expect(!car.text.contains("secret"))
        // And the same answer as for what is nowhere, apart from the name.
        let nowhere = Block(content: [9, 9, 9]).cid
        let missing = try laboratory.get("/ipfs/\(nowhere)").text
        let hidden = try laboratory.get("/ipfs/\(secret.cid)").text
        #expect(missing.replacingOccurrences(of: nowhere.description, with: secret.cid.description) == hidden)

        var options = GatewayOptions()
        options.serve = .all
        let all = try GatewayLaboratory(options: options)
        try all.node.store.put(secret, scope: .defaultProject)
        #expect(try all.get("/ipfs/\(secret.cid)").text == "secret")
    }

    @Test func otherMethodsAreRefusedAndOptionsAnswered() throws {
        let post = try laboratory.get("/ipfs/bafkqaaa", method: .post)
        #expect(post.status == 405 && post["Allow"] == "GET, HEAD, OPTIONS")
        let options = try laboratory.get("/ipfs/bafkqaaa", method: .options)
        #expect(options.status == 204 && options["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS")
    }

    @Test func onlyIfCachedAsksWithoutFetching() throws {
        let root = try laboratory.load("gateway-raw-block.car")
        let absent = Block(content: [1, 2, 3, 4]).cid
        #expect(try laboratory.get("/ipfs/\(absent)", ["Cache-Control": "only-if-cached"]).status == 412)
        #expect(
            try laboratory.get("/ipfs/\(root)/dir/ascii.txt", ["Cache-Control": "only-if-cached"]).status
                == 200)
    }

    @Test func namesAndDownloadsSetTheDisposition() throws {
        try laboratory.load("gateway-raw-block.car")
        let cid = "bafkreihhpc5y2pqvl5rbe5uuyhqjouybfs3rvlmisccgzue2kkt5zq6upq"
        #expect(try laboratory.get("/ipfs/\(cid)")["Content-Disposition"] == nil)
        #expect(
            try laboratory.get("/ipfs/\(cid)?filename=a.html")["Content-Disposition"]
                == "inline; filename=\"a.html\"")
        #expect(
            try laboratory.get("/ipfs/\(cid)?filename=a.html")["Content-Type"] == "text/html; charset=utf-8")
        #expect(
            try laboratory.get("/ipfs/\(cid)?filename=a.txt&download=true")["Content-Disposition"]
                == "attachment; filename=\"a.txt\"")
        let worker = try laboratory.get("/ipfs/\(cid)", ["Service-Worker": "script"])
        #expect(worker.status == 400)
        let uri = try laboratory.get("/ipfs/?uri=ipfs%3A%2F%2F\(cid)%2Fa")
        #expect(uri.status == 301 && uri["Location"] == "/ipfs/\(cid)/a")
    }
}
