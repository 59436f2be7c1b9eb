import Foundation
import TestKit
import Testing

/// Sync defect 17: a text whose list of leaves was larger than a mebibyte could not be committed.
@Suite struct LongLeafListTests {
    @Test func defect17ATextWithAVeryLongListOfLeavesIsCommittedAndReadBack() throws {
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        var nacre = NacreProcess(data: directory.path("data"))
        nacre.environment["NACRE_SYNC_HOME"] = directory.path("home")
        let server = try ServerProcess(nacre)
        // Some 50 bytes a line, none like another: leaves of one or two kibibytes. A text may have 32 MiB.
        var text: [UInt8] = []
        let padding = String(repeating: "x", count: 30)
        for number in 0..<580_000 { text += Array("line \(number &* 2_654_435_761) \(padding)\n".utf8) }
        try directory.write(text, to: "one/long.txt")
        try FileManager.default.createDirectory(
            atPath: directory.path("two"), withIntermediateDirectories: true)
        func sync(_ folder: String, _ more: [String] = []) throws {
            let outcome = try nacre.run(["sync", directory.path(folder)] + more + ["--once"])
            try #require(outcome.status == 0, "\(outcome.errors)")
        }
        try sync("one", ["texts"])
        try sync("two", ["texts"])
        #expect(try directory.read("two/long.txt") == text)

        // The list itself, as a client that has nothing is told it.
        let token = try server.adminToken()
        let entry = try server.curl([], "/sync/v1/ns/texts/nodes?path=long.txt", token: token)
        let value = try JSONSerialization.jsonObject(with: Data(entry.body.utf8)) as? [String: Any]
        let root = try #require(value?["root"] as? String)
        let leaves = try server.curl(
            ["-X", "POST", "-H", "Content-Type: application/json", "-d", "{\"root\":\"\(root)\"}"],
            "/sync/v1/ns/texts/leaves", token: token)
        #expect(
            leaves.status == 200 && leaves.body.utf8.count > 1 << 20,
            "\(leaves.body.utf8.count) \(leaves.body.prefix(300))")

        // A line in the middle changes: the long list is not sent again, and is right on the other side.
        let middle = text.count / 2
        text.replaceSubrange(middle..<middle, with: Array("\na new line\n".utf8))
        try directory.write(text, to: "one/long.txt")
        try sync("one")
        try sync("two")
        #expect(try directory.read("two/long.txt") == text)
        try server.stop()
    }
}
