import Foundation
import TestKit
import Testing

/// What is said of a folder while a large file is on its way.
@Suite struct SyncProgressTests: SyncSuite {
    let laboratory: SyncLaboratory

    init() throws { laboratory = try SyncLaboratory() }

    private var one: String { directory.path("one") }

    private func status(_ machine: NacreProcess) throws -> [String: Any] {
        let text = try must(machine, "sync", "status", "--json").text
        // Before it was added.
        guard !text.isEmpty else { return [:] }
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    /// Waits until a status says that a part of the file was moved, and more is to come.
    private func partly(_ running: RunningNacre, _ machine: NacreProcess) throws -> [String: Any] {
        var found: [String: Any] = [:]
        try running.wait("a part of it went") {
            found = try status(machine)
            guard let transfer = found["transfer"] as? [String: Any],
                let done = transfer["bytesDone"] as? Int,
                let total = transfer["bytesTotal"] as? Int
            else { return false }
            #expect(transfer["path"] as? String == "large" && total == 4_000_000 && done <= total)
            return done > 0 && done < total && transfer["secondsLeft"] != nil
        }
        return found
    }

    private func makeLarge() throws {
        try directory.write(SeededRandom.bytes(seed: 1, count: 4_000_000), to: "one/large")
    }

    /// It said that nothing was to be done, until all of it was.
    @Test func aFileIsToldOfWhileItIsSent() throws {
        try makeLarge()
        let daemon = try RunningNacre(nacre, ["sync", one, "recipes", "--up", "400"])
        let report = try partly(daemon, nacre)
        let transfer = try #require(report["transfer"] as? [String: Any])
        #expect(transfer["direction"] as? String == "send")
        let rate = try #require(transfer["bytesPerSecond"] as? Int)
        #expect((40_000...1_000_000).contains(rate), "\(rate)")
        #expect(report["state"] as? String == "working" && report["pending"] as? Int == 1)
        let items = try #require(report["items"] as? [[String: Any]])
        #expect(items.map { $0["path"] as? String } == ["large"])
        let counters = try #require(report["counters"] as? [String: Any])
        #expect((counters["bytesSent"] as? Int ?? 0) > 0)
        let text = try must("sync", "status").text
        #expect(text.contains("  sending large: ") && text.contains(" of 3.8 MiB, "), "\(text)")
        #expect(text.contains(" left"), "\(text)")
        try daemon.wait("it is done") { try must("sync", "status").text.contains("settled") }
        #expect(try status(nacre)["transfer"] == nil)
        daemon.signal(SIGTERM)
        _ = try daemon.end()
        try node.stop()
    }

    /// Nothing was said of a run in another process, but that it cannot be asked.
    @Test func aRunOfAnotherProcessSaysHowFarItIs() throws {
        try makeLarge()
        _ = try must("sync", one, "recipes", "--once")
        let far = directory.path("far")
        let run = try RunningNacre(other, ["sync", far, "recipes", "--once", "--down", "400"])
        let report = try partly(run, other)
        #expect((report["transfer"] as? [String: Any])?["direction"] as? String == "receive")
        #expect((report["run"] as? [String: Any])?["process"] as? Int == Int(run.pid))
        // One that comes to nothing leaves it as it is.
        #expect(try other.run("sync", far, "--once").errors.contains("another process has the sync state"))
        let text = try must(other, "sync", "status").text
        #expect(
            text.contains("`--once`, has it: process \(run.pid), begun ")
                && text.contains("  receiving large: "))
        let outcome = try run.end()
        #expect(
            outcome.status == 0 && !outcome.errors.contains("receiving"), "not in a file: \(outcome.errors)")
        let after = try status(other)
        #expect(after["run"] == nil && after["transfer"] == nil && after["state"] as? String == "not-running")
        // One that was killed has it no more.
        try directory.write(SeededRandom.bytes(seed: 2, count: 4_000_000), to: "one/large")
        _ = try must("sync", one, "--once")
        let killed = try RunningNacre(other, ["sync", far, "--once"])
        _ = try partly(killed, other)
        killed.signal(SIGKILL)
        _ = try killed.end()
        #expect(try status(other)["run"] == nil)
        try node.stop()
    }

    @Test func aRunShowsOnATerminalHowFarItIs() throws {
        try makeLarge()
        let script = Vectors.packageRoot.appendingPathComponent("Tests/Scripts/run_in_terminal.py").path
        let shown = try Tool.run(
            ["env", "NACRE_SYNC_HOME=\(directory.path("home"))", "TERM=xterm", "python3", script]
                + [NacreProcess.executable.path, "--data", nacre.data]
                + ["sync", one, "recipes", "--once", "--up", "800"])
        #expect(shown.status == 0 && shown.output.contains("sending large: "), "\(shown.output)")
        let last = try #require(shown.output.components(separatedBy: "\r\u{1B}[K").last)
        #expect(last.contains("settled: 1 sent"), "\(shown.output)")
        try node.stop()
    }
}
