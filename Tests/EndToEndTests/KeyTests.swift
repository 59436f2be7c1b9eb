import Foundation
import TestKit
import Testing

/// `nacre key`: tokens are shown once, limits are kept, nothing secret is printed or stored.
@Suite struct KeyTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    private func create(_ arguments: String...) throws -> String {
        let outcome = try nacre.run(["key", "create"] + arguments)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try #require(outcome.lines.first)
    }

    @Test func theTokenStandsAloneOnStandardOutput() throws {
        let outcome = try nacre.run("key", "create", "--name", "phone", "--allow", "read,write")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.lines.count == 1)
        let token = try #require(outcome.lines.first)
        #expect(token.hasPrefix("nacre_") && token.utf8.count == 91)
        #expect(!outcome.errors.contains(token))
        let listed = try nacre.run("key", "ls")
        #expect(listed.lines.count == 2, "the first administrator's and this one")
        #expect(listed.lines.last?.hasSuffix(" active read,write project:default never phone") == true)
    }

    @Test func everyLimitIsTakenAndShown() throws {
        _ = try create(
            "--name", "all", "--allow", "write", "--scope", "namespace:default/photos/2024", "--project",
            "default",
            "--max-uses", "3", "--max-file-bytes", "10MiB", "--max-bytes", "1GiB", "--expires",
            "2099-01-31T12:00:00Z", "--not-before", "1h", "--content-type", "image/*", "--from", "10.0.0.0/8",
            "--from", "2001:db8::/32", "--referrer", "https://*.example.org/shop/")
        let shown = try #require(try nacre.run("key", "show", "all", "--json").objects().first)
        #expect(shown["maxUses"] as? Int == 3)
        #expect(shown["maxFileBytes"] as? Int == 10 * 1024 * 1024)
        #expect(shown["maxBytes"] as? Int == 1024 * 1024 * 1024)
        #expect(shown["scope"] as? String == "namespace:default/photos/2024")
        #expect(shown["expires"] as? String == "2099-01-31T12:00:00Z")
        #expect(shown["contentTypes"] as? [String] == ["image/*"])
        #expect(shown["from"] as? [String] == ["10.0.0.0/8", "2001:db8::/32"])
        #expect(shown["referrers"] as? [String] == ["https://*.example.org/shop"])
        #expect(shown["status"] as? String == "not-yet-valid")
        let text = try nacre.run("key", "show", "all").text
        for part in ["0 of 3", "10.0 MiB", "image/*", "10.0.0.0/8", "2099-01-31"] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
    }

    /// `nacre project ls` shows names first; a scope took ids alone, and said that there is no such project.
    @Test func aProjectIsToldByItsNameOrItsId() throws {
        let made = try nacre.run("project", "create", "photos", "--json")
        let id = try #require(try made.objects().first?["id"] as? String)
        #expect(id != "photos")
        for scope in ["project:photos", "project:" + id] {
            _ = try create("--name", scope, "--allow", "read", "--scope", scope)
            let shown = try #require(try nacre.run("key", "show", scope, "--json").objects().first)
            #expect(shown["scope"] as? String == "project:" + id)
        }
        _ = try create("--name", "own", "--allow", "read", "--project", "photos")
        #expect(
            try nacre.run("key", "show", "own", "--json").objects().first?["project"] as? String == id)
        let absent = try nacre.run(
            "key", "create", "--name", "x", "--allow", "read", "--scope", "project:nosuch")
        #expect(absent.status != 0 && absent.errors.contains("no project nosuch"), "\(absent.errors)")
    }

    @Test func aNarrowedKeyEndsWithItsParent() throws {
        _ = try create("--name", "parent", "--allow", "read,write", "--max-uses", "5", "--expires", "30d")
        _ = try create("--name", "child", "--allow", "read", "--parent", "parent")
        let child = try #require(try nacre.run("key", "show", "child", "--json").objects().first)
        #expect(child["maxUses"] as? Int == 5)
        #expect(child["expires"] is String)
        let wide: [[String]] = [
            ["--allow", "delete"], ["--allow", "read", "--max-uses", "6"],
            ["--allow", "read", "--expires", "31d"], ["--allow", "read", "--scope", "node"],
        ]
        for arguments in wide {
            let outcome = try nacre.run(
                ["key", "create", "--name", "wide", "--parent", "parent"] + arguments)
            #expect(outcome.status == 5, "\(arguments): \(outcome.errors)")
            #expect(outcome.lines.isEmpty)
        }
        let revoked = try nacre.run("key", "revoke", "parent")
        #expect(revoked.status == 0 && revoked.text.contains(" revoked "))
        let after = try nacre.run("key", "show", "child", "--json").objects().first
        #expect(after?["status"] as? String == "revoked")
        #expect(try nacre.run("key", "ls").lines.count == 1)
        #expect(try nacre.run("key", "ls", "--all").lines.count == 3)
    }

    @Test(arguments: [
        ["--allow", "everything"], ["--allow", ","],
        ["--allow", "read", "--scope", "namespace:default/../x"],
        ["--allow", "read", "--from", "10.0.0.1/8"], ["--allow", "read", "--from", "256.0.0.1"],
        ["--allow", "read", "--expires", "soon"], ["--allow", "read", "--max-bytes", "-1"],
        ["--allow", "read", "--max-uses", "0"], ["--allow", "write", "--content-type", "png"],
        ["--allow", "read", "--max-uses", "-1"], ["--allow", "write", "--max-bytes", "-1"],
        ["--allow", "read", "--referrer", "example.org"], [],
    ])
    func whatMakesNoSenseIsWrongUsage(arguments: [String]) throws {
        let outcome = try nacre.run(["key", "create", "--name", "x"] + arguments)
        #expect(outcome.status == 2, "\(outcome.errors)")
        #expect(outcome.lines.isEmpty)
    }

    @Test func aNumberOfUsesBelowOneIsNamed() throws {
        _ = try create("--name", "web", "--allow", "read")
        for arguments in [
            ["key", "create", "--name", "x", "--allow", "read", "--max-uses", "-1"],
            ["key", "sign", "web", "GET", "/ipfs/bafkqaaa", "--max-uses", "-1"],
        ] {
            let outcome = try nacre.run(arguments)
            #expect(
                outcome.status == 2 && outcome.errors.contains("--max-uses is a number of requests"),
                "\(outcome.errors)")
        }
    }

    @Test func keysThatAreNotThereAreNotFound() throws {
        #expect(try nacre.run("key", "show", "nobody").status == 4)
        #expect(try nacre.run("key", "revoke", "nobody").status == 4)
        let outcome = try nacre.run("key", "create", "--name", "x", "--allow", "read", "--project", "none")
        #expect(outcome.status == 4)
        for _ in 0..<2 { _ = try create("--name", "twice", "--allow", "read") }
        #expect(try nacre.run("key", "revoke", "twice").status == 6)
    }

    @Test func aMistypedTokenIsToldApart() throws {
        let token = try create("--name", "a", "--allow", "read")
        #expect(try nacre.run("key", "show", token).status == 0)
        // A character within the secret: the last one holds two bits, so that most others cannot stand there.
        var mistyped = Array(token)
        mistyped[40] = mistyped[40] == "7" ? "8" : "7"
        let outcome = try nacre.run("key", "show", String(mistyped))
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("mistyped") && !outcome.errors.contains(token.dropFirst(41)))
    }

    @Test func noSecretIsWrittenAnywhereButWhereItBelongs() throws {
        let token = try create("--name", "a", "--allow", "read")
        let secret = String(token.dropFirst(32).prefix(52))
        for (path, bytes) in try directory.allFiles() {
            #expect(!String(decoding: bytes, as: UTF8.self).contains(secret), "\(path)")
        }
        for arguments in [["ls"], ["show", "a"], ["show", "a", "--json"], ["revoke", "a", "--json"]] {
            let outcome = try nacre.run(["key"] + arguments)
            #expect(!outcome.text.contains(secret) && !outcome.errors.contains(secret))
        }
    }

    @Test func secretsAreForTheOwnerOnlyAndTheFirstStartMakesThemOnce() throws {
        let first = try nacre.run("key", "ls")
        let path = directory.path("data/secrets/admin-token")
        #expect(first.errors.contains("admin-token"))
        #expect(!(try nacre.run("key", "ls").errors.contains("admin-token")))
        for (name, mode) in [("", 0o700), ("/admin-token", 0o600), ("/master-key", 0o600)] {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: directory.path("data/secrets" + name))
            #expect(attributes[.posixPermissions] as? Int == mode)
        }
        let token = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .newlines)
        let shown = try nacre.run("key", "show", token)
        #expect(shown.text.contains("admin") && shown.text.contains("node"))
        chmod(path, 0o644)
        chmod(directory.path("data/secrets/master-key"), 0o640)
        let refused = try nacre.run("key", "ls")
        #expect(refused.status == 5 && refused.errors.contains("chmod"), "\(refused.errors)")
    }

    @Test func aLostMasterKeyIsNamedAndCanBeReplaced() throws {
        _ = try create("--name", "a", "--allow", "read")
        let path = directory.path("data/secrets/master-key")
        let key = try directory.read("data/secrets/master-key")
        try FileManager.default.removeItem(atPath: path)
        let refused = try nacre.run("key", "ls")
        #expect(refused.status == 7 && refused.errors.contains("reset-master"), "\(refused.errors)")
        try directory.write(key.map { $0 ^ 1 }, to: "data/secrets/master-key")
        chmod(path, 0o600)
        #expect(try nacre.run("key", "ls").status == 7)
        try directory.write([1, 2, 3], to: "data/secrets/master-key")
        #expect(try nacre.run("key", "ls").status == 7)
        try FileManager.default.removeItem(atPath: path)
        #expect(try nacre.run("key", "reset-master").status == 0)
        #expect(try nacre.run("key", "ls").lines.count == 2)
    }

    @Test(arguments: ["2020-01-31T12:00:00Z", "0s"]) func anExpiryInThePastIsWrongUsage(when: String) throws {
        let outcome = try nacre.run("key", "create", "--name", "a", "--allow", "read", "--expires", when)
        #expect(outcome.status == 2 && outcome.errors.contains("in the past"), "\(outcome.errors)")
        _ = try create("--name", "b", "--allow", "read")
        #expect(try nacre.run("key", "sign", "b", "GET", "/x", "--expires", when).status == 2)
        let far = try nacre.run(
            "key", "create", "--name", "c", "--allow", "read", "--expires", "2199-01-01T00:00:00Z")
        #expect(far.status == 0 && far.errors.contains("years away"), "\(far.errors)")
    }

    @Test func keysOfOneNameAreToldApartByTheirIDs() throws {
        let first = try nacre.run("key", "create", "--name", "twin", "--allow", "read")
        #expect(first.status == 0 && !first.errors.contains("are named"))
        let second = try nacre.run("key", "create", "--name", "twin", "--allow", "write", "--json")
        #expect(second.errors.contains("other keys that count are named twin"), "\(second.errors)")
        let id = try #require(try second.objects().first?["id"] as? String)
        for verb in ["show", "revoke"] {
            let refused = try nacre.run("key", verb, "twin")
            #expect(refused.status == 6 && refused.errors.contains(id), "\(refused.errors)")
        }
        #expect(try nacre.run("key", "revoke", id).status == 0)
        #expect(try nacre.run("key", "show", "twin").text.contains("allows        read\n"))
    }

    @Test func whatGoesBeyondTheParentIsNamedAsItsOption() throws {
        _ = try create("--name", "weak", "--allow", "read,keys")
        let outcome = try nacre.run("key", "create", "--name", "x", "--allow", "write", "--parent", "weak")
        #expect(outcome.status == 5 && outcome.errors.contains("--allow goes beyond"), "\(outcome.errors)")
    }

    @Test(arguments: [
        ("GET", "/api/v1/content/bafkqaaa", ""), ("POST", "/api/v1/uploads", ""),
        ("PUT", "/api/v1/nosuch", "leads nowhere"), ("PUT", "/api/v1/uploads", "leads nowhere"),
        ("GET", "/n/site", ""), ("GET", "/nothing/here", "leads nowhere"), ("GET", "/ipfs/bafkqaaa", ""),
        ("GET", "/ipns/example.org/a", ""), ("GET", "/health/live", "by no key"),
        ("POST", "/api/v1/pins", "allows pin"), ("GET", "/metrics", "allows metrics"),
        ("GET", "/sync/v1/ns", "no signed URLs"), ("POST", "/sync/v1/ns/recipes/commit", "no signed URLs"),
        ("GET", "/sync/v1/hello", "by no key"), ("GET", "/sync/v1/nosuch", "leads nowhere"),
    ])
    func aSignedURLThatLeadsNowhereIsWarnedOf(method: String, path: String, warning: String) throws {
        _ = try create("--name", "web", "--allow", "read,write,pin,metrics")
        let outcome = try nacre.run("key", "sign", "web", method, path)
        #expect(outcome.status == 0 && outcome.lines.count == 1, "\(outcome.errors)")
        #expect(
            warning.isEmpty ? !outcome.errors.contains("warning") : outcome.errors.contains(warning),
            "\(outcome.errors)")
    }

    @Test func whatIsAboutTheWholeNodeSaysWhichKeyItNeeds() throws {
        let token = try create("--name", "project", "--allow", "admin")
        let server = try ServerProcess(nacre)
        var elsewhere = NacreProcess(data: directory.path("none"))
        elsewhere.environment = ["NACRE_NODE": server.address, "NACRE_TOKEN": token]
        for verb in ["stats", "verify"] {
            let refused = try elsewhere.run(verb)
            #expect(
                refused.status == 5 && refused.errors.contains("--allow admin --scope node"),
                "\(refused.errors)")
        }
        try server.stop()
    }
}
