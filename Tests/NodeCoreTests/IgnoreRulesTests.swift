import Multiformats
import NodeCore
import Testing

@Suite struct IgnoreRulesTests {
    func rules(_ patterns: String...) throws -> IgnoreRules {
        var rules = IgnoreRules()
        for pattern in patterns { try rules.add(pattern: Array(pattern.utf8)) }
        return rules
    }

    func path(_ text: String) -> [[UInt8]] { text.split(separator: "/").map { Array($0.utf8) } }

    @Test(arguments: [
        ("*.o", "a.o", false, true), ("*.o", "dir/a.o", false, true), ("/*.o", "dir/a.o", false, false),
        ("build/", "build", true, true), ("build/", "build", false, false), ("a/b", "a/b", false, true),
        ("a/b", "x/a/b", false, false), ("**/b", "x/a/b", false, true), ("a/**/b", "a/b", false, true),
        ("a/**/b", "a/x/y/b", false, true), ("a/**", "a/x/y", false, true), ("a/**", "a", true, false),
        ("[a-c]?.txt", "b1.txt", false, true), ("[!a-c]?.txt", "b1.txt", false, false),
        ("\\*.txt", "*.txt", false, true), ("\\*.txt", "x.txt", false, false), ("[ab", "[ab", false, true),
        ("*", "anything", false, true), ("a*b*c", "aXbYc", false, true), ("a*b*c", "aXbY", false, false),
    ])
    func patternsMeanWhatTheyMeanInGitignore(
        _ pattern: String, _ name: String, _ isDirectory: Bool, _ ignored: Bool
    ) throws {
        #expect(try rules(pattern).ignores(path(name), isDirectory: isDirectory) == ignored)
    }

    @Test func theLastPatternThatMatchesDecides() throws {
        let rules = try rules("*.log", "!keep.log", "secret/keep.log")
        #expect(rules.ignores(path("x.log"), isDirectory: false))
        #expect(!rules.ignores(path("keep.log"), isDirectory: false))
        #expect(rules.ignores(path("secret/keep.log"), isDirectory: false))
    }

    @Test func hostilePatternsAreLinear() throws {
        let rules = try rules(String(repeating: "*a", count: 2000) + "b")
        #expect(!rules.ignores([Array(repeating: UInt8(ascii: "a"), count: 4000)], isDirectory: false))
        #expect(throws: IgnoreRulesError.patternTooLong(bytes: 5000, maximum: 4096)) {
            try self.rules(String(repeating: "x", count: 5000))
        }
    }
}

@Suite struct ContentReferenceTests {
    static let cid = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"

    @Test func everyFormOfAReferenceIsRead() throws {
        for prefix in ["", "/ipfs/", "ipfs://"] {
            let reference = try ContentReference(Array((prefix + Self.cid + "/a//b/").utf8))
            #expect(reference.path == [Array("a".utf8), Array("b".utf8)])
            guard case .cid(let cid) = reference.root else { throw ContentReferenceError.empty }
            #expect(cid.description == Self.cid)
        }
        #expect(try ContentReference(Array("my pin/x".utf8)).root == .pinName("my pin"))
    }

    @Test(
        arguments: [
            ("recipes:/soups/a b.md", nil, "soups/a b.md"),
            ("recipes:/", nil, ""),
            ("recipes:/soups/a.md@12", "12", "soups/a.md"),
            ("recipes:/@2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z", ""),
            ("recipes:/a@\(cid)", cid, "a"),
            ("recipes@7:/notes@12", "7", "notes@12"),
            ("recipes:/notes@12@", nil, "notes@12"),
            ("recipes:/me@home.txt", nil, "me@home.txt"),
        ] as [(String, String?, String)])
    func placesInNamespacesAreRead(text: String, version: String?, path: String) throws {
        let reference = try ContentReference(Array(text.utf8))
        #expect(reference.root == .namespace("recipes", version: version))
        #expect(reference.path.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/") == path)
    }

    @Test func whatOnlyLooksLikeANamespaceIsNone() throws {
        #expect(try ContentReference(Array("my pin:/x".utf8)).root == .pinName("my pin:"))
        #expect(try ContentReference(Array("a:b/c".utf8)).root == .pinName("a:b"))
        #expect(throws: ContentReferenceError.self) { try ContentReference(Array("recipes:/../x".utf8)) }
    }

    @Test func dotsAndMistypedCIDsAreRefused() {
        #expect(throws: ContentReferenceError.self) {
            try ContentReference(Array((Self.cid + "/../etc").utf8))
        }
        #expect(throws: ContentReferenceError.self) {
            try ContentReference(Array((Self.cid.dropLast() + "0").utf8))
        }
        #expect(throws: ContentReferenceError.empty) { try ContentReference([]) }
    }
}

@Suite struct TextFormTests {
    @Test func byteCountsAndDurationsAreReadAndShown() {
        #expect(
            ByteCount.parse("64MiB") == 64 << 20 && ByteCount.parse("1.5 G") == 3 << 29
                && ByteCount.parse("2kB") == 2000)
        #expect(ByteCount.parse("many") == nil && ByteCount.parse("1XB") == nil)
        #expect(ByteCount.text(1023) == "1023 B" && ByteCount.text(1536) == "1.5 KiB")
        #expect(DurationText.parse("1h30m") == .seconds(5400) && DurationText.parse("0") == .zero)
        #expect(DurationText.parse("1") == nil && DurationText.parse("") == nil)
        #expect(DurationText.short(seconds: 3725) == "1 h 2 min")
    }

    @Test func namesCannotDriveATerminal() {
        #expect(PathText.printable([0x1B, 0x5B, 0x41]) == "\\x1b[A")
        #expect(PathText.printable([0xFF, 0x41]) == "\\xffA")
        #expect(PathText.printable("é\u{202E}x".utf8) == "é\\xe2\\x80\\xaex")
    }
}
