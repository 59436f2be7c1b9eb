import Foundation
import TestKit
import Testing

/// `nacre user`, `nacre project`, `nacre key sign`.
@Suite struct AccountVerbTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    private func add(_ name: String, _ more: String...) throws -> NacreProcess.Outcome {
        try nacre.run(
            ["user", "add", name, "--password-file", "-"] + more, input: Array("long enough\n".utf8))
    }

    @Test func usersAreAddedShownAndDisabled() throws {
        let added = try add("ada", "--admin")
        #expect(added.status == 0 && added.text.hasSuffix(" active administrator ada\n"), "\(added.errors)")
        #expect(try add("ben").text.hasSuffix(" active member ben\n"))
        #expect(try nacre.run("user", "ls").lines.count == 2)
        let shown = try #require(try nacre.run("user", "show", "ben", "--json").objects().first)
        #expect(shown["administrator"] as? Bool == false && (shown["projects"] as? [Any])?.isEmpty == true)
        #expect(try nacre.run("user", "disable", "ben").text.contains(" disabled member ben"))
        #expect(try nacre.run("user", "enable", "ben").text.contains(" active member ben"))
        let changed = try nacre.run(
            ["user", "password", "ben", "--password-file", "-"], input: Array("another secret".utf8))
        #expect(changed.status == 0, "\(changed.errors)")
        for text in [try nacre.run("user", "show", "ben").text, try nacre.run("user", "ls", "--json").text] {
            #expect(!text.contains("scrypt") && !text.contains("secret"))
        }
    }

    @Test func whatMakesNoSenseOfUsersIsRefused() throws {
        #expect(try add("ada").status == 0)
        #expect(try add("ada").status == 6)
        #expect(try add("Ada Lovelace").status == 2)
        let short = try nacre.run(
            ["user", "add", "ben", "--password-file", "-"], input: Array("short".utf8))
        #expect(short.status == 2 && short.errors.contains("10"))
        // There is no terminal to ask on, and no argument to give one in.
        let silent = try nacre.run("user", "add", "ben")
        #expect(silent.status == 2 && silent.errors.contains("--password-file"))
        #expect(try nacre.run("user", "show", "nobody").status == 4)
        #expect(try nacre.run("user", "ls").lines.count == 1)
    }

    @Test func projectsHaveMembersWithRoles() throws {
        #expect(try add("ada").status == 0)
        #expect(try add("ben").status == 0)
        #expect(try nacre.run("project", "create", "photos", "--owner", "nobody").status == 4)
        #expect(try nacre.run("project", "ls").text == "default default\n")
        let made = try nacre.run("project", "create", "photos", "--owner", "ada")
        let id = try #require(made.lines.first?.split(separator: " ").first.map(String.init))
        let role = try nacre.run("project", "member", "photos", "ben", "reader")
        #expect(role.text == "\(id) ben reader\n", "\(role.errors)")
        #expect(try nacre.run("project", "member", "photos", "ben", "boss").status == 2)
        let shown = try #require(try nacre.run("project", "show", id, "--json").objects().first)
        let members = try #require(shown["members"] as? [[String: Any]])
        #expect(
            Set(members.map { "\($0["name"] ?? "") \($0["role"] ?? "")" }) == ["ada owner", "ben reader"])
        #expect(try nacre.run("project", "remove", "photos", "ben").status == 0)
        #expect(try nacre.run("user", "show", "ben").text.contains("project") == false)
        #expect(try nacre.run("project", "create", "photos").status == 0)
        #expect(try nacre.run("project", "show", "photos").status == 6)
        #expect(try nacre.run("project", "show", "none").status == 4)
        let key = try nacre.run("key", "create", "--name", "a", "--allow", "read", "--project", id)
        #expect(key.status == 0, "\(key.errors)")
    }

    @Test func urlsAreSignedOnBehalfOfAKeyAndRevokedAlone() throws {
        #expect(try nacre.run("key", "create", "--name", "web", "--allow", "read,write,keys").status == 0)
        let signed = try nacre.run(
            "key", "sign", "web", "PUT", "https://node.example/api/v1/x?a=1", "--expires", "10m",
            "--max-bytes",
            "1MiB", "--content-type", "image/*")
        #expect(signed.status == 0, "\(signed.errors)")
        let url = try #require(signed.lines.first)
        #expect(url.hasPrefix("https://node.example/api/v1/x?a=1&nacre-grant="))
        #expect(url.contains("&nacre-max-bytes=1048576&nacre-type=image%2F%2A&nacre-signature="))
        let path = try #require(try nacre.run("key", "sign", "web", "get", "/ipfs/a%20b").lines.first)
        #expect(path.hasPrefix("/ipfs/a%20b?nacre-grant="))
        #expect(try nacre.run("key", "revoke", url, path).status == 0)
        #expect(
            try nacre.run("key", "show", "web", "--json").objects().first?["status"] as? String == "active")
        let foreign = url.replacingOccurrences(of: "a=1", with: "a=2")
        #expect(try nacre.run("key", "revoke", foreign).status == 5)
    }

    @Test(arguments: [
        ["web", "DELETE", "/x"], ["web", "GET", "x"], ["web", "GET", "/a/../b"], ["web", "GET", "/%zz"],
        ["web", "GET", "/x", "--expires", "soon"], ["web", "PUT", "/x", "--max-uses", "0"],
        ["web", "PUT", "/x", "--root", "nonsense"], ["web", "GET", "/x?nacre-uses=5"],
    ])
    func whatCannotBeSignedIsWrongUsage(arguments: [String]) throws {
        #expect(try nacre.run("key", "create", "--name", "web", "--allow", "read,write").status == 0)
        let outcome = try nacre.run(["key", "sign"] + arguments)
        #expect(outcome.status == 2, "\(outcome.errors)")
        #expect(outcome.lines.isEmpty)
    }

    @Test func aKeySignsOnlyWhatItMayDo() throws {
        #expect(try nacre.run("key", "create", "--name", "reader", "--allow", "read").status == 0)
        #expect(try nacre.run("key", "sign", "reader", "PUT", "/x").status == 5)
        #expect(try nacre.run("key", "sign", "nobody", "GET", "/x").status == 4)
    }
}
