import Foundation
import Glibc
import TestKit
import Testing

/// `nacre name publish --namespace`: said once, kept over restarts, by the real program.
@Suite struct NameFollowVerbTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess
    let folder: String

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        var nacre = NacreProcess(data: directory.path("data"))
        nacre.environment["NACRE_SYNC_HOME"] = directory.path("home")
        self.nacre = nacre
        folder = directory.path("Recipes")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    @discardableResult
    private func must(_ arguments: String...) throws -> NacreProcess.Outcome {
        let outcome = try nacre.run(arguments)
        try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return outcome
    }

    private func change(_ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/a.txt"))
        try must("sync", folder, "recipes", "--once")
    }

    /// Waits until the file that the name leads to says this.
    private func wait(for text: String, _ server: ServerProcess, _ key: String) throws {
        try server.running.wait("\(text) is published") {
            try nacre.run("cat", "\(try target())/a.txt").text == text
        }
        #expect(try nacre.run("name", "resolve", key).text.hasPrefix("/ipfs/"))
    }

    private func target() throws -> String {
        let entry = try #require(try must("name", "show", "site", "--json").objects().first)
        return String(try #require(entry["target"] as? String).dropFirst("/ipfs/".count))
    }

    @Test func aNameFollowsOverARestartAndAKill() throws {
        let key = String(
            try #require(try must("name", "create", "site").lines.first?.split(separator: " ").first))
        var server = try ServerProcess(nacre)
        try change("one")
        let began = try must("name", "publish", "site", "--namespace", "recipes")
        #expect(began.lines == ["/ipns/\(key) /n/recipes"])
        #expect(began.errors.contains("recipes is private"))
        try change("two")
        try wait(for: "two", server, key)
        #expect(try must("name", "ls").lines.first?.contains(" /n/recipes site") == true)
        // A name is a site like a namespace, by its label and by its key.
        for name in ["site", key] {
            let answer = try server.curl(["-i"], "/n/\(name)/file?download=true")
            #expect(answer.status == 302, "\(answer.body)")
            #expect(answer.body.contains("/ipns/\(key)/file?download=true"), "\(answer.body)")
        }
        let shown = try must("name", "show", "site").text
        #expect(shown.contains("follows      /n/recipes current, version "))

        // The change is made, and the node killed before it has settled: the next one finds it.
        try change("three")
        server.running.signal(SIGKILL)
        #expect(try server.running.end().wasSignalled)
        server = try ServerProcess(nacre)
        try wait(for: "three", server, key)
        try server.stop()

        // What a directory without a node does is found by the next one too.
        try must("ns", "restore", "recipes", "1")
        #expect(try must("name", "show", "site").text.contains("/n/recipes waiting, version "))
        server = try ServerProcess(nacre)
        try wait(for: "one", server, key)

        let ended = try must("name", "unfollow", "site")
        #expect(ended.lines.first?.contains(" /ipfs/") == true)
        #expect(try nacre.run("name", "unfollow", "site").status == 4)
        try server.stop()
    }

    /// Without a node and with one: the same words, the same exit codes.
    @Test(arguments: [false, true])
    func whatIsWrongIsSaid(isServed: Bool) throws {
        try must("ns", "create", "recipes", "--public")
        try must("name", "create", "site")
        let server = isServed ? try ServerProcess(nacre) : nil
        for (arguments, status, text) in [
            (["--namespace", "nosuch"], 4, "there is no namespace “nosuch”"),
            (["--namespace", "recipes:/nosuch"], 4, "nosuch"), (["/n/"], 2, "/n/recipes"),
            (["--namespace", "recipes", "/ipfs/bafkqaaa"], 2, "--namespace"), ([], 2, "--namespace"),
            (["/n/recipes@7"], 4, "there is no version 7"),
        ] {
            let outcome = try nacre.run(["name", "publish", "site"] + arguments)
            #expect(
                outcome.status == Int32(status) && outcome.text.isEmpty, "\(arguments): \(outcome.errors)")
            #expect(outcome.errors.contains(text), "\(arguments): \(outcome.errors)")
        }
        let began = try must("name", "publish", "site", "/n/recipes")
        #expect(began.lines.first?.hasSuffix(" /n/recipes") == true && began.errors.isEmpty)
        try must("ns", "rm", "recipes")
        #expect(try must("name", "show", "site").text.contains("/n/recipes stopped"))
        try server?.stop()
    }
}
