import Foundation
import TestKit
import Testing

/// What a person sees of devices and namespaces: the real program against a node that runs.
@Suite struct SyncVerbTests: SyncSuite {
    let laboratory: SyncLaboratory

    init() throws {
        laboratory = try SyncLaboratory()
    }

    private func folder(_ name: String) throws -> String {
        let path = directory.path(name)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data("one".utf8).write(to: URL(fileURLWithPath: path + "/a.txt"))
        return path
    }

    @Test func aMachineIsListedRenamedAndShutOut() throws {
        let folder = try folder("Recipes")
        _ = try must("sync", folder, "recipes", "--once", "--device-name", "Pantry")
        #expect(try must("sync", "devices").text.contains(" Pantry seen "))
        let listed = try #require(try must("sync", "devices").lines.first)
        let id = String(listed.split(separator: " ")[0])
        #expect(listed.contains(" seen "))
        _ = try must("sync", "devices", "rename", id, "Kitchen table")
        let line = try must("sync", "devices", "ls").text
        #expect(line.contains("\(id) Kitchen table seen ") && line.hasSuffix(", linux\n"), "\(line)")
        _ = try must("sync", folder, "--once", "--device-name", "Cellar")
        #expect(try must("sync", "devices").text.contains("\(id) Cellar seen "))
        _ = try must("sync", "devices", "rename", id, "Kitchen table")
        let json = try must("sync", "devices", "ls", "--json").text
        #expect(json.contains("\"name\":\"Kitchen table\"") && json.contains("\"platform\":\"linux\""))
        let status = try must("ns", "status").text
        #expect(status.contains("recipes 1 1 3") && status.contains("Kitchen table"))
        #expect(status.contains("block cache"))
        #expect(try nacre.run("ns", "status", "nosuch").status == 4)
        #expect(try must("ns", "conflicts", "recipes", "--all").text.isEmpty)
        #expect(try nacre.run("ns", "conflicts", "nosuch").status == 4)
        #expect(try nacre.run("ns", "conflicts", "recipes", "--keep", "mine").status == 2)
        _ = try must("sync", "devices", "rm", "Kitchen table")
        #expect(try must("sync", "devices").text.contains("removed"))
        let refused = try nacre.run("sync", folder, "--once")
        #expect(refused.status == 1 && refused.errors.contains("removed on the node"), "\(refused.errors)")
        #expect(refused.errors.contains("nacre sync devices renew"), "\(refused.errors)")
        #expect(try nacre.run("sync", "devices", "rm", "nosuch").status == 4)
        // Let in again, it is another machine, and knows what it knew: what went meanwhile is not brought back.
        _ = try must("ns", "restore", "recipes", "0", "--empty")
        let renewed = try must("sync", "devices", "renew").text.trimmingCharacters(in: .newlines)
        #expect(renewed != id && !renewed.isEmpty)
        let again = try must("sync", folder, "--once")
        #expect(again.text.contains("settled"), "\(again.text)")
        #expect(!FileManager.default.fileExists(atPath: folder + "/a.txt"))
        #expect(try must("sync", "devices").text.contains(renewed))
        try node.stop()
    }

    @Test func textsThatTwoMachinesChangedAreMergedWhereTheNamespaceSaysSo() throws {
        let (first, second) = (directory.path("one"), directory.path("two"))
        for path in [first, second] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        let lines = (0..<20).map { "line \($0)\n" }
        func write(_ change: (inout [String]) -> Void, in folder: String) throws {
            var text = lines
            change(&text)
            try Data(text.joined().utf8).write(to: URL(fileURLWithPath: folder + "/a.txt"))
        }
        try write({ _ in }, in: first)
        _ = try must("sync", first, "texts", "--once")
        #expect(try must("ns", "policy", "texts", "--merge", "lines").text.contains("merge         lines"))
        #expect(try other.run("sync", second, "texts", "--once").status == 0)
        try write({ $0[2] = "two\n" }, in: first)
        try write({ $0[17] = "seventeen\n" }, in: second)
        _ = try must("sync", first, "--once")
        let merged = try other.run("sync", second, "--once")
        #expect(merged.errors.contains("a.txt was changed on both sides: it has both changes"))
        _ = try must("sync", first, "--once")
        var both = lines
        (both[2], both[17]) = ("two\n", "seventeen\n")
        for folder in [first, second] {
            #expect(try String(contentsOfFile: folder + "/a.txt", encoding: .utf8) == both.joined())
        }
        try node.stop()
    }

    /// What a decision takes away may not have been sent yet: it is in the trash.
    @Test(arguments: ["copy", "file", "both"]) func whatADecisionRemovesIsInTheTrash(keep: String) throws {
        let folder = try folder("Recipes")
        _ = try must("sync", folder, "recipes", "--once")
        let sub = folder + "/soups"
        try FileManager.default.createDirectory(atPath: sub, withIntermediateDirectories: true)
        let (file, copy) = (sub + "/a.txt", sub + "/a (conflict 2026-11-21 1925 laptop).txt")
        try Data("file".utf8).write(to: URL(fileURLWithPath: file))
        try Data("copy".utf8).write(to: URL(fileURLWithPath: copy))
        let left = try #require(try must("sync", "resolve", copy, "--keep", keep).lines.first)
        #expect(left == (keep == "both" ? sub + "/a 2.txt" : file))
        #expect(!FileManager.default.fileExists(atPath: copy))
        func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
        #expect(text(file) == (keep == "copy" ? "copy" : "file"))
        #expect(text(left) == (keep == "file" ? "file" : "copy"))
        let trash = folder + "/.nacre/trash"
        let removed = FileManager.default.enumerator(atPath: trash)?.compactMap { $0 as? String } ?? []
        let texts = removed.compactMap { text(trash + "/" + $0) }
        #expect(texts == (keep == "both" ? [] : [keep == "copy" ? "file" : "copy"]))
        #expect(try nacre.run("sync", "resolve", copy, "--keep", keep).status == 4)
        #expect(try nacre.run("sync", "resolve", file, "--keep", keep).status == 2)
        try node.stop()
    }

    /// The copy took a name beside the one that stood in its way, and there was the same conflict again.
    @Test func aCopyTakesThePlaceOfANameThatDiffersByCase() throws {
        let folder = try folder("Recipes")
        let (file, copy) = (folder + "/Soup.txt", folder + "/soup (case conflict 2026-11-21 1925 laptop).txt")
        try Data("file".utf8).write(to: URL(fileURLWithPath: file))
        try Data("copy".utf8).write(to: URL(fileURLWithPath: copy))
        _ = try must("sync", folder, "recipes", "--once")
        #expect(try must("sync", "resolve", copy, "--keep", "copy").lines == [file])
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "copy")
        let after = try must("sync", folder, "--once")
        #expect(after.text.hasPrefix("settled") && !after.text.contains("conflict"), "\(after.text)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
            $0.hasSuffix(".txt")
        }
        #expect(names.sorted() == ["Soup.txt", "a.txt"])
        try node.stop()
    }

    /// The directory went to the trash, with everything in it.
    @Test func aCopyDoesNotTakeThePlaceOfADirectory() throws {
        let folder = try folder("Recipes")
        _ = try must("sync", folder, "recipes", "--once")
        let (name, copy) = (folder + "/soup", folder + "/soup (conflict 2026-11-21 1925 laptop)")
        try FileManager.default.createDirectory(atPath: name, withIntermediateDirectories: true)
        try Data("leek".utf8).write(to: URL(fileURLWithPath: name + "/leek"))
        try Data("copy".utf8).write(to: URL(fileURLWithPath: copy))
        let refused = try nacre.run("sync", "resolve", copy, "--keep", "copy")
        #expect(refused.status == 6 && refused.errors.contains("is a directory by now"), "\(refused.errors)")
        #expect(try String(contentsOfFile: name + "/leek", encoding: .utf8) == "leek")
        #expect(try must("sync", "resolve", copy, "--keep", "both").lines == [folder + "/soup 2"])
        try node.stop()
    }

    @Test func aFileIsLockedAndUnlocked() throws {
        let folder = try folder("Recipes")
        _ = try must("sync", folder, "recipes", "--once")
        let locked = try must("sync", "lock", folder + "/a.txt", "--minutes", "5")
        #expect(locked.errors.contains("a.txt is locked for 5 min"))
        for verb in [["lock"], ["resolve", "--keep", "copy"]] {
            let missing = try nacre.run(["sync"] + verb + [folder + "/none"])
            #expect(missing.status == 4 && missing.errors.contains("there is no file"), "\(missing.errors)")
        }
        let status = try must("ns", "status").text
        #expect(status.contains("works on") && status.contains("(exclusive, 5 min)"), "\(status)")
        // Another machine cannot change it, and says why.
        let copy = directory.path("copy")
        #expect(try other.run("sync", copy, "recipes", "--once").status == 0)
        try Data("two!".utf8).write(to: URL(fileURLWithPath: copy + "/a.txt"))
        let refused = try other.run("sync", copy, "--once")
        #expect(refused.status == 3 && refused.errors.contains("works on it"), "\(refused.errors)")
        #expect(try other.run("sync", "unlock", copy + "/a.txt").errors.contains("is not locked by this"))
        #expect(try nacre.run("sync", "lock", directory.path).status == 4)
        #expect(try nacre.run("sync", "lock", folder + "/a.txt", "--minutes", "61").status == 2)
        try node.stop()
    }

    /// Paths were taken apart by letters: a name that begins with a combining mark was one with its folder,
    /// and of two folders whose names differ by Unicode form the first was taken.
    @Test func pathsAreTakenApartByBytes() throws {
        let (composed, decomposed) = ("\u{e9}clairs", "e\u{301}clairs")
        for (name, namespace) in [(composed, "first"), (decomposed, "second")] {
            let path = try folder(name)
            try FileManager.default.createDirectory(
                atPath: path + "/d/\u{301}m", withIntermediateDirectories: true)
            for file in ["d/\u{301}m/a.txt", "d/b.txt"] {
                try Data(namespace.utf8).write(to: URL(fileURLWithPath: path + "/" + file))
            }
            let once = try must("sync", path, namespace, "--once", "--only", "d/\u{301}m")
            #expect(once.text.hasPrefix("settled: 1 sent"), "\(once.text)")
        }
        let file = directory.path(decomposed) + "/d/\u{301}m/a.txt"
        #expect(try must("sync", "lock", file).errors.contains("is locked for 60 min"))
        #expect(try must("ns", "status", "second").text.contains("works on /d/\u{301}m/a.txt"))
        #expect(try !must("ns", "status", "first").text.contains("works on"))
        #expect(try must("cat", "second:/d/\u{301}m/a.txt").text == "second")
        #expect(try must("ns", "log", "second", "d/\u{301}m").text.contains("create"))
        // The one that is meant is taken off the list.
        #expect(try must("sync", "rm", directory.path(decomposed)).status == 0)
        let left = try must("sync", "status").text
        #expect(left.contains("first") && !left.contains("second"), "\(left)")
        try node.stop()
    }
}
