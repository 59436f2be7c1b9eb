import Foundation
import TestKit
import Testing

/// A directory that becomes a symlink, or the reverse, while files are on their way beneath it.
@Suite struct SymlinkSwapTests {
    @Test func badInput34NothingIsWrittenBeneathALinkThatLeadsOut() throws {
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        var nacre = NacreProcess(data: directory.path("data"))
        nacre.environment["NACRE_SYNC_HOME"] = directory.path("home")
        let server = try ServerProcess(nacre)
        let files = FileManager.default
        let outside = directory.path("outside")
        for name in ["one", "two", "outside"] {
            try files.createDirectory(atPath: directory.path(name), withIntermediateDirectories: true)
        }
        func sync(_ folder: String, _ more: [String] = []) throws {
            let outcome = try nacre.run(["sync", directory.path(folder)] + more + ["--once"])
            try #require([0, 3].contains(outcome.status), "\(outcome.errors)")
        }
        // A link comes, is the text that it is, and is not followed.
        try files.createSymbolicLink(atPath: directory.path("one/d"), withDestinationPath: outside)
        try sync("one", ["links"])
        try sync("two", ["links"])
        #expect(try files.destinationOfSymbolicLink(atPath: directory.path("two/d")) == outside)
        // It becomes a directory with a file.
        try files.removeItem(atPath: directory.path("one/d"))
        try directory.write(Array("first".utf8), to: "one/d/x")
        try sync("one")
        try sync("two")
        #expect(try files.contentsOfDirectory(atPath: outside) == [])
        #expect(try directory.read("two/d/x") == Array("first".utf8))
        #expect((try? files.destinationOfSymbolicLink(atPath: directory.path("two/d"))) == nil)
        // On one machine it is a link again, while the file beneath it changes on the other.
        try files.removeItem(atPath: directory.path("two/d"))
        try files.createSymbolicLink(atPath: directory.path("two/d"), withDestinationPath: outside)
        try directory.write(Array("second".utf8), to: "one/d/x")
        try directory.write(Array("new".utf8), to: "one/d/y")
        for folder in ["one", "two", "one", "two"] { try sync(folder) }
        #expect(try files.contentsOfDirectory(atPath: outside) == [])
        try server.stop()
    }
}
