import Foundation
import Glibc
import TestKit
import Testing

/// What waits in a folder, for what, and what a person answers: the real program, with a daemon and without.
@Suite struct SyncOpenItemsTests: SyncSuite {
    let laboratory: SyncLaboratory
    private let one: String
    private let two: String

    init() throws {
        laboratory = try SyncLaboratory()
        (one, two) = (laboratory.directory.path("one"), laboratory.directory.path("two"))
    }

    private struct Report: Decodable {
        struct Item: Decodable {
            let path: String
            let code: String
        }
        struct Conflict: Decodable {
            let path: String
            let original: String
            let since: String?
            let command: String
        }
        struct Counters: Decodable {
            let uploaded: Int
            let removedHere: Int
        }
        let state: String
        let pending: Int
        let items: [Item]
        let moreItems: Int?
        let conflicts: [Conflict]?
        let counters: Counters
        let removalsToConfirm: Int?
    }

    private func report(_ nacre: NacreProcess) throws -> Report {
        let text = try must(nacre, "sync", "status", "--json").text
        return try JSONDecoder().decode(Report.self, from: Data(text.utf8))
    }

    /// Both folders with so many files.
    private func start(files count: Int) throws {
        for number in 0..<count { try write("\(number)", one + "/f\(number)") }
        _ = try must(nacre, "sync", one, "recipes", "--once")
        _ = try must(other, "sync", two, "recipes", "--once")
    }

    // MARK: Items

    @Test func whatWaitsIsNamedWhereNothingRuns() throws {
        try start(files: 3)
        try node.stop()
        try write("new", two + "/new")
        try write("edited", two + "/f0")
        try FileManager.default.removeItem(atPath: two + "/f1")
        try FileManager.default.moveItem(atPath: two + "/f2", toPath: two + "/moved")
        _ = try other.run("sync", two, "--once")
        let found = try report(other)
        #expect(found.state == "not-running" && found.pending == 4 && found.moreItems == nil)
        #expect(
            Dictionary(uniqueKeysWithValues: found.items.map { ($0.path, $0.code) }) == [
                "new": "to_send", "f0": "to_send", "f1": "to_remove_there", "moved": "to_move_there",
            ])
        let text = try must(other, "sync", "status").text
        #expect(text.contains("  moved: was moved here, and is to be moved on the node\n"), "\(text)")
        #expect(text.contains("not-running, 4 to do"))
        for number in 0..<150 { try write("more", two + "/more\(number)") }
        _ = try other.run("sync", two, "--once")
        let more = try report(other)
        #expect(more.items.count == 100 && more.moreItems == 54 && more.pending == 154)
        #expect(try must(other, "sync", "status").text.contains("  and 134 more\n"))
    }

    /// Names that are no text, and places that no namespace has, are on one disk for good.
    @Test(arguments: [false, true]) func whatCannotBeCarriedIsAnItem(isRunning: Bool) throws {
        try start(files: 1)
        let deep = Array(repeating: "d", count: 66).joined(separator: "/")
        try write("deep", two + "/" + deep)
        let bad = open(two + "/caf\u{1}", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        close(bad)
        var raw = Array((two + "/caf").utf8CString.dropLast()) + [CChar(bitPattern: 0xE9), 0]
        let odd = open(&raw, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        try #require(odd >= 0)
        close(odd)
        let once = try other.run("sync", two, "--once")
        #expect(once.status == 3, "\(once.text) \(once.errors)")
        try withDaemon(isRunning, other) {
            for _ in 0..<100 where try report(other).items.isEmpty { usleep(50_000) }
            let found = try report(other)
            let codes = Set(found.items.map(\.code))
            #expect(codes.contains("file_error"), "\(found.items)")
            #expect(found.items.contains { $0.path.hasSuffix("d/d/d") }, "\(found.items)")
            #expect(found.pending > 0)
        }
        try node.stop()
    }

    /// They were sent to a directory that the node had refused, and answered `parent_missing` each time.
    @Test func whatIsInAFolderThatTheNodeDoesNotTakeWaitsForIt() throws {
        try start(files: 1)
        let last = two + "/" + Array(repeating: "d", count: 65).joined(separator: "/")
        // More than one commit takes.
        for number in 0..<1200 { try write("\(number)", last + "/f\(number)") }
        let once = try other.run("sync", two, "--once")
        #expect(once.status == 3, "\(once.errors)")
        for isRunning in [false, true] {
            try withDaemon(isRunning, other) {
                for _ in 0..<100 where try report(other).pending != 1201 { usleep(50_000) }
                let found = try report(other)
                #expect(found.pending == 1201 && found.moreItems == 1101)
                let codes = Dictionary(grouping: found.items, by: \.code).mapValues(\.count)
                #expect(Set(codes.keys).isSubset(of: ["bad_path", "waits_for_folder"]), "\(codes)")
                #expect(codes["bad_path"] ?? 0 <= 1 && codes["waits_for_folder"] ?? 0 >= 99, "\(codes)")
            }
        }
        #expect(try must(nacre, "ns", "log", "recipes").lines.count == 65)
        try node.stop()
    }

    @Test func conflictCopiesAreNamedWithTheCommandThatDecides() throws {
        try start(files: 1)
        for (text, folder) in [("here", one), ("there", two)] { try write(text, folder + "/f0") }
        _ = try must(nacre, "sync", one, "--once")
        _ = try must(other, "sync", two, "--once")
        for isRunning in [false, true] {
            try withDaemon(isRunning, other) {
                for _ in 0..<100 where try report(other).conflicts == nil { usleep(50_000) }
                let conflict = try #require(try report(other).conflicts?.first)
                #expect(conflict.original == "f0" && conflict.path.hasPrefix("f0 (conflict "))
                let since = try #require(conflict.since)
                #expect(since.hasPrefix("20") && since.hasSuffix("Z") && since.count == 17, "\(since)")
                let text = try must(other, "sync", "status").text
                #expect(
                    text.contains("conflict copy of f0 since \(since); decide with `nacre sync resolve '"))
            }
        }
        let conflict = try #require(try report(other).conflicts?.first)
        #expect(conflict.command == "nacre sync resolve '\(two)/\(conflict.path)' --keep file")
        _ = try must(other, "sync", "resolve", two + "/" + conflict.path, "--keep", "file")
        _ = try must(other, "sync", two, "--once")
        #expect(try report(other).conflicts == nil)
        try node.stop()
    }

    /// Who reads the journal before it commits leaves no refused operation behind, by which the node counts.
    @Test func theNodeCountsConflictCopiesThatMachinesMade() throws {
        try start(files: 1)
        for (folder, name) in [(one, "Readme"), (two, "README")] {
            try write(folder, folder + "/f0")
            try write(folder, folder + "/" + name)
            _ = try must(folder == one ? nacre : other, "sync", folder, "--once")
        }
        let copies = try names(two).filter { $0.contains("conflict") }
        #expect(copies.count == 2, "\(copies)")
        // Another machine made these.
        for copy in copies { try write("again", one + "/d/" + copy) }
        _ = try must("sync", one, "--once")
        let token = try must("key", "create", "--name", "watch", "--allow", "metrics", "--scope", "node")
            .lines[0]
        let page = try node.get("/metrics", "Authorization: Bearer \(token)\r\n")
        for (reason, count) in [("content", 1), ("case", 1), ("unicode", 0)] {
            let series = "nacre_sync_conflict_copies_total{reason=\"\(reason)\"} \(count)"
            #expect(page.contains(series), "\(series)")
        }
        try node.stop()
    }

    /// It printed what the daemon had done since its start.
    @Test func onceBesideADaemonTellsWhatItDidItself() throws {
        try start(files: 1)
        try withDaemon(true, nacre) {
            for number in 0..<5 { try write("\(number)", one + "/g\(number)") }
            #expect(try must(nacre, "sync", one, "--once").text == "settled: 5 sent, 0 received\n")
            #expect(try must(nacre, "sync", one, "--once").text == "settled: 0 sent, 0 received\n")
            #expect(try report(nacre).counters.uploaded == 5)
        }
        try node.stop()
    }

    /// It said settled while the daemon still waited whether the file turns up under another name.
    @Test func onceBesideADaemonWaitsForRemovals() throws {
        try start(files: 3)
        try withDaemon(true, nacre) {
            _ = try must("sync", one, "--once")
            try FileManager.default.removeItem(atPath: one + "/f0")
            try FileManager.default.moveItem(atPath: one + "/f1", toPath: one + "/g1")
            let done = try must("sync", one, "--once").text
            #expect(done == "settled: 0 sent, 0 received, 1 moved, 1 removed\n")
            let there = try must("ls", "recipes:/").lines.compactMap { $0.split(separator: " ").last }
            #expect(there == ["f2", "g1"])
            _ = try must(other, "sync", two, "--once")
            #expect(try names(two) == ["f2", "g1"])
        }
        try node.stop()
    }

    /// What new rules let in came with the second `--once`.
    @Test(arguments: [false, true]) func onceGoesOnWhereItBroughtOtherRules(isRunning: Bool) throws {
        try write("*.log\n", one + "/.syncignore")
        try write("q", one + "/q.log")
        try start(files: 1)
        #expect(try names(two) == [".syncignore", "f0"])
        try withDaemon(isRunning, other) {
            if isRunning { _ = try must(other, "sync", two, "--once") }
            try write("# none\n", one + "/.syncignore")
            #expect(try must("sync", one, "--once").text == "settled: 2 sent, 0 received\n")
            _ = try must(other, "sync", two, "--once")
            #expect(try names(two) == [".syncignore", "f0", "q.log"])
        }
        try node.stop()
    }

    // MARK: Modes

    /// What is in a folder that is held was said to be on its way.
    @Test(arguments: ["push-only", "pull-only"], [false, true])
    func whatAModeHoldsIsNotOnItsWay(mode: String, isRunning: Bool) throws {
        try start(files: 1)
        _ = try must(other, "sync", two, "--mode", mode, "--once")
        try write("held", (mode == "push-only" ? one : two) + "/d/e")
        _ = try must("sync", one, "--once")
        #expect(try other.run("sync", two, "--once").status == 3)
        let code = mode == "push-only" ? "remote_change" : "local_change"
        try withDaemon(isRunning, other) {
            for _ in 0..<100 where try report(other).items.count < 2 { usleep(50_000) }
            let items = try report(other).items
            #expect(items.map(\.path).sorted() == ["d", "d/e"] && items.allSatisfy { $0.code == code })
            #expect(!(try must(other, "sync", "status").text.contains("is to be")))
        }
        try node.stop()
    }

    @Test func whyAFolderIsStoppedIsToldWhereNothingRuns() throws {
        try start(files: 1)
        try write("another", two + "/.nacre/folder")
        #expect(try other.run("sync", two, "--once").status == 1)
        let status = try must(other, "sync", "status").text
        #expect(status.contains(" it was stopped") && status.contains(": the marker `.nacre/folder`"))
        try node.stop()
    }

    // MARK: Removals

    @Test(arguments: [false, true]) func aRemovalMadeHereIsDeclined(isRunning: Bool) throws {
        try start(files: 210)
        for number in 0..<120 { try FileManager.default.removeItem(atPath: two + "/f\(number)") }
        let held = try other.run("sync", two, "--once")
        #expect(held.status == 3 && held.errors.contains("or have them back with `nacre sync decline"))
        #expect(try must(other, "sync", "status").text.contains("decline \(two)` has them back"))
        try withDaemon(isRunning, other) {
            let done = try must(other, "sync", "decline", two)
            #expect(done.text == "declined the removal of 120: 120 fetched again\n")
            #expect(try names(two).count == 210)
            let again = try must(other, "sync", "decline", two)
            #expect(again.text == "no removal in \(two) waits for an answer\n")
        }
        #expect(try must(nacre, "sync", one, "--once").text == "settled: 0 sent, 0 received\n")
        try node.stop()
    }

    /// The node asks about each commit of a thousand; a person is asked once.
    @Test func oneAnswerIsForAllThatAPersonWasAskedAbout() throws {
        try start(files: 2400)
        for number in 0..<2300 { try FileManager.default.removeItem(atPath: two + "/f\(number)") }
        #expect(try other.run("sync", two, "--once").status == 3)
        let agreed = try must(other, "sync", "confirm", two)
        #expect(agreed.text == "agreed to the removal of 2300: removed in namespace recipes\n")
        #expect(try must(nacre, "ls", "recipes:/").lines.count == 100)
        try node.stop()
    }

    @Test(arguments: [false, true]) func aRemovalMadeElsewhereIsDeclined(isRunning: Bool) throws {
        try start(files: 210)
        for number in 0..<120 { try FileManager.default.removeItem(atPath: two + "/f\(number)") }
        _ = try other.run("sync", two, "--once")
        let agreed = try must(other, "sync", "confirm", two)
        #expect(agreed.text == "agreed to the removal of 120: removed in namespace recipes\n")
        try withDaemon(isRunning, nacre) {
            if !isRunning { #expect(try nacre.run("sync", one, "--once").status == 3) }
            for _ in 0..<100 where isRunning {
                if try report(nacre).removalsToConfirm == 120 { break }
                usleep(50_000)
            }
            let done = try must(nacre, "sync", "decline", one)
            #expect(done.text == "declined the removal of 120: 120 sent to namespace recipes again\n")
        }
        #expect(try names(one).count == 210)
        #expect(try must(other, "sync", two, "--once").text == "settled: 0 sent, 120 received\n")
        #expect(try names(two).count == 210)
        try node.stop()
    }

    @Test func aFolderThatOnlyReceivesCannotDecline() throws {
        try start(files: 210)
        _ = try must(nacre, "sync", one, "--mode", "pull-only", "--once")
        for number in 0..<120 { try FileManager.default.removeItem(atPath: two + "/f\(number)") }
        _ = try other.run("sync", two, "--once")
        _ = try must(other, "sync", "confirm", two)
        let refused = try nacre.run("sync", "decline", one)
        #expect(
            refused.status == 6 && refused.errors.contains("this folder sends nothing"), "\(refused.errors)")
        let agreed = try must(nacre, "sync", "confirm", one)
        #expect(agreed.text.contains("agreed to the removal of 120: 120 removed here"), "\(agreed.text)")
        #expect(try names(one).count == 90)
        try node.stop()
    }

    /// It said that they go, and they came back.
    @Test(arguments: [false, true]) func anAnswerAfterARebuildSaysWhatHappens(isRunning: Bool) throws {
        try start(files: 210)
        try withDaemon(isRunning, other) {
            for number in 0..<120 { try FileManager.default.removeItem(atPath: two + "/f\(number)") }
            if isRunning {
                for _ in 0..<200 where try report(other).removalsToConfirm != 120 { usleep(50_000) }
            } else {
                _ = try other.run("sync", two, "--once")
            }
            _ = try must(nacre, "ns", "rebuild", "recipes")
            let said = try must(other, "sync", "confirm", two)
            #expect(said.text.contains("waits for an answer"), "\(said.text)")
            #expect(!said.text.contains("agreed"))
            #expect(try names(two).count == 210)
        }
        try node.stop()
    }
}
