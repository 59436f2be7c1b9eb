import Foundation
import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

/// What scripts rely on: JSON, exit codes, pages, refusals.
@Suite struct ContractTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    @Test func everyVerbThatPrintsDataPrintsJSON() throws {
        try directory.write([1, 2, 3], to: "tree/a")
        try directory.write([4], to: "tree/b")
        let tree = directory.path("tree")
        let root = try #require(try nacre.run("add", "-Q", tree).lines.last)
        let car = directory.path("tree.car")
        #expect(try nacre.run("car", "export", root, "-o", car).status == 0)
        let commands: [([String], [String], ClosedRange<Int>)] = [
            (["add", tree], ["cid", "name", "type", "bytes"], 3...3),
            (["ls", root], ["name", "cid", "type", "bytes"], 2...2),
            (["stat", root], ["cid", "type", "codec"], 1...1),
            (["stat", "--deep", root + "/a"], ["cid", "bytes", "dagBlocks"], 1...1),
            (["pin", "add", "--name", "second", root], ["cid", "status", "visibility"], 1...1),
            (["pin", "ls"], ["id", "cid", "name", "status", "created"], 2...2),
            (["pin", "wait", "second"], ["cid", "status"], 1...1),
            (["pin", "unpublish", "second"], ["cid", "visibility"], 1...1),
            (["pin", "publish", "second"], ["cid", "visibility"], 1...1),
            (["pin", "rm", "second"], ["cid"], 1...1),
            (["block", "stat", root], ["cid", "bytes"], 1...1),
            (["block", "put", directory.path("tree/a")], ["cid", "bytes"], 1...1),
            (["dag", "stat", root], ["cid", "blocks", "bytes"], 1...1),
            (["car", "import", car], ["root", "status", "blocks", "missingBlocks"], 1...1),
            (["car", "ls", car], ["cid", "bytes", "offset"], 3...3),
            (["car", "verify", car], ["version", "roots", "blocks"], 1...1),
            (["cid", "inspect", root], ["cid", "codec", "hash", "cidV1"], 1...1),
            (["cid", "format", root], ["given", "cid"], 1...1),
            (["cid", "bases"], ["prefix", "name"], 10...100),
            (["cid", "codecs"], ["code", "name"], 10...1000),
            (["cid", "hashes"], ["code", "name"], 10...100),
            (["verify"], [], 1...1), (["gc", "--dry-run", "--list", "--grace", "0"], [], 1...3),
            (["stats"], ["blocks", "pins", "packs"], 1...1),
            (["config", "show"], ["key", "value", "origin"], 5...100),
        ]
        for (arguments, keys, count) in commands {
            let outcome = try nacre.run(arguments + ["--json"])
            #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
            let rows = try outcome.objects()
            #expect(count.contains(rows.count), "\(arguments): \(outcome.text)")
            for row in rows { #expect(keys.allSatisfy { row[$0] != nil }, "\(arguments): \(row)") }
        }
        let stored = try nacre.run(["dag", "put", "--json"], input: Array("[1]".utf8))
        #expect(try stored.objects().first?["cid"] is String)
    }

    @Test func everyExitCodeMeansWhatTheHelpSays() throws {
        try directory.write([1, 2, 3], to: "file")
        let file = directory.path("file")
        let root = try #require(try nacre.run("add", "-Q", file).lines.last)
        let absent = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
        #expect(try nacre.run("cat", root).status == 0)
        #expect(try nacre.run("dag", "get", "--output-codec", "dag-pb", root).status == 1)
        #expect(try nacre.run("cat").status == 2)
        #expect(try nacre.run("ls", root, "--limit", "0").status == 2)
        #expect(try nacre.run("add", file, directory.path("nothing")).status == 3)
        #expect(try nacre.run("cat", absent).status == 4)
        #expect(try nacre.run("cat", "no such pin").status == 4)
        #expect(try NacreProcess(data: directory.path("none")).run("ls", root).status == 4)
        #expect(!FileManager.default.fileExists(atPath: directory.path("none")), "reading makes no directory")
        try directory.write([9], to: "taken")
        #expect(try nacre.run("get", root, "-o", directory.path("taken")).status == 6)
        // 7 and 130 have tests of their own where they arise; here is what the help says.
        let help = try nacre.run("--help").text
        for text in [
            "0 done", "1 failed", "2 wrong usage", "3 partly done", "4 not found", "7 damaged",
            "130 interrupted",
        ] {
            #expect(help.contains(text), "\(text)")
        }
    }

    @Test(.enabled(if: getuid() == 0, "only root can run a program as somebody else"))
    func whatTheSystemForbidsIsStatusFive() throws {
        // Somebody who may write in one folder and not beside it.
        chmod(directory.path, 0o755)
        try FileManager.default.createDirectory(
            atPath: directory.path("own"), withIntermediateDirectories: true)
        chmod(directory.path("own"), 0o777)
        func asNobody(_ arguments: String...) throws -> (status: Int32, output: String) {
            try Tool.run(
                [
                    "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                    NacreProcess.executable.path, "--data", directory.path("own/data"),
                ] + arguments)
        }
        try directory.write([1, 2, 3], to: "file")
        let added = try asNobody("add", "-Q", directory.path("file"))
        try #require(added.status == 0, "\(added.output)")
        let root = added.output.trimmingCharacters(in: .newlines)
        let refused = try asNobody("car", "export", root, "-o", directory.path("out.car"))
        #expect(refused.status == 5, "\(refused.output)")
        #expect(
            refused.output.contains("out.car") && refused.output.contains("ermission"), "\(refused.output)")
    }

    @Test(arguments: [nil, 1000] as [Int?])
    func aDirectoryOfTwentyThousandEntriesIsListedByPage(hamtThreshold: Int?) throws {
        var dag = HandmadeDAG()
        let leaf = dag.file("x")
        var parameters = ImportParameters.unixfsV1_2025
        parameters.directory.hamtThreshold = hamtThreshold
        var builder = DirectoryBuilder(parameters: parameters)
        let names = (0..<20_000).map { "entry-\($0)" }
        for name in names { try builder.add(name: Array(name.utf8), cid: leaf, dagBytes: 1) }
        var blocks = dag.blocks
        let root = try builder.finish { blocks.append($0) }
        #expect(root.isSharded == (hamtThreshold != nil))
        let imported = try nacre.run(
            ["car", "import", "-"], input: try HandmadeDAG.car(roots: [root.cid], blocks))
        try #require(imported.status == 0, "\(imported.errors)")

        let whole = try nacre.run("ls", "--fast", root.cid.description)
        #expect(whole.status == 0)
        #expect(Set(whole.lines.map { $0.split(separator: " ")[1] }) == Set(names.map { Substring($0) }))
        #expect(whole.lines.count == names.count)
        var paged: [String] = []
        var after: [String] = []
        for page in 0..<3 {
            let part = try nacre.run(["ls", "--fast", "--limit", "9000", root.cid.description] + after)
            #expect(part.lines.count == (page < 2 ? 9000 : 2000))
            paged += part.lines
            guard page < 2 else {
                #expect(part.errors.isEmpty, "\(part.errors)")
                break
            }
            let note = try #require(part.errors.split(separator: "\n").last { $0.contains("--after ") })
            after = ["--after", try #require(note.split(separator: " ").last.map(String.init))]
        }
        #expect(paged == whole.lines, "pages are the listing, cut")
        let one = try nacre.run("ls", root.cid.description + "/entry-12345")
        #expect(one.lines == ["\(leaf) 1 entry-12345"])
        for cursor in ["nonsense", "1", "entry-1"] {
            #expect(try nacre.run("ls", root.cid.description, "--after", cursor).status != 0)
        }
        let asJSON = try nacre.run("ls", "--json", "--fast", "--limit", "9000", root.cid.description)
        let rows = try asJSON.objects()
        #expect(rows.count == 9001 && asJSON.errors.isEmpty)
        let next = try #require(rows.last?["next"] as? String)
        let second = try nacre.run("ls", "--fast", "--limit", "9000", root.cid.description, "--after", next)
        #expect(second.lines == Array(whole.lines[9000..<18_000]))
    }

    @Test func namesThatAreNoTextAreInHexBesideTheirJSON() throws {
        var dag = HandmadeDAG()
        let leaf = dag.file("x")
        let names: [[UInt8]] = [Array("line\nbreak".utf8), [0xFF, 0x41]]
        let root = dag.directory(names.map { (name: $0, cid: leaf) })
        _ = try nacre.run(["car", "import", "-"], input: try dag.car(roots: [root]))
        let rows = try nacre.run("ls", "--json", root.description).objects()
        #expect(rows.map { $0["name"] as? String } == ["line\nbreak", "\\xffA"])
        #expect(rows.map { $0["nameHex"] as? String } == [nil, "ff41"])
    }

    @Test func statSaysWhatACIDIs() throws {
        var dag = HandmadeDAG()
        let file = dag.file(
            "content", UnixFSMetadata(mode: 0o640, mtime: UnixFSTime(seconds: 0, nanoseconds: 5)))
        let link = dag.symlink("else\nwhere")
        let root = dag.directory([("file", file), ("link", link)])
        _ = try nacre.run(["car", "import", "-"], input: try dag.car(roots: [root]))
        let lines = try nacre.run("stat", root.description + "/file").text
        #expect(
            lines.contains("0640") && lines.contains("7 bytes") && lines.contains("1970-01-01"), "\(lines)")
        let shown = try nacre.run("stat", root.description + "/link").text
        #expect(shown.contains("symlink") && shown.contains("else\\x0awhere"), "\(shown)")
        let deep = try #require(try nacre.run("stat", "--json", "--deep", root.description).objects().first)
        #expect(deep["dagBlocks"] as? Int == 3 && deep["type"] as? String == "directory")
        let raw = try nacre.run("stat", "--json", "bafkqaaa").objects().first
        #expect(raw?["bytes"] as? Int == 0)
    }
}
