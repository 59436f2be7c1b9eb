import Foundation
import TestKit
import Testing

/// Bringing in is one thing, letting everybody read another: `write` without `publish`.
@Suite struct UploadVisibilityTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    private struct Upload: Decodable {
        struct Pin: Decodable { let visibility: String }
        let cid: String
        let pin: Pin
    }

    /// What became of an upload, and whether everybody may read it.
    private func upload(
        _ server: ServerProcess, _ token: String?, _ body: String, to path: String = "/api/v1/uploads"
    ) throws -> (visibility: String, isShown: Bool) {
        let made = try server.curl(["-d", body, "-H", "Content-Type: text/plain"], path, token: token)
        #expect(made.status == 201, "\(made.body)")
        let upload = try JSONDecoder().decode(Upload.self, from: Data(made.body.utf8))
        return (upload.pin.visibility, try server.curl([], "/ipfs/\(upload.cid)").status == 200)
    }

    private func key(_ operations: String) throws -> String {
        let made = try nacre.run("key", "create", "--name", operations, "--allow", operations)
        #expect(made.status == 0, "\(made.errors)")
        return try #require(made.lines.first)
    }

    @Test func whoMayNotPublishUploadsPrivately() throws {
        let writer = try key("write")
        let publisher = try key("write,publish")
        let server = try ServerProcess(nacre)
        #expect(try upload(server, writer, "one") == ("private", false))
        #expect(try upload(server, publisher, "two") == ("public", true))
        #expect(try upload(server, try server.adminToken(), "three") == ("public", true))
        #expect(
            try upload(server, publisher, "four", to: "/api/v1/uploads?visibility=private") == (
                "private", false
            ))
        let refused = try server.curl(["-d", "five"], "/api/v1/uploads?visibility=public", token: writer)
        #expect(refused.status == 403 && refused.body.contains("operation-not-allowed"), "\(refused.body)")
        #expect(refused.body.contains("publish"), "what is missing is named")
        #expect(try nacre.run("pin", "ls").lines.count == 4, "of what was refused nothing is kept")
        try server.stop()
    }

    @Test func importsAndPinsOfKnownRootsFollowTheSameRule() throws {
        let root = try #require(
            try nacre.run(["add", "-Q", "--private", "-"], input: Array("mine".utf8)).lines.first)
        let writer = try key("read,write,pin")
        let server = try ServerProcess(nacre)
        let json = ["-H", "Content-Type: application/json"]
        let wish = json + ["-d", "{\"cid\":\"\(root)\",\"name\":\"again\"}"]
        let pinned = try server.curl(wish, "/api/v1/pins", token: writer)
        #expect(pinned.status == 201 && pinned.body.contains("\"visibility\":\"private\""), "\(pinned.body)")
        let loud = json + ["-d", "{\"cid\":\"\(root)\",\"name\":\"loud\",\"visibility\":\"public\"}"]
        #expect(try server.curl(loud, "/api/v1/pins", token: writer).status == 403)
        let opened = try server.curl(["-X", "POST"], "/api/v1/imports", token: writer)
        let session =
            try #require(
                try JSONSerialization.jsonObject(with: Data(opened.body.utf8)) as? [String: Any])["id"]
            as? String
        let path = "/api/v1/imports/" + (try #require(session))
        #expect(try server.curl(loud, path + "/pins", token: writer).status == 403)
        let car = directory.path("c.car")
        #expect(try nacre.run("car", "export", root, "-o", car).status == 0)
        let blocks = ["-H", "Content-Type: application/vnd.ipld.car", "--data-binary", "@" + car]
        #expect(try server.curl(blocks, path + "/blocks?visibility=public", token: writer).status == 403)
        #expect(try server.curl(blocks, path + "/blocks", token: writer).status == 200)
        #expect(try server.curl([], "/ipfs/\(root)").status == 404)
        try server.stop()
    }

    /// Through the node the verbs follow it: privately where the key allows no more.
    @Test func verbsWithAKeyAddWhatItAllows() throws {
        let writer = try key("read,write")
        let server = try ServerProcess(nacre)
        let file = try directory.write(Array("by a verb".utf8), to: "file")
        let remote = NacreProcess(data: directory.path("elsewhere"))
        let added = try remote.run("--node", server.address, "--token", writer, "add", "-Q", file)
        let root = try #require(added.lines.first, "\(added.errors)")
        #expect(try server.curl([], "/ipfs/\(root)").status == 404)
        #expect(try nacre.run("pin", "ls").text.contains(" private "))
        try server.stop()
    }

    @Test func aSignedURLPassesOnWhatItsKeyMay() throws {
        let server = try ServerProcess(nacre)
        for (operations, expected) in [("write,keys", "private"), ("write,keys,publish", "public")] {
            let token = try key(operations)
            let signed = try nacre.run(
                "key", "sign", operations, "POST", "/api/v1/uploads", "--expires", "1h")
            let url = try #require(signed.lines.first, "\(signed.errors)")
            let path = String(url[try #require(url.range(of: "/api/")).lowerBound...])
            #expect(try upload(server, nil, operations, to: path).visibility == expected)
            #expect(!token.isEmpty)
        }
        try server.stop()
    }

    /// The marks are in the index alone: made anew, it must show neither more nor less.
    @Test func anIndexThatIsMadeAnewShowsWhatItShowedBefore() throws {
        for name in ["open", "secret"] {
            for number in 0..<3 {
                let bytes = SeededRandom.bytes(seed: UInt64(number + name.utf8.count), count: 1_500_000)
                try directory.write(bytes, to: "\(name)/sub/\(number)")
            }
        }
        let open = try #require(try nacre.run("add", "-Q", directory.path("open")).lines.last)
        let secret = try #require(
            try nacre.run("add", "-Q", "--private", directory.path("secret")).lines.last)
        let reader = try key("read")
        for isRebuilt in [true, false] {
            if isRebuilt {
                #expect(try nacre.run("verify", "--rebuild-index").status == 0)
            } else {
                try FileManager.default.removeItem(atPath: nacre.data + "/blocks/index")
            }
            let server = try ServerProcess(nacre)
            for number in 0..<3 {
                let shown = try server.curl(["-o", "/dev/null"], "/ipfs/\(open)/sub/\(number)")
                #expect(shown.status == 200)
                let hidden = "/ipfs/\(secret)/sub/\(number)"
                #expect(try server.curl([], hidden).status == 404)
                #expect(try server.curl(["-o", "/dev/null"], hidden, token: reader).status == 200)
            }
            #expect(try server.curl(["-o", "/dev/null"], "/ipfs/\(open)?format=car").status == 200)
            try server.stop()
            #expect(try nacre.run("verify").status == 0)
        }
    }
}
