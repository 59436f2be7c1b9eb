import Foundation
import TestKit
import Testing

/// Verbs about earlier states: the real program against a node that runs, and without one.
@Suite struct NamespaceHistoryVerbTests: SyncSuite {
    let laboratory: SyncLaboratory

    init() throws {
        laboratory = try SyncLaboratory()
        for number in 0..<130 { try write("\(number)", "recipes/f\(number)") }
        _ = try must("sync", directory.path("recipes"), "recipes", "--once")
    }

    /// It stopped at a hundred lines without a word.
    @Test func aLogThatIsCutSaysSo() throws {
        let note = "there are earlier changes: --limit N lists N of them, --all every one\n"
        func check() throws {
            for (arguments, lines, isCut) in [
                ([], 100, true), (["--limit", "129"], 129, true), (["--limit", "130"], 130, false),
                (["--limit", "5000"], 130, false), (["--all"], 130, false),
            ] as [([String], Int, Bool)] {
                let log = try nacre.run(["ns", "log", "recipes"] + arguments)
                #expect(log.status == 0 && log.lines.count == lines, "\(arguments)")
                #expect(log.errors == (isCut ? note : ""), "\(arguments): \(log.errors)")
            }
        }
        try check()
        let both = try nacre.run("ns", "log", "recipes", "--all", "--limit", "3")
        #expect(both.status == 2 && both.errors.contains("not both possible"))
        try node.stop()
        try check()
    }

    /// The newest state was taken for one of tomorrow.
    @Test func aTimeThatHasNotComeIsNoVersion() throws {
        let tomorrow = Date().addingTimeInterval(86_400).formatted(.iso8601)
        for arguments in [["restore", "recipes", tomorrow], ["keep", "recipes", tomorrow]] {
            let refused = try nacre.run(["ns"] + arguments)
            #expect(refused.status == 4, "\(arguments): \(refused.text)")
            #expect(refused.errors.contains("\(tomorrow) has not come yet: it is 20"), "\(refused.errors)")
            #expect(refused.errors.contains("give a time before that"))
        }
        // The second of the newest change is meant to its end, whenever in it the change was made.
        let line = try #require(try nacre.run("ns", "log", "recipes", "--limit", "1").lines.first)
        let now = try #require(line.split(separator: " ").dropFirst().first.map(String.init))
        let restored = try nacre.run("ns", "restore", "recipes", now)
        #expect(restored.text == "version 130, 0 changes\n", "\(restored.errors)")
        try node.stop()
    }

    /// Directories were left out, and what was renamed was something gone and something come.
    @Test func aComparisonShowsDirectoriesAndRenames() throws {
        try FileManager.default.moveItem(
            atPath: directory.path("recipes/f7"), toPath: directory.path("recipes/g7"))
        for path in ["recipes/soups/a", "recipes/soups/b"] { try write(path, path) }
        try FileManager.default.createDirectory(
            atPath: directory.path("recipes/empty"), withIntermediateDirectories: true)
        _ = try must("sync", directory.path("recipes"), "recipes", "--once")
        func check() throws {
            let brief = ["+ empty/", "R f7 -> g7", "+ soups/  (2 below)"]
            #expect(try must("ns", "diff", "recipes", "130").lines == brief)
            #expect(
                try must("ns", "diff", "recipes", "130", "--recursive").lines
                    == ["+ empty/", "R f7 -> g7", "+ soups/", "+ soups/a", "+ soups/b"])
            let json = try must("ns", "diff", "recipes", "130", "--json").text
            #expect(json.contains(#""change":"renamed""#) && json.contains(#""from":"f7""#), "\(json)")
            #expect(json.contains(#""below":2"#) && json.contains(#""kind":"dir""#), "\(json)")
        }
        try check()
        try node.stop()
        try check()
    }

    /// A zero too many, or a time of another year, and the namespace was empty without a word.
    @Test func goingBackToBeforeTheFirstChangeIsAskedAbout() throws {
        _ = try must("ns", "publish", "recipes")
        func check() throws {
            for version in ["0", "1999-01-01T00:00:00Z"] {
                let refused = try nacre.run("ns", "restore", "recipes", version)
                let text = "nothing is in version 0: 130 files and directories would be removed at once"
                #expect(refused.status == 6 && refused.errors.contains(text), "\(refused.errors)")
                #expect(refused.errors.contains("/data ns restore recipes \(version) --empty`"))
            }
            #expect(try must("ns", "show", "recipes").text.contains("nodes         130\n"))
            let part = try nacre.run("ns", "restore", "recipes", "0", "f7")
            #expect(part.status == 6 && part.errors.contains("“f7” is not in version 0"), "\(part.errors)")
            #expect(
                try must("ns", "restore", "recipes", "f7", "--at", "0", "--empty").text.contains(
                    ", 1 changes"))
            #expect(try must("ns", "restore", "recipes", "130").text.contains(", 1 changes"))
        }
        try check()
        let missing = try node.get("/n/recipes@2999/")
        #expect(missing.hasPrefix("HTTP/1.1 404 "), "\(missing)")
        #expect(missing.contains("there is no version 2999; the newest is 132"), "\(missing)")
        #expect(try node.get("/n/recipes@132/").hasPrefix("HTTP/1.1 200 "))
        try node.stop()
        try check()
        #expect(try must("ns", "restore", "recipes", "0", "--empty").text.contains(", 130 changes"))
        #expect(try must("ns", "show", "recipes").text.contains("nodes         0\n"))
        // There is nothing to lose.
        #expect(try must("ns", "restore", "recipes", "0").text.contains(", 0 changes"))
        #expect(try must("ns", "restore", "recipes", "130").text.contains(", 130 changes"))
    }
}
