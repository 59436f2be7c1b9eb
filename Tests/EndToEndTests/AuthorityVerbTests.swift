import Foundation
import Glibc
import TestKit
import Testing

/// People, projects, the master key, jobs and the audit log through a node that runs.
@Suite struct AuthorityVerbTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    private func addUser(_ name: String) throws {
        let added = try nacre.run(
            ["user", "add", name, "--password-file", "-"], input: Array("long enough".utf8))
        #expect(added.status == 0, "\(added.errors)")
    }

    /// The command line somewhere else, with a token.
    private func elsewhere(_ server: ServerProcess, _ token: String) -> NacreProcess {
        var elsewhere = NacreProcess(data: directory.path("none"))
        elsewhere.environment = ["NACRE_NODE": server.address, "NACRE_TOKEN": token]
        return elsewhere
    }

    @Test func whoAdministersAProjectSeesThatProjectAlone() throws {
        for name in ["ada", "ben"] { try addUser(name) }
        for name in ["photos", "music"] {
            #expect(try nacre.run("project", "create", name, "--owner", "ada").status == 0)
        }
        let id = try #require(
            try nacre.run("project", "show", "photos", "--json").objects().first?["id"] as? String)
        let server = try ServerProcess(nacre)
        let made = try nacre.run(
            "key", "create", "--name", "owner", "--allow", "admin", "--project", id)
        let owner = elsewhere(server, try #require(made.lines.first))
        #expect(try owner.run("project", "ls").text == "\(id) photos\n")
        let member = try owner.run("project", "member", "photos", "ben", "editor")
        #expect(member.text == "\(id) ben editor\n", "\(member.errors)")
        #expect(try owner.run("project", "show", id).text.contains("ben editor"))
        #expect(try owner.run("project", "show", "music").status == 4)
        #expect(try owner.run("project", "member", "music", "ben", "owner").status == 4)
        #expect(try owner.run("project", "remove", "photos", "ben").status == 0)
        for refused in [["project", "create", "x"], ["user", "ls"], ["user", "show", "ben"]] {
            #expect(try owner.run(refused).status == 5, "\(refused)")
        }
        let audit = try owner.run("audit", "--json").objects()
        #expect(!audit.isEmpty && audit.allSatisfy { $0["project"] as? String == id })
        let reader = try nacre.run("key", "create", "--name", "reader", "--allow", "read", "--project", id)
        let weak = elsewhere(server, try #require(reader.lines.first))
        for refused in [["project", "ls"], ["project", "show", id], ["audit"], ["user", "ls"]] {
            let outcome = try weak.run(refused)
            #expect(outcome.status == 5 && outcome.errors.contains("admin"), "\(outcome.errors)")
        }
        try server.stop()
    }

    /// The node still holds the key: nothing is lost.
    @Test func aMasterKeyThatIsLostUnderARunningNodeIsPutBack() throws {
        let server = try ServerProcess(nacre)
        let path = nacre.data + "/secrets/master-key"
        let key = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(unlink(path) == 0)
        #expect(try nacre.run("key", "reset-master").status == 0)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == key)
        // Another key in its place is not touched.
        try Data(repeating: 7, count: 32).write(to: URL(fileURLWithPath: path))
        let foreign = try nacre.run("key", "reset-master")
        #expect(foreign.status != 0 && foreign.errors.contains("master-key"), "\(foreign.errors)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).first == 7)
        try key.write(to: URL(fileURLWithPath: path))
        try server.stop()
    }

    @Test(arguments: ["--rebuild-index", "--new-catalog"])
    func whatNeedsTheDirectoryForItselfSaysSo(option: String) throws {
        let server = try ServerProcess(nacre)
        let held = try nacre.run("verify", option)
        #expect(held.status == 6 && held.errors.contains("stop that node"), "\(held.errors)")
        #expect(held.errors.contains(server.address), "\(held.errors)")
        let named = try elsewhere(server, try server.adminToken()).run("verify", option)
        #expect(named.status == 6 && named.errors.contains("stop that node"), "\(named.errors)")
        #expect(!FileManager.default.fileExists(atPath: directory.path("none")))
        try server.stop()
        #expect(try nacre.run("verify", "--rebuild-index").status == 0)
    }

    @Test func jobsAreSeenWaitedForAndCancelled() throws {
        #expect(
            try nacre.run(["add", "-Q", "-"], input: SeededRandom.bytes(seed: 5, count: 300_000)).status == 0)
        let server = try ServerProcess(nacre)
        let token = try server.adminToken()
        let json = ["-H", "Content-Type: application/json", "-d", "{\"bytesPerSecond\":1000}"]
        var ids: [String] = []
        for _ in 0..<2 {
            let asked = try server.curl(json, "/api/v1/verify", token: token)
            let object = try JSONSerialization.jsonObject(with: Data(asked.body.utf8)) as? [String: Any]
            ids.append(try #require(object?["id"] as? String))
        }
        let listed = try nacre.run("job", "ls").lines
        #expect(listed.count == 2 && listed[0].hasPrefix(ids[1]) && listed[0].contains(" verify "))
        #expect(try nacre.run("job", "show", ids[1]).text.contains("queued"))
        let waiting = try RunningNacre(nacre, ["job", "wait", ids[0]])
        let cancelled = try nacre.run("job", "cancel", ids[0])
        #expect(cancelled.status == 0, "\(cancelled.errors)")
        #expect(try waiting.end().status == 1)
        let again = try nacre.run("job", "cancel", ids[0])
        #expect(again.status == 6 && again.errors.contains("is cancelled already"), "\(again.errors)")
        let refused = try server.curl(["-X", "POST"], "/api/v1/jobs/\(ids[0])/cancel", token: token)
        #expect(refused.status == 409 && refused.body.contains("\"code\":\"job-ended\""), "\(refused.body)")
        // One that ran when its node stopped waits for the next start.
        try server.stop()
        #expect(try nacre.run("job", "ls", "--state", "queued", "--json").objects().count == 1)
        let stuck = try nacre.run("job", "wait", ids[1])
        #expect(stuck.status == 6 && stuck.errors.contains("nacre serve"), "\(stuck.errors)")
        #expect(try nacre.run("job", "cancel", ids[1]).text.contains(" cancelled verify "))
        #expect(try nacre.run("job", "wait", ids[1]).status == 1)
        let next = try ServerProcess(nacre)
        let walked = try next.curl(
            ["-d", "{}", "-H", "Content-Type: application/json"], "/api/v1/verify", token: token)
        let object = try JSONSerialization.jsonObject(with: Data(walked.body.utf8)) as? [String: Any]
        let done = try nacre.run("job", "wait", try #require(object?["id"] as? String), "--json")
        #expect(done.status == 0, "\(done.errors)")
        #expect(try done.objects().first?["state"] as? String == "done")
        try next.stop()
    }

    @Test func theAuditLogIsReadByFilterAndPage() throws {
        let server = try ServerProcess(nacre)
        let token = try server.adminToken()
        let made = try nacre.run("key", "create", "--name", "reader", "--allow", "read")
        let reader = try #require(made.lines.first)
        #expect(try server.curl(["-d", "x"], "/api/v1/uploads", token: reader).status == 403)
        #expect(try server.curl([], "/api/v1/pins", token: reader).status == 200)
        #expect(try server.curl([], "/api/v1/pins", token: "nonsense").status == 401)
        let refused = try nacre.run("audit", "--principal", "reader", "--outcome", "refused", "--json")
            .objects()
        #expect(refused.map { $0["code"] as? String } == ["operation-not-allowed"])
        #expect(refused.first?["operation"] as? String == "write")
        #expect(refused.first?["address"] as? String == "127.0.0.1")
        #expect(try nacre.run("audit", "--operation", "authenticate").lines.count == 1)
        #expect(try nacre.run("audit", "--until", "1h").lines.isEmpty)
        let id = try #require(
            try nacre.run("key", "show", "reader", "--json").objects().first?["id"] as? String)
        let deeds = try nacre.run("audit", "--operation", "key-create").lines
        #expect(deeds.first?.contains(" allowed key-create key:\(id) local 127.0.0.1") == true, "\(deeds)")
        let all = try nacre.run("audit", "--since", "1h").lines
        #expect(all.count >= 3 && !all.joined().contains("nacre_"), "no token is in it")
        #expect(try nacre.run("audit", "--limit", "1").lines.count == 1)
        // Page by page.
        var (ids, cursor): ([String], String?) = ([], nil)
        repeat {
            let path = "/api/v1/audit?outcome=allowed&limit=1" + (cursor.map { "&cursor=" + $0 } ?? "")
            let page = try server.curl([], path, token: token)
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(page.body.utf8)) as? [String: Any])
            ids += (object["items"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
            cursor = object["next"] as? String
        } while cursor != nil && ids.count < 3
        #expect(ids.count == 3 && ids == ids.sorted(by: >) && Set(ids).count == 3)
        for bad in ["since=yesterday", "outcome=no", "principal=%20", "cursor=x"] {
            #expect(try server.curl([], "/api/v1/audit?" + bad, token: token).status == 400, "\(bad)")
        }
        try server.stop()
        #expect(try nacre.run("audit", "--principal", "reader").lines.count == 2)
    }
}
