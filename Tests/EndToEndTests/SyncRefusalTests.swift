import Foundation
import Glibc
import TestKit
import Testing

/// What `nacre sync` does not take, and says so.
@Suite struct SyncRefusalTests: SyncSuite {
    let laboratory: SyncLaboratory

    init() throws {
        laboratory = try SyncLaboratory()
    }

    private func folder(_ name: String, _ files: [String]) throws -> String {
        let path = directory.path(name)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for file in files {
            let descriptor = open(path + "/" + file, O_CREAT | O_WRONLY, 0o600)
            try #require(descriptor >= 0)
            #expect(Glibc.write(descriptor, file, file.utf8.count) == file.utf8.count)
            close(descriptor)
        }
        return path
    }

    /// The keys of the node went into a namespace, and each change of its catalog was a new version.
    @Test func aFolderWithTheNodesOwnDataIsRefused() throws {
        for place in ["data", "home", "data/blocks", "."] {
            let path = directory.path(place)
            let outcome = try nacre.run("sync", path, "own", "--once")
            #expect(outcome.status == 6 && outcome.errors.contains("keeps its own data"), "\(place)")
        }
        #expect(try nacre.run("ns", "show", "own").status == 4, "no namespace was made for it")
        try node.stop()
    }

    private func bytesOfNames(_ path: String) throws -> [[UInt8]] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { $0 != ".nacre" }
            .map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Two names that are one elsewhere: one of the files was left out, and its folder never came to rest.
    @Test func ofTwoUnicodeFormsOneGetsAnotherNameOnAllMachines() throws {
        let (composed, decomposed) = ("\u{E9}.txt", "e\u{301}.txt")
        let path = try folder("twins", [composed, decomposed, "plain"])
        let first = try nacre.run("sync", path, "twins", "--once")
        #expect(first.status == 0 && first.text.hasPrefix("settled: 3 sent"), "\(first.text) \(first.errors)")
        let here = try bytesOfNames(path)
        #expect(here.count == 3 && here.contains(Array(composed.utf8)) && here.contains(Array("plain".utf8)))
        let copy = try #require(here.map { String(decoding: $0, as: UTF8.self) }.first { $0.contains("(") })
        #expect(Array(copy.utf8).starts(with: Array("e\u{301} (unicode conflict ".utf8)))
        #expect(try String(contentsOfFile: path + "/" + composed, encoding: .utf8) == composed)
        let listed = try nacre.run("sync", "conflicts", path)
        #expect(listed.text.contains("unicode conflict"), "\(listed.text)")
        let other = directory.path("other")
        #expect(try nacre.run("sync", other, "twins", "--once").status == 0)
        #expect(try bytesOfNames(other) == here)
        // The one that was renamed is the one to keep: it takes the place, and there is no second conflict.
        let resolved = try nacre.run("sync", "resolve", path + "/" + copy, "--keep", "copy")
        #expect(resolved.lines.map { Array($0.utf8) } == [Array((path + "/" + composed).utf8)])
        for folder in [path, other] { #expect(try nacre.run("sync", folder, "--once").status == 0) }
        #expect(try bytesOfNames(other) == [Array("plain".utf8), Array(composed.utf8)])
        let text = try String(contentsOfFile: other + "/" + composed, encoding: .utf8)
        #expect(Array(text.utf8) == Array(decomposed.utf8))
        try node.stop()
    }

    /// Nobody is asked to do anything about a pipe.
    @Test func whatIsNoFileIsNamedAndNotWaitedFor() throws {
        let path = try folder("special", ["plain"])
        _ = try self.folder("special/d", ["in"])
        #expect(mkfifo(path + "/d/pipe", 0o600) == 0)
        var kinds = ["d/pipe"]
        // Only root makes devices; 0x103 is that of /dev/null.
        if mknod(path + "/device", S_IFCHR | 0o600, 0x103) == 0 { kinds.append("device") }
        let outcome = try nacre.run("sync", path, "special", "--once")
        #expect(outcome.status == 0 && outcome.text.hasPrefix("settled: 2 sent"), "\(outcome.text)")
        for kind in kinds {
            let text = "`\(kind)` is no file, directory or symlink: it is left out"
            #expect(outcome.errors.contains(text), "\(outcome.errors)")
        }
        // As `status` of a folder that is being synced has it.
        let report = try nacre.run("sync", path, "--once", "--json")
        #expect(report.status == 0 && report.text.contains("\"pending\":0"), "\(report.text)")
        for kind in kinds { #expect(report.text.contains("\"path\":\"\(kind)\""), "\(report.text)") }
        let status = try must("sync", "status").text
        #expect(status.contains("not-running; "), "\(status)")
        for kind in kinds { #expect(status.contains("  \(kind): `\(kind)` is no file"), "\(status)") }
        try node.stop()
    }

    @Test func aNameThatIsNoTextIsSaidToBeSo() throws {
        let path = try folder("bytes", ["plain"])
        _ = try self.folder("bytes/d", ["in"])
        let bad = Array((path + "/d/").utf8CString.dropLast()) + [-1, -2, 0]
        let descriptor = open(bad, O_CREAT | O_WRONLY, 0o600)
        #expect(descriptor >= 0)
        close(descriptor)
        let outcome = try nacre.run("sync", path, "bytes", "--once")
        #expect(outcome.status == 3 && outcome.text.hasPrefix("waiting: 2 sent"), "\(outcome.text)")
        let text = "a name in `d` is not text (UTF-8): what has it is not synced until it is renamed"
        #expect(outcome.errors.contains(text), "\(outcome.errors)")
        #expect(rename(bad, path + "/d/good") == 0)
        let after = try nacre.run("sync", path, "--once")
        #expect(after.status == 0 && after.text.hasPrefix("settled: 1 sent"), "\(after.text) \(after.errors)")
        try node.stop()
    }

    @Test func aWrongModeChangesNothing() throws {
        let path = try folder("modes", ["a"])
        #expect(try nacre.run("sync", path, "modes", "--once").status == 0)
        #expect(try nacre.run("sync", path, "modes", "--mode", "wrong", "--once").status == 2)
        #expect(try nacre.run("sync", path, "modes", "--once").status == 0)
        try node.stop()
    }

    @Test(arguments: ["", "/", "/etc", "../up", "a/../../up", ".", ".nacre/trash"])
    func aSelectionThatIsNoPathWithinTheFolderIsRefused(path: String) throws {
        let folder = try folder("selected", ["a"])
        let outcome = try nacre.run("sync", folder, "selected", "--only", path, "--once")
        #expect(outcome.status == 2 && outcome.errors.contains("relative to the folder"), "\(outcome.errors)")
        #expect(try nacre.run("ns", "show", "selected").status == 4, "no namespace was made for it")
        try node.stop()
    }

    @Test func whatIsMistypedIsNotMade() throws {
        let path = try folder("typos", ["a"])
        let file = try nacre.run("sync", path + "/a", "typos", "--once")
        #expect(file.status == 2 && file.errors.contains("a is no directory"), "\(file.errors)")
        let nothing = try nacre.run("sync", directory.path("typo"), "tpyos", "--once")
        #expect(nothing.status == 4 && nothing.errors.contains("--create makes both"), "\(nothing.errors)")
        #expect(!FileManager.default.fileExists(atPath: directory.path("typo")))
        let source = try nacre.run("sync", path, "tpyos", "--mode", "pull-only", "--once")
        #expect(source.status == 4 && source.errors.contains("no namespace tpyos to receive from"))
        for name in ["typos", "tpyos"] { #expect(try nacre.run("ns", "show", name).status == 4) }
        #expect(try nacre.run("sync", directory.path("new/one"), "new", "--create", "--once").status == 0)
        #expect(try nacre.run("sync", directory.path("other/copy"), "new", "--once").status == 0)
        #expect(FileManager.default.fileExists(atPath: directory.path("other/copy")))
        try node.stop()
    }

    /// What was left out counted as not done, for ever.
    @Test func aSelectionIsSettledAndMayChange() throws {
        let whole = try folder("whole", ["notes"])
        for part in ["soups", "cakes"] { _ = try self.folder("whole/" + part, ["a", "b"]) }
        #expect(try nacre.run("sync", whole, "parts", "--once").status == 0)
        let part = directory.path("part")
        func files() -> [String] {
            let all = FileManager.default.enumerator(atPath: part)?.compactMap { $0 as? String } ?? []
            return all.filter { !$0.hasPrefix(".nacre") }.sorted()
        }
        let first = try nacre.run("sync", part, "parts", "--only", "soups/", "--only", "soap", "--once")
        #expect(first.status == 0 && first.text.contains("settled"), "\(first.text) \(first.errors)")
        #expect(first.errors.contains("there is no soap in parts"))
        #expect(files() == ["soups", "soups/a", "soups/b"])
        #expect(try nacre.run("sync", part, "--only", "cakes", "--once").status == 0)
        try FileManager.default.removeItem(atPath: part + "/soups")
        #expect(try nacre.run("sync", part, "--once").text.hasPrefix("settled: 0 sent, 0 received"))
        #expect(try nacre.run("sync", part, "--all", "--once").status == 0)
        #expect(files() == ["cakes", "cakes/a", "cakes/b", "notes", "soups", "soups/a", "soups/b"])
        #expect(try nacre.run("sync", whole, "--once").text.hasPrefix("settled: 0 sent, 0 received"))
        try node.stop()
    }

    @Test func nothingIsWrittenIntoADirectoryThatIsNotSynced() throws {
        let path = try folder("other", ["a"])
        let outcome = try nacre.run("sync", "ignore", path, "*.tmp")
        #expect(outcome.status == 4 && outcome.errors.contains("is not synced"))
        #expect(!FileManager.default.fileExists(atPath: path + "/.syncignore"))
        try node.stop()
    }

    /// The namespace was made before the folder was looked at, and stayed.
    @Test func aFolderOfAnotherHomeMakesNoNamespace() throws {
        let path = try folder("mine", ["a"])
        #expect(try other.run("sync", path, "mine", "--once").status == 0)
        let refused = try nacre.run("sync", path, "typoed", "--once")
        #expect(refused.status == 1 && refused.errors.contains("another folder"), "\(refused.errors)")
        #expect(try nacre.run("ns", "show", "typoed").status == 4)
        #expect(try nacre.run("sync", "status").text.isEmpty)
        try node.stop()
    }

    @Test func aFolderThatWentAwayCanBeTakenOffTheList() throws {
        let path = try folder("gone", ["a"])
        #expect(try nacre.run("sync", path, "gone", "--once").status == 0)
        try FileManager.default.moveItem(atPath: path, toPath: path + "2")
        let moved = try nacre.run("sync", path + "2", "gone", "--once")
        #expect(moved.status == 1 && moved.errors.contains("remove `.nacre/folder` here"), "\(moved.errors)")
        #expect(try nacre.run("sync", "rm", path).status == 0)
        #expect(try nacre.run("sync", "rm", path).status == 4)
        try node.stop()
    }
}
