import Foundation
import TestKit
import Testing

/// Folders of a namespace that is full, and settings of folders that are synced already.
@Suite struct SyncRoomTests: SyncSuite {
    let laboratory: SyncLaboratory

    init() throws { laboratory = try SyncLaboratory() }

    private var one: String { directory.path("one") }

    private func says(_ text: String) throws -> Bool { try nacre.run("sync", "status").text.contains(text) }

    private func has(_ name: String) throws -> Bool {
        let list = try must("ns", "ls", "recipes")
        return list.lines.contains { $0.hasSuffix(name) }
    }

    /// It took up to a minute, whoever made room.
    @Test func aFileThatHadNoRoomGoesWhenThereIsSome() throws {
        func write(_ name: String, _ seed: UInt64) throws {
            try directory.write(SeededRandom.bytes(seed: seed, count: 60_000), to: "one/\(name)")
        }
        try write("first", 1)
        _ = try must("sync", one, "recipes", "--settle", "50ms", "--once")
        _ = try must("ns", "quota", "recipes", "100KiB")
        let daemon = try RunningNacre(nacre, ["sync", "--daemon"])
        try daemon.wait("it runs") { try says("settled") }
        try write("second", 2)
        try daemon.wait("there is no room") { try says("no content is sent: ") }
        let status = try must("sync", "status").text
        #expect(status.contains("or when there is room") && status.contains(", again in "), "\(status)")
        #expect(try must("sync", "status", "--json").text.contains("\"uploadsRetryIn\":"))
        var start = Date()
        try FileManager.default.removeItem(atPath: one + "/first")
        try daemon.wait("it has room") { try says("settled") }
        #expect(Date().timeIntervalSince(start) < 15)
        try write("third", 3)
        try daemon.wait("there is no room") { try says("no content is sent: ") }
        start = Date()
        _ = try must("ns", "quota", "recipes", "10MiB")
        try daemon.wait("it has room") { try says("settled") }
        #expect(Date().timeIntervalSince(start) < 25)
        daemon.signal(SIGTERM)
        _ = try daemon.end()
        try node.stop()
    }

    /// Six seconds went by: two for quiet, four in which the copy might have turned up elsewhere.
    @Test func aConflictThatIsDecidedIsDecidedElsewhereAtOnce() throws {
        let copy = "note (conflict 2026-11-21 1925 laptop).md"
        try write("theirs", "one/note.md")
        try write("mine", "one/" + copy)
        _ = try must("sync", one, "recipes", "--once")
        let two = directory.path("two")
        _ = try must(other, "sync", two, "recipes", "--once")
        try withDaemon(true, nacre) {
            try withDaemon(true, other) {
                let start = Date()
                _ = try must("sync", "resolve", one + "/" + copy, "--keep", "copy")
                while try files("two") != ["note.md": "mine"], Date().timeIntervalSince(start) < 30 {
                    usleep(10_000)
                }
                let seconds = Date().timeIntervalSince(start)
                #expect(seconds < 3, "\(seconds) s")
                #expect(try files("one") == ["note.md": "mine"])
            }
        }
        try node.stop()
    }

    /// Nothing was said of them, and a path that was mistyped was waited for without a word.
    @Test(arguments: [false, true]) func settingsAreSaidWhenTheyAreMadeAndByStatus(isRunning: Bool) throws {
        try write("1", "one/soups/leek")
        _ = try must("sync", one, "recipes", "--once")
        #expect(try !must("sync", "status", "--json").text.contains("\"settings\""))
        try withDaemon(isRunning, nacre) {
            let made = try nacre.run(
                ["sync", one, "--up", "100", "--down", "200", "--settle", "500ms", "--prefetch", "0"]
                    + ["--only", "soups", "--only", "nothere", "--mode", "push-only"]
                    + (isRunning ? [] : ["--once"]))
            #expect(made.status == 0, "\(made.errors)")
            let text =
                "only soups, nothere; at most 100 KiB/s are sent; at most 200 KiB/s are received; "
                + "what was written 500 ms ago is sent; nothing is read ahead"
            #expect(made.errors.contains("\(one): push-only; \(text)"), "\(made.errors)")
            #expect(made.errors.contains("there is no nothere in recipes, nor here"), "\(made.errors)")
            #expect(!made.errors.contains("there is no soups"), "\(made.errors)")
            #expect(try must("sync", "status").text.contains("  " + text))
            let json = try must("sync", "status", "--json").text
            #expect(
                json.contains("\"uploadLimit\":102400") && json.contains("\"only\":[\"soups\",\"nothere\"]"))
            let back = try nacre.run(
                ["sync", one, "--all", "--up", "0"] + (isRunning ? [] : ["--once"]))
            #expect(
                back.errors.contains("\(one): push-only; at most 200 KiB/s are received"), "\(back.errors)")
        }
        try node.stop()
    }
}
