import Foundation
import TestKit
import Testing

/// The short forms of `make sync-soak`: folders that several users edit at once, with the real program,
/// which is killed at both ends. The load itself is `scripts/sync-soak`: in the end all folders are equal,
/// and every text that anybody wrote is in a folder, in its trash or in the history.
@Suite(.serialized) struct SyncSoakTests {
    @Test func foldersAreEqualAfterKillsAndNothingIsLost() throws {
        try soak("--seconds", "12", "--kill-every", "2", "--seed", "4")
    }

    @Test func threeDevicesConverge() throws {
        try soak("--seconds", "8", "--devices", "3", "--kill-every", "3", "--seed", "9")
    }

    private func soak(_ options: String...) throws {
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let script = Vectors.packageRoot.appendingPathComponent("scripts/sync-soak").path
        process.arguments = ["python3", "-B", script, NacreProcess.executable.path, directory.path] + options
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let logs = ["node", "device0", "device1"].map { name in
            (try? String(contentsOfFile: directory.path(name + ".log"), encoding: .utf8)) ?? ""
        }
        let ends = logs.map { $0.suffix(2000) }.joined(separator: "\n")
        #expect(process.terminationStatus == 0, "\(said)\n\(ends)")
    }
}
