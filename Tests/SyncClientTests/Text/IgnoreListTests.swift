import Foundation
import Testing

@testable import SyncClient

@Suite struct IgnoreListTests {
    @Test(arguments: [
        ("*.o", "a.o", true), ("*.o", "deep/down/a.o", true), ("*.o", "a.oo", false), ("*.o", ".o", true),
        ("/a", "a", true), ("/a", "b/a", false), ("b/a", "b/a", true), ("b/a", "c/b/a", false),
        ("**/b/a", "c/d/b/a", true), ("**/b/a", "b/a", true), ("a/**/z", "a/z", true),
        ("a/**/z", "a/b/c/z", true),
        ("a/**", "a", false), ("a/**", "a/b", true), ("a?c", "abc", true), ("a?c", "aöc", true),
        ("a?c", "a/c", false),
        ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false), ("[!a-c]x", "dx", true), ("[x", "[x", true),
        ("[]a]", "]", true), ("\\*", "*", true), ("\\*", "x", false), ("\\#x", "#x", true),
        ("#x", "#x", false),
        ("(?i)README", "readme", true), ("(?i)README", "ReadMe", true), ("README", "readme", false),
        ("x ", "x", true), ("x\\ ", "x ", true), ("a*b*c", "aXbYc", true), ("a*b*c", "aXcYb", false),
        ("ä*", "äpfel", true), ("**", "a", true), ("*", "a/b", true), ("", "a", false), ("/", "a", false),
        ("a//b", "a/b", true), ("!a", "a", false),
    ])
    func matches(pattern: String, path: String, expected: Bool) {
        #expect(IgnoreList(text: pattern).ignores(path, isDirectory: false) == expected)
    }

    @Test func theLastPatternDecides() {
        let list = IgnoreList(text: "*.log\r\n!keep.log\n\n# a comment\nsub/keep.log\nbuild/")
        #expect(list.ignores("a.log", isDirectory: false))
        #expect(!list.ignores("keep.log", isDirectory: false))
        #expect(list.ignores("sub/keep.log", isDirectory: false))
        #expect(list.ignores("build", isDirectory: true))
        #expect(!list.ignores("build", isDirectory: false))
    }

    @Test func defaultsAreWhatEditorsLeaveBehind() {
        let list = IgnoreList.defaults
        for name in [
            ".DS_Store", "a/.DS_Store", "THUMBS.DB", "text~", ".text.swp", ".#text", "#text#",
            "~$report.docx",
            ".~lock.report.odt#", ".goutputstream-AB12", "a/film.crdownload", "._text",
        ] {
            #expect(list.ignores(name, isDirectory: false), "\(name)")
        }
        for name in [
            "text", "a.swift", "#1 hit.mp3", "swp", ".gitignore", "Thumbs", "price~list", "49130",
            ".syncignore", "4913", "film.part",
        ] {
            #expect(!list.ignores(name, isDirectory: false), "\(name)")
        }
        // Somebody's directory, with what is in it, is not what an editor leaves behind.
        for name in ["old~", "~$", "._hidden", ".#a", "x.crdownload"] {
            #expect(!list.ignores(name, isDirectory: true), "\(name)")
        }
        #expect(list.ignores(".Trash-1000", isDirectory: true))
        #expect(list.problems.isEmpty)
    }

    /// Rules are passed over by the ends of a name; as classes of one character they are not, and match the same.
    @Test(arguments: 0..<64) func whatIsPassedOverWouldNotHaveMatched(seed: UInt64) {
        var random = LocalRandom(seed: seed)
        let letters = Array("abA.~K\u{212A}é/")
        func text(_ more: String, _ count: Int) -> String {
            let all = letters + Array(more)
            return String(
                (0..<Int.random(in: 1...count, using: &random)).map { _ in
                    all[Int.random(in: 0..<all.count, using: &random)]
                })
        }
        for _ in 0..<200 {
            let pattern = text("**?", 6)
            let classes = pattern.map { "*?/".contains($0) ? String($0) : "[\($0)]" }.joined()
            for front in ["", "(?i)"] {
                let (plain, looked) = (IgnoreList(text: front + pattern), IgnoreList(text: front + classes))
                for _ in 0..<20 {
                    let path = text("", 5) + ["a", "K", "~", "."][Int(random.next() % 4)]
                    #expect(
                        plain.ignores(path, isDirectory: true) == looked.ignores(path, isDirectory: true),
                        "\(front + pattern) of \(path)")
                }
            }
        }
    }

    @Test func saysWhichLinesItLeftOut() {
        let list = IgnoreList(text: "a\n" + String(repeating: "x", count: 5000) + "\nb")
        #expect(list.problems == [IgnoreList.Problem(line: 2, reason: .tooLong)])
        #expect(list.ignores("b", isDirectory: false))
        let many = IgnoreList(text: (0...10_000).map { "f\($0)\n" }.joined())
        #expect(many.problems == [IgnoreList.Problem(line: 10_001, reason: .tooMany)])
    }

    @Test func noPatternMakesItSlow() {
        let list = IgnoreList(
            text: String(repeating: "*a", count: 100) + "b\n" + String(repeating: "**/a/", count: 50))
        let start = ContinuousClock.now
        #expect(!list.ignores(String(repeating: "a", count: 1000), isDirectory: false))
        #expect(!list.ignores(String(repeating: "a/", count: 500) + "c", isDirectory: false))
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test func rulesOfAFolderJoinListsAndSelection() throws {
        let scratch = try ScratchFolder()
        try scratch.write("*.tmp\nsecret/\n.syncignore\n", ".syncignore")
        let disk = try DiskFolder(scratch.path)
        let rules = try FolderRules(
            of: disk, local: "!mine.tmp\n*.iso", selected: ["docs/2026/", "/top.txt"])
        for (path, isDirectory, expected) in [
            ("docs", true, false), ("docs", false, true), ("docs/2026", true, false),
            ("docs/2026/a", false, false),
            ("docs/2025", true, true), ("docs/2026x", true, true), ("top.txt", false, false),
            ("other", false, true),
            ("docs/2026/x.tmp", false, true), ("docs/2026/mine.tmp", false, false),
            ("docs/2026/x.iso", false, true),
            ("docs/2026/secret", true, true), (".syncignore", false, false),
        ] {
            #expect(rules.isExcluded(path, isDirectory: isDirectory) == expected, "\(path)")
        }
        #expect(!FolderRules().isExcluded("any/thing", isDirectory: false))
        // What another synced folder has of its own, whatever the lists say.
        let own = FolderRules(shared: "!.nacre/", selected: ["pub"])
        #expect(own.isExcluded("pub/notes/.nacre", isDirectory: true))
        #expect(!own.isExcluded("pub/notes/.nacre", isDirectory: false))
        #expect(!own.isExcluded("pub/not.nacre", isDirectory: true))
        // A slash and the combining mark behind it are one character, and two of a path.
        let marked = FolderRules(selected: ["/d//\u{301}m/"])
        #expect(!marked.isExcluded("d/\u{301}m/x", isDirectory: false))
        #expect(!marked.isExcluded("d", isDirectory: true) && marked.isExcluded("d/x", isDirectory: false))
        try scratch.remove(".syncignore")
        #expect(try !FolderRules(of: disk).isExcluded("x.tmp", isDirectory: false))
    }
}
