import BlockStorage
import Catalog
import Digests
import GatewayAPI
import IPLD
import IPNS
import Multiformats
import NodeCore
import TestKit
import Testing
import UnixFS

/// Hosts: an origin for each root, names, and sites.
@Suite struct HostTests {
    let laboratory: GatewayLaboratory

    init() throws {
        var options = GatewayOptions()
        options.subdomainHosts = ["dweb.example"]
        laboratory = try GatewayLaboratory(options: options)
    }

    @Test func pathsAreSentToTheOriginOfTheirRoot() throws {
        let root = try laboratory.load("dir_listing__fixtures.car")
        let sent = try laboratory.get("/ipfs/\(root)/%C4%85/?x=1", host: "dweb.example:8080")
        #expect(sent.status == 301)
        #expect(sent["Location"] == "http://\(root).ipfs.dweb.example:8080/%C4%85/?x=1")
        let old = try CID(version0: root.multihash)
        #expect(
            try laboratory.get("/ipfs/\(old)", host: "dweb.example")["Location"]
                == "http://\(root).ipfs.dweb.example/")
        #expect(try laboratory.get("/ipfs/nonsense", host: "dweb.example").status == 400)
        // Below localhost origins are served, and paths too.
        #expect(try laboratory.get("/ipfs/\(root)/", host: "localhost").status == 200)
        #expect(try laboratory.get("/", host: "\(root).ipfs.localhost:8080").status == 200)
    }

    @Test func anOriginHoldsItsRootAndNothingElse() throws {
        let root = try laboratory.load("dir_listing__fixtures.car")
        let host = "\(root).ipfs.dweb.example:8080"
        let listing = try laboratory.get("/", host: host)
        #expect(listing.status == 200 && listing["X-Ipfs-Path"] == "/ipfs/\(root)/")
        #expect(listing.text.contains("//dweb.example:8080/ipfs/"))
        // The tree has a directory named ipfs: on an origin that is all it is.
        #expect(try laboratory.get("/ipfs/file.txt", host: host).bytes.count == 39)
        #expect(try laboratory.get("/ipfs/\(root)/", host: host).status == 404)
        #expect(try laboratory.get("/ipfs", host: host)["Location"] == "/ipfs/")
        #expect(try laboratory.get("/ipfs/file.txt", host: host)["Content-Security-Policy"] == nil)
    }

    @Test func labelsComeToTheirOneForm() throws {
        let root = try laboratory.load("gateway-raw-block.car")
        let other = Multibase.encode(root.bytes, .base36)
        let sent = try laboratory.get("/dir?x", host: "\(other).ipfs.dweb.example")
        #expect(sent.status == 301 && sent["Location"] == "http://\(root).ipfs.dweb.example/dir?x")
        let bad = try laboratory.get("/", host: "nonsense.ipfs.dweb.example")
        #expect(bad.status == 400 && bad.text.contains("invalid path \"/ipfs/nonsense\""))
        let long = String(repeating: "a", count: 64)
        let tooLong = try laboratory.get("/", host: long + ".ipfs.dweb.example")
        #expect(
            tooLong.status == 400
                && tooLong.text.contains("CID incompatible with DNS label length limit of 63"))
        let wide = try CID(hashing: [1], codec: .raw, with: .sha2_512)
        #expect(try laboratory.get("/ipfs/\(wide)", host: "dweb.example").status == 400)
        #expect(try laboratory.get("/", host: "unknown.dweb.example").status == 400)
    }

    @Test func namesLeadToContentForAsLongAsTheyHold() throws {
        let root = try laboratory.load("dir_listing__fixtures.car")
        let entry = try laboratory.node.createName("site")
        _ = try laboratory.node.publish(try ContentPath(text: "/ipfs/\(root)/ipfs"), as: entry)
        let name = entry.id.ipnsName
        let file = try laboratory.get("/ipns/\(name)/file.txt")
        #expect(file.status == 200 && file.bytes.count == 39)
        #expect(file["X-Ipfs-Path"] == "/ipns/\(name)/file.txt")
        #expect(file["Cache-Control"]?.hasPrefix("public, max-age=") == true)
        #expect(file["Cache-Control"]?.contains("immutable") == false)
        #expect(try laboratory.get("/ipns/\(entry.id)/file.txt")["Location"] == "/ipns/\(name)/file.txt")
        let sent = try laboratory.get("/ipns/\(name)/file.txt", host: "dweb.example")
        #expect(sent["Location"] == "http://\(name).ipns.dweb.example/file.txt")
        #expect(try laboratory.get("/file.txt", host: "\(name).ipns.dweb.example").bytes == file.bytes)
        let record = try laboratory.get("/ipns/\(name)?format=ipns-record")
        #expect(record.status == 200 && record["Content-Type"] == "application/vnd.ipfs.ipns-record")
        #expect(try laboratory.get("/ipns/\(name)/file.txt?format=ipns-record").status == 400)
        let unknown = try laboratory.node.createName("unpublished").id.ipnsName
        #expect(try laboratory.get("/ipns/\(unknown)/").status == 500)
        #expect(try laboratory.get("/ipns/not-a-name").status == 400)
    }

    @Test func aSiteHasAPageForWhatIsNotThere() throws {
        func directory(_ entries: [(String, Block)]) throws -> Block {
            let links = entries.map { name, block in
                DAGPBLink(cid: block.cid, name: Array(name.utf8), tsize: 5)
            }
            let made = Block(
                content: DAGPBNode(links: links, data: UnixFSData(kind: .directory).encoded()).encoded(),
                codec: .dagPB)
            for block in entries.map(\.1) + [made] { try laboratory.node.store.put(block, scope: .public) }
            return made
        }
        let (outer, inner) = (Block(content: Array("outer".utf8)), Block(content: Array("inner".utf8)))
        let docs = try directory([("404.html", inner), ("a", outer)])
        // A directory of that name is no page.
        let odd = try directory([("404.html", docs)])
        let root = try directory([("404.html", outer), ("docs", docs), ("odd", odd)])
        let host = "\(root.cid).ipfs.localhost:8080"
        for (path, text) in [
            ("/x", "outer"), ("/x/y/z", "outer"), ("/docs/x", "inner"), ("/docs/x/y/", "inner"),
            ("/docs/a/x", "inner"), ("/odd/x", "outer"),
        ] {
            let answer = try laboratory.get(path, ["Range": "bytes=0-1", "If-Match": "\"x\""], host: host)
            #expect(answer.status == 404 && answer.text == text, "\(path): \(answer.text)")
            #expect(answer["Content-Type"] == "text/html; charset=utf-8")
        }
        #expect(try laboratory.get("/x?format=raw", host: host).text != "outer")
        #expect(try laboratory.get("/ipfs/\(root.cid)/x").text != "outer")
        // A name is a site of its own as well, and below a path it shows content as it is.
        let entry = try laboratory.node.createName("site")
        _ = try laboratory.node.publish(try ContentPath(text: "/ipfs/\(root.cid)"), as: entry)
        let named = try laboratory.get("/docs/x", host: "\(entry.id.ipnsName).ipns.localhost:8080")
        #expect(named.status == 404 && named.text == "inner")
        let below = try laboratory.get("/ipns/\(entry.id.ipnsName)/docs/x")
        #expect(below.status == 404 && below.text.contains("no link named"))
        let bare = try directory([("docs", docs)])
        let absent = try laboratory.get("/x", host: "\(bare.cid).ipfs.localhost")
        #expect(absent.status == 404 && absent.text.contains("no link named"))
    }

    @Test func rulesOfASiteCountWhereNothingIs() throws {
        var files: [(String, Block)] = [
            ("there.html", Block(content: Array("there".utf8))),
            ("404.html", Block(content: Array("gone".utf8))),
        ]
        let rules = """
            /old/:page /new/:page 302
            /app/* /there.html 200
            /there.html /elsewhere
            /* /404.html 404
            """
        files.append(("_redirects", Block(content: Array(rules.utf8))))
        let links = files.sorted { $0.0 < $1.0 }.map { name, block in
            DAGPBLink(cid: block.cid, name: Array(name.utf8), tsize: 5)
        }
        let root = Block(
            content: DAGPBNode(links: links, data: UnixFSData(kind: .directory).encoded()).encoded(),
            codec: .dagPB)
        for block in files.map(\.1) + [root] { try laboratory.node.store.put(block, scope: .public) }
        let host = "\(root.cid).ipfs.localhost:8080"
        let moved = try laboratory.get("/old/a?x=1", host: host)
        #expect(moved.status == 302 && moved["Location"]?.hasPrefix("/new/a") == true)
        let app = try laboratory.get("/app/any/where", host: host)
        #expect(app.status == 200 && app.text == "there" && app["Content-Type"] == "text/html; charset=utf-8")
        #expect(
            app["Etag"] == "\"\(files[0].1.cid)\"" && app["X-Ipfs-Path"] == "/ipfs/\(root.cid)/app/any/where")
        let again = try laboratory.get("/app/x", ["If-None-Match": try #require(app["Etag"])], host: host)
        #expect(again.status == 304)
        // What exists is served as it is, whatever a rule says.
        #expect(try laboratory.get("/there.html", host: host).text == "there")
        let missing = try laboratory.get("/nothing", ["Range": "bytes=0-1"], host: host)
        #expect(missing.status == 404 && missing.text == "gone")
        // The path gateway has no rules.
        let plain = try laboratory.get("/ipfs/\(root.cid)/old/a")
        #expect(plain.status == 404 && plain.text != "gone")

        for (lines, reason) in [
            (Array("/x /y\n/a /b 301!".utf8), "line 2: unsupported redirect status 301!"),
            (Array("/x /y\n\n# \u{1}\n/z\n".utf8), "line 4: a rule is"),
            (Array("/x /y\n/z /".utf8) + [0xFF], "line 2: this is not UTF-8"),
        ] {
            let (bad, page) = (Block(content: lines), Block(content: Array("page".utf8)))
            let links = [("_redirects", bad), ("page", page)].map {
                DAGPBLink(cid: $1.cid, name: Array($0.utf8), tsize: 5)
            }
            let broken = Block(
                content: DAGPBNode(links: links, data: UnixFSData(kind: .directory).encoded()).encoded(),
                codec: .dagPB)
            for block in [bad, page, broken] { try laboratory.node.store.put(block, scope: .public) }
            let host = "\(broken.cid).ipfs.localhost"
            // Spec: ipfs/specs, "Web _redirects File", "Error handling". No rule of the file counts.
            let refused = try laboratory.get("/x", host: host)
            #expect(refused.status == 500 && refused.text.contains("could not parse _redirects: \(reason)"))
            #expect(try laboratory.get("/page", host: host).text == "page", "what exists is served")
        }
    }
}
