import Foundation
import TestKit
import Testing

/// What a person sees of devices and namespaces: the real program against a node that runs.
@Suite struct SyncVerbTests {
    private let directory: TemporaryDirectory
    private let nacre: NacreProcess
    private let node: ServedNode

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        var nacre = NacreProcess(data: directory.path("data"))
        nacre.environment["NACRE_SYNC_HOME"] = directory.path("home")
        self.nacre = nacre
        node = try ServedNode(nacre)
    }

    private func must(_ arguments: String...) throws -> NacreProcess.Outcome {
        let outcome = try nacre.run(arguments)
        try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return outcome
    }

    private func folder(_ name: String) throws -> String {
        let path = directory.path(name)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data("one".utf8).write(to: URL(fileURLWithPath: path + "/a.txt"))
        return path
    }

    @Test func aMachineIsListedRenamedAndShutOut() throws {
        let folder = try folder("Recipes")
        _ = try must("sync", folder, "recipes", "--once")
        let listed = try #require(try must("sync", "devices").lines.first)
        let id = String(listed.split(separator: " ")[0])
        #expect(listed.contains(" seen "))
        _ = try must("sync", "devices", "rename", id, "Kitchen table")
        #expect(try must("sync", "devices", "ls").text.contains("\(id) Kitchen table seen "))
        let json = try must("sync", "devices", "ls", "--json").text
        #expect(json.contains("\"name\":\"Kitchen table\"") && json.contains("\"platform\":\"linux\""))
        let status = try must("ns", "status").text
        #expect(status.contains("recipes 1 1 3") && status.contains("Kitchen table"))
        #expect(status.contains("block cache"))
        #expect(try nacre.run("ns", "status", "nosuch").status == 4)
        _ = try must("sync", "devices", "rm", "Kitchen table")
        #expect(try must("sync", "devices").text.contains("removed"))
        let refused = try nacre.run("sync", folder, "--once")
        #expect(refused.status == 1 && refused.errors.contains("removed on the node"), "\(refused.errors)")
        #expect(try nacre.run("sync", "devices", "rm", "nosuch").status == 4)
        try node.stop()
    }
}
