import Foundation
import Glibc
import TestKit
import Testing

/// Folders whose key, or whose node's address, becomes another one.
@Suite struct SyncKeyTests: SyncSuite {
    let laboratory: SyncLaboratory

    init() throws { laboratory = try SyncLaboratory() }

    private var url: String { "http://127.0.0.1:\(node.port)" }
    private var far: String { directory.path("far") }

    /// A key for the namespace.
    private func key(_ name: String, user: String? = nil) throws -> String {
        let made = try must(
            nacre,
            ["key", "create", "--name", name, "--scope", "namespace:default/recipes"]
                + ["--allow", "read,write,delete"] + (user.map { ["--user", $0] } ?? []))
        return String(try #require(made.lines.first))
    }

    /// A namespace of two files, and a folder on another machine that has it by a key.
    private func begin(_ token: String? = nil) throws {
        for name in ["kept", "gone"] { try write(name, "near/\(name)") }
        _ = try must("sync", directory.path("near"), "recipes", "--once")
        _ = try must(
            other, "sync", far, "recipes", "--node", url, "--token", try token ?? key("first"), "--once")
        #expect(try names("far") == ["gone", "kept"])
    }

    private func says(_ texts: String...) throws -> Bool {
        let status = try other.run("sync", "status", far).text
        return texts.allSatisfy(status.contains)
    }

    private func folders(_ home: String = "other home") throws -> String {
        try String(contentsOfFile: directory.path(home) + "/folders.json", encoding: .utf8)
    }

    /// It was called a namespace that is not there, when it was asked for again.
    @Test func aNameOfAnotherProjectIsSaidToBeTaken() throws {
        try write("kept", "near/kept")
        _ = try must("sync", directory.path("near"), "recipes", "--once")
        _ = try must("project", "create", "photos")
        let made = try must(
            "key", "create", "--name", "photos", "--scope", "project:photos", "--allow", "read,write,delete")
        let token = String(try #require(made.lines.first))
        try write("kept", "theirs/Recipes/kept")
        for name in ["recipes", "Recipes"] {
            let outcome = try other.run(
                "sync", directory.path("theirs/Recipes"), name, "--node", url, "--token", token, "--once")
            #expect(
                outcome.status == 6 && outcome.errors.contains("choose another name"), "\(outcome.errors)")
        }
        try node.stop()
    }

    /// To take the folder off and add it again was the only way: what others had removed meanwhile came back.
    @Test(arguments: [false, true]) func aFolderTakesAnotherKeyAndKeepsWhatItKnows(isRunning: Bool) throws {
        try begin()
        try withDaemon(isRunning, other) {
            _ = try must("key", "revoke", "first")
            try FileManager.default.removeItem(atPath: directory.path("near/gone"))
            try write("changed", "near/kept")
            _ = try must("sync", directory.path("near"), "--once")
            try write("more", "far/more")
            if !isRunning { #expect(try other.run("sync", far, "--once").status != 0) }
            let advice =
                "the key was revoked; ask for a new one. With another key it goes on by `nacre sync \(far) "
                + "recipes --token KEY`"
            let end = Date().addingTimeInterval(60)
            while try !says("stopped", advice), Date() < end { usleep(20_000) }
            let status = try other.run("sync", "status", far).text
            try #require(status.contains(advice), "\(status)")
            // One that is not good either changes nothing.
            let before = try folders()
            let wrong = try other.run("sync", far, "recipes", "--token", "nacre_wrong", "--once")
            #expect(
                wrong.status == 5 && wrong.errors.contains("keeps the address and the key"), "\(wrong.errors)"
            )
            #expect(try folders() == before)
            var machine = other
            machine.environment["NACRE_TOKEN"] = try key("second")
            let taken = try machine.run(["sync", far, "recipes"] + (isRunning ? [] : ["--once"]))
            #expect(taken.status == 0 && taken.errors.contains("goes on with the new key"), "\(taken.errors)")
            #expect(try machine.run("sync", far, "--once").status == 0)
        }
        #expect(try files("far") == ["kept": "changed", "more": "more"])
        #expect(try must(other, "sync", far, "--once").text.hasPrefix("settled: 0 sent, 0 received"))
        _ = try must("sync", directory.path("near"), "--once")
        #expect(try files("near") == ["kept": "changed", "more": "more"])
        var status = stat()
        try #require(stat(directory.path("other home") + "/folders.json", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        try node.stop()
    }

    /// What the environment has is for the folder only where its namespace is said as well.
    @Test func aKeyThatIsForSomethingElseIsLeftAlone() throws {
        try begin()
        let before = try folders()
        var machine = other
        machine.environment["NACRE_TOKEN"] = try key("second")
        #expect(try machine.run("sync", far, "--once").status == 0)
        #expect(try folders() == before)
        #expect(try machine.run("sync", far, "recipes", "--node", url + "/", "--once").status == 0)
        #expect(try folders() != before && folders().contains("\"node\" : \"\(url)\""))
        try node.stop()
    }

    @Test func aFolderDoesNotGoToAnotherNode() throws {
        try begin()
        var elsewhere = nacre
        elsewhere = NacreProcess(data: directory.path("other data"))
        elsewhere.environment["NACRE_SYNC_HOME"] = directory.path("third home")
        let second = try ServedNode(elsewhere)
        try write("x", "third/x")
        #expect(try elsewhere.run("sync", directory.path("third"), "recipes", "--once").status == 0)
        let made = try elsewhere.run(
            "key", "create", "--name", "k", "--scope", "namespace:default/recipes", "--allow",
            "read,write,delete")
        let token = String(try #require(made.lines.first))
        let before = try folders()
        let outcome = try other.run(
            "sync", far, "recipes", "--node", "http://127.0.0.1:\(second.port)", "--token", token, "--once")
        #expect(outcome.status == 6, "\(outcome.errors)")
        #expect(outcome.errors.contains("is another node, or the key is not for it"), "\(outcome.errors)")
        #expect(try folders() == before)
        #expect(try must(other, "sync", far, "--once").text.hasPrefix("settled: 0 sent"))
        try second.stop()
        try node.stop()
    }

    /// Nobody had revoked the key.
    @Test func whoIsNoMemberAnyMoreIsToldSo() throws {
        try write("a", "near/a")
        _ = try must("sync", directory.path("near"), "recipes", "--once")
        try write("a long password", "password")
        _ = try must("user", "add", "bob", "--password-file", directory.path("password"))
        _ = try must("ns", "members", "recipes", "add", "bob", "--role", "editor")
        let token = try key("bob", user: "bob")
        _ = try must(other, "sync", far, "recipes", "--node", url, "--token", token, "--once")
        _ = try must("ns", "members", "recipes", "rm", "bob")
        let outcome = try other.run("sync", far, "--once")
        #expect(outcome.status != 0 && outcome.errors.contains("is no member by now"), "\(outcome.errors)")
        #expect(!outcome.errors.contains("the key was revoked"), "\(outcome.errors)")
        _ = try must("ns", "members", "recipes", "add", "bob", "--role", "editor")
        #expect(try other.run("sync", far, "--once").status == 0)
        try node.stop()
    }
}
