import Foundation
import TestKit
import Testing

/// A node that serves, and two machines that sync with it, each with a home of its own: the real program.
struct SyncLaboratory {
    let directory: TemporaryDirectory
    let nacre: NacreProcess
    /// Another machine.
    let other: NacreProcess
    let node: ServedNode

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        var nacre = NacreProcess(data: directory.path("data"))
        nacre.environment["NACRE_SYNC_HOME"] = directory.path("home")
        var other = nacre
        other.environment["NACRE_SYNC_HOME"] = directory.path("other home")
        (self.nacre, self.other) = (nacre, other)
        node = try ServedNode(nacre)
    }
}

/// A suite that works in a ``SyncLaboratory``.
protocol SyncSuite {
    var laboratory: SyncLaboratory { get }
}

extension SyncSuite {
    var directory: TemporaryDirectory { laboratory.directory }
    var nacre: NacreProcess { laboratory.nacre }
    var other: NacreProcess { laboratory.other }
    var node: ServedNode { laboratory.node }

    /// Runs a verb that must succeed.
    func must(_ arguments: String...) throws -> NacreProcess.Outcome { try must(nacre, arguments) }

    func must(_ machine: NacreProcess, _ arguments: String...) throws -> NacreProcess.Outcome {
        try must(machine, arguments)
    }

    func must(_ machine: NacreProcess, _ arguments: [String]) throws -> NacreProcess.Outcome {
        let outcome = try machine.run(arguments)
        try #require(outcome.status == 0, "\(arguments): \(outcome.text) \(outcome.errors)")
        return outcome
    }

    /// Where something is; an absolute path is itself.
    func path(_ path: String) -> String { path.hasPrefix("/") ? path : directory.path(path) }

    /// Writes a file, with the directories above it.
    func write(_ text: String, _ path: String) throws {
        let url = URL(fileURLWithPath: self.path(path))
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    /// What is in a folder, in order; sync's own directory left out.
    func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(folder)).filter { $0 != ".nacre" }.sorted()
    }

    /// The texts of the files in a folder without directories.
    func files(_ folder: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for name in try names(folder) {
            found[name] = try String(contentsOfFile: path(folder) + "/" + name, encoding: .utf8)
        }
        return found
    }

    /// Does something, while `nacre sync --daemon` runs if that is wanted.
    func withDaemon<R>(_ isWanted: Bool, _ machine: NacreProcess, _ body: () throws -> R) throws -> R {
        let daemon = isWanted ? try RunningNacre(machine, ["sync", "--daemon"]) : nil
        try daemon?.wait("it runs") {
            let status = try machine.run("sync", "status").text
            return !status.contains("not-running") && !status.contains("starting")
        }
        let result = try body()
        if let daemon {
            daemon.signal(SIGTERM)
            _ = try daemon.end()
        }
        return result
    }
}
