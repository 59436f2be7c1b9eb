import Foundation
import TestKit
import Testing

/// What is left out on purpose is not sent because somebody brings back old files.
@Suite struct SyncRulesRestoreTests: SyncSuite {
    let laboratory: SyncLaboratory
    private let folder: String

    init() throws {
        laboratory = try SyncLaboratory()
        folder = laboratory.directory.path("Recipes")
        try write("old", "Recipes/soup")
        _ = try must("sync", folder, "recipes", "--once")
        _ = try must("sync", "ignore", folder, "*.private")
        try write("pin 1234", "Recipes/diary.private")
        try write("new", "Recipes/soup")
        try sync()
    }

    private func sync() throws { _ = try must("sync", folder, "--once", "--settle", "0s") }

    private func isSent(_ name: String) throws -> Bool {
        try nacre.run("cat", "recipes:/" + name).status == 0
    }

    /// The restore took the rules along, and the machine sent the diary a second later.
    @Test(arguments: [["1"], ["--at", "1"], ["1", ""]])
    func aRestoreOfTheWholeTreeKeepsTheRules(arguments: [String]) throws {
        let restored = try must(nacre, ["ns", "restore", "recipes"] + arguments)
        #expect(restored.text == "version 4, 1 changes\n", "\(restored.text)")
        #expect(restored.errors.contains(".syncignore stays as it is"), "\(restored.errors)")
        try sync()
        #expect(try files("Recipes")["soup"] == "old")
        #expect(try files("Recipes")[".syncignore"] == "*.private\n")
        #expect(try !isSent("diary.private"))
        // Back and forth: the rules are those that are, and nothing is said.
        let forth = try must("ns", "restore", "recipes", "3")
        #expect(forth.text == "version 5, 1 changes\n" && forth.errors.isEmpty, "\(forth.errors)")
        let json = try must("ns", "restore", "recipes", "1", "--json").text
        #expect(json.contains("\"kept\":[\".syncignore\"]"), "\(json)")
        try node.stop()
    }

    @Test func whoeverAsksForTheRulesGetsThemAndIsTold() throws {
        // They were not there: it is a removal, which is asked about by a command that can be pasted.
        let asked = try nacre.run("ns", "restore", "recipes", "1", ".syncignore")
        let command = "nacre --data \(directory.path("data")) ns restore recipes 1 .syncignore --empty"
        #expect(asked.status == 6 && asked.errors.contains("`\(command)`"), "\(asked.errors)")
        let done = try must("ns", "restore", "recipes", "1", "--rules")
        #expect(done.errors.contains("machines that sync now send"), "\(done.errors)")
        #expect(done.errors.contains("ns restore recipes 3 .syncignore`"), "\(done.errors)")
        try sync()
        #expect(try isSent("diary.private"))
        try node.stop()
    }
}
