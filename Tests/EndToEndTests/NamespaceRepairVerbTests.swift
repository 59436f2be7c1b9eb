import Foundation
import TestKit
import Testing

/// `nacre ns verify` and `nacre ns rebuild`, with folders that sync.
@Suite struct NamespaceRepairVerbTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        var nacre = NacreProcess(data: directory.path("data"))
        nacre.environment["NACRE_SYNC_HOME"] = directory.path("home")
        self.nacre = nacre
    }

    @discardableResult
    private func must(_ arguments: String...) throws -> NacreProcess.Outcome {
        let outcome = try nacre.run(arguments)
        try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return outcome
    }

    @Test func afterARebuildFoldersCompareAndLoseNothing() throws {
        let server = try ServerProcess(nacre)
        let (one, two) = (directory.path("one"), directory.path("two"))
        try directory.write(Array("both".utf8), to: "one/both.txt")
        try directory.write(Array("deleted here".utf8), to: "one/gone.txt")
        try directory.write([], to: "two/.keep")
        try must("sync", one, "recipes", "--once")
        try must("sync", two, "recipes", "--once")
        let rebuilt = try must("ns", "rebuild", "recipes")
        #expect(rebuilt.lines.first?.hasSuffix(" recipes private") == true)
        // What was made before anybody heard of it.
        try directory.write(Array("changed in one".utf8), to: "one/both.txt")
        try directory.write(Array("new in two".utf8), to: "two/new.txt")
        for folder in [one, two, one] { try must("sync", folder, "--once") }
        for folder in ["one", "two"] {
            #expect(try directory.read("\(folder)/both.txt") == Array("changed in one".utf8), "\(folder)")
            #expect(try directory.read("\(folder)/new.txt") == Array("new in two".utf8), "\(folder)")
            #expect(try directory.read("\(folder)/gone.txt") == Array("deleted here".utf8), "\(folder)")
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.path(folder))
            #expect(!names.contains { $0.contains("conflict") }, "\(names)")
        }
        #expect(try must("ns", "conflicts", "recipes", "--all").text.isEmpty)
        #expect(try nacre.run("ns", "rebuild", "nosuch").status == 4)
        try server.stop()
    }

    /// Through a node that runs, which makes a job of it, and without: the same figures.
    @Test func verifyingSaysTheSameBothWays() throws {
        let server = try ServerProcess(nacre)
        try directory.write(SeededRandom.bytes(seed: 5, count: 3_000_000), to: "one/large.bin")
        try directory.write(Array("first".utf8), to: "one/a.txt")
        try must("sync", directory.path("one"), "recipes", "--once")
        try directory.write(Array("second".utf8), to: "one/a.txt")
        try must("sync", directory.path("one"), "recipes", "--once")
        try must("ns", "snapshot", "recipes")
        let served = try must("ns", "verify", "recipes").text
        #expect(served.hasPrefix("2 nodes, 3 changes, "), "\(served)")
        #expect(served.contains(" 3 contents, ") && served.contains(": all right"))
        #expect(try nacre.run("ns", "verify", "nosuch").status == 4)
        let all = try must("verify").text
        #expect(all.contains(" pins and 1 namespaces: nothing wrong"), "\(all)")
        try server.stop()
        #expect(try must("ns", "verify", "recipes").text == served)
        #expect(try must("verify").text == all)

        let packs = directory.path("data/blocks/packs")
        let text = Data("first".utf8)
        for name in try FileManager.default.contentsOfDirectory(atPath: packs) {
            let url = URL(fileURLWithPath: packs + "/" + name)
            var bytes = try Data(contentsOf: url)
            guard let range = bytes.range(of: text) else { continue }
            bytes[range.lowerBound] = 0
            try bytes.write(to: url)
        }
        let wrong = try nacre.run("ns", "verify", "recipes")
        #expect(wrong.status == 7, "\(wrong.errors)")
        #expect(wrong.text.contains("“a.txt” as of version ") && wrong.text.contains("is damaged"))
        #expect(wrong.lines.last?.contains("0 missing, 1 damaged") == true, "\(wrong.text)")
        let json = try #require(try nacre.run("ns", "verify", "recipes", "--json").objects().first)
        #expect(json["damaged"] as? Int == 1 && json["moreFindings"] as? Int == 0)
        // What no pin keeps, and the newest state does not have any more.
        let everything = try nacre.run("verify")
        #expect(everything.status == 7)
        #expect(
            everything.text.contains("namespace recipes: block ")
                && everything.text.contains("of “a.txt” as of version "), "\(everything.text)")
    }
}
