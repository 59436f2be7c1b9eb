import Foundation
import TestKit
import Testing

/// A daemon whose folder goes away and comes back, or that is told to rest or to end in the middle of its work.
@Suite struct SyncAbsenceTests: SyncSuite {
    let laboratory: SyncLaboratory

    init() throws { laboratory = try SyncLaboratory() }

    private var one: String { directory.path("one") }

    private func begin() throws -> RunningNacre {
        _ = try must("sync", one, "recipes", "--create", "--once")
        let daemon = try RunningNacre(nacre, ["sync", "--daemon"])
        try daemon.wait("it runs") { try says("settled") }
        return daemon
    }

    private func says(_ text: String) throws -> Bool { try nacre.run("sync", "status").text.contains(text) }

    private func nodes() throws -> Int? {
        let line = try must("ns", "show", "recipes").lines.first { $0.hasPrefix("nodes ") }
        return line?.split(separator: " ").last.flatMap { Int($0) }
    }

    private func end(_ daemon: RunningNacre) throws {
        daemon.signal(SIGTERM)
        _ = try daemon.end()
        try node.stop()
    }

    /// Watches go with a file system that is unmounted: without new ones an edit waited for the next look at
    /// everything, an hour later. A folder at rest keeps no file open, so that it can be unmounted at all.
    @Test(arguments: [false, true]) func aDiskThatIsTakenOutAndPutBackIsWatchedAgain(isPaused: Bool) throws {
        let image = directory.path("image")
        try FileManager.default.createDirectory(atPath: one, withIntermediateDirectories: true)
        try write("", "image")
        try #require(truncate(image, 16 << 20) == 0)
        guard try Tool.run("mkfs.ext4", "-q", image).status == 0,
            try Tool.run("mount", "-o", "loop", image, one).status == 0
        else { return print("skipped, since no file system can be mounted here") }
        defer { _ = try? Tool.run("umount", "-l", one) }
        try FileManager.default.removeItem(atPath: one + "/lost+found")
        try write("first", "one/soups/a")
        let daemon = try begin()
        if isPaused { _ = try must("sync", "pause", one) }
        try daemon.wait("nothing is open") { try Tool.run("umount", one).status == 0 }
        if !isPaused { try daemon.wait("it is missed") { try says("missing") } }
        try #require(try Tool.run("mount", "-o", "loop", image, one).status == 0)
        if isPaused { _ = try must("sync", "resume", one) }
        try daemon.wait("it is back") { try says("settled") }
        #expect(try nodes() == 2)
        // What is watched is told at once; the next look at everything is far away.
        try write("second", "one/soups/b")
        try daemon.wait("an edit is seen") { try nodes() == 3 }
        try end(daemon)
    }

    /// A directory that the rules let in had no watch.
    @Test func whatRulesLetInIsWatchedFromThenOn() throws {
        try write("kept/\n", "one/.syncignore")
        try write("1", "one/kept/deep/a")
        let daemon = try begin()
        #expect(try nodes() == 1)
        try FileManager.default.removeItem(atPath: one + "/.syncignore")
        try daemon.wait("it is let in") { try nodes() == 3 }
        try write("2", "one/kept/deep/b")
        try daemon.wait("an edit is seen") { try nodes() == 4 }
        try end(daemon)
    }

    /// Under its limit the pass has minutes to go, and neither a pause nor an end waits for that.
    @Test func aPassIsEndedInTheMiddle() throws {
        for number in 0..<60 {
            try directory.write(SeededRandom.bytes(seed: UInt64(number), count: 500_000), to: "one/\(number)")
        }
        let daemon = try RunningNacre(nacre, ["sync", one, "recipes", "--create", "--daemon", "--up", "200"])
        try daemon.wait("it sends") { try says("working") }
        let start = Date()
        _ = try must("sync", "pause", one)
        try daemon.wait("it rests") { try says("paused") }
        _ = try must("sync", "resume", one)
        try daemon.wait("it goes on") { try says("working") }
        daemon.signal(SIGTERM)
        #expect(try daemon.end().status == 0)
        #expect(Date().timeIntervalSince(start) < 60)
        #expect(try (nodes() ?? 0) < 60)
        try node.stop()
    }
}
