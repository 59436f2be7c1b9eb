import Foundation
import TestKit
import Testing

/// The short forms of `make soak`: everything at once against the real node, every answer compared with what
/// was stored. The load itself is `scripts/soak`.
@Suite(.serialized) struct SoakTests {
    /// Memory is still warming up in so short a time: it is `make soak` that holds it to its bounds.
    @Test func everyByteIsRightUnderEverythingAtOnce() throws {
        try soak("--seconds", "25", "--growth", "192")
    }

    @Test func nothingAcknowledgedIsLostByKills() throws {
        try soak("--seconds", "15", "--kill-every", "3", "--seed", "2", "--growth", "192")
    }

    private func soak(_ options: String...) throws {
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let script = Vectors.packageRoot.appendingPathComponent("scripts/soak").path
        process.arguments = ["python3", "-B", script, NacreProcess.executable.path, directory.path] + options
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let log = (try? String(contentsOfFile: directory.path("data.log"), encoding: .utf8)) ?? ""
        #expect(process.terminationStatus == 0, "\(said)\n\(log.suffix(2000))")
    }
}
