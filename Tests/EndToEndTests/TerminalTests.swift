import Foundation
import TestKit
import Testing

/// What a person sees on a terminal, and a pipe does not.
@Suite struct TerminalTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess
    private let clearLine = "\r\u{1B}[K"

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    @Test func theProgressBarIsOnATerminalOnlyAndLeavesNoTrace() throws {
        try directory.write(SeededRandom.bytes(seed: 1, count: 40_000_000), to: "large")
        let shown = try inTerminal(["add", directory.path("large")])
        #expect(shown.status == 0, "\(shown.text)")
        #expect(shown.text.contains(clearLine + "adding ") || shown.text.contains(clearLine + "["))
        #expect(shown.text.contains("B/s"))
        // The last thing drawn is the result, on a line that was cleared.
        let end = try #require(shown.text.range(of: clearLine, options: .backwards))
        #expect(shown.text[end.upperBound...].contains("bafy"), "\(shown.text)")
        let longest = shown.text.components(separatedBy: clearLine).map(\.count).max() ?? 0
        #expect(longest < 120, "a line is no wider than the terminal")

        let piped = try nacre.run("add", directory.path("large"))
        #expect(!piped.text.contains("\u{1B}") && piped.errors.isEmpty, "\(piped.errors)")
        let quiet = try inTerminal(["get", "-q", "large", "-o", directory.path("out")])
        #expect(quiet.status == 0 && quiet.text.isEmpty, "\(quiet.text)")
    }

    @Test func coloursAreOnATerminalOnlyAndNotWithNOCOLOR() throws {
        let red = "\u{1B}[31;1merror:"
        let coloured = try inTerminal(["cat", "nothing"], environment: [:])
        #expect(coloured.status == 4)
        #expect(coloured.text.contains(red), "\(coloured.text)")
        for environment in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
            let plain = try inTerminal(["cat", "nothing"], environment: environment)
            #expect(plain.text.contains("error:") && !plain.text.contains("\u{1B}["), "\(plain.text)")
        }
        var nacre = nacre
        nacre.environment = ["NO_COLOR": ""]
        #expect(try !nacre.run("cat", "nothing").errors.contains("\u{1B}"), "not in a pipe")
    }

    @Test func fileNamesCannotDriveATerminal() throws {
        let names: [[UInt8]] = [
            Array("clear\u{1B}[2J".utf8), Array("two\nlines".utf8), [0xFF, 0x41],
            Array("over\u{202E}gnp".utf8),
            Array("émile".utf8),
        ]
        try FileManager.default.createDirectory(
            atPath: directory.path("odd"), withIntermediateDirectories: true)
        for name in names { try RawFile.write([1], folder: directory.path("odd"), name: name) }
        let added = try inTerminal(["add", directory.path("odd")])
        let root = try #require(try nacre.run("add", "-Q", directory.path("odd")).lines.last)
        let listed = try inTerminal(["ls", root])
        for text in [added.text, listed.text] {
            for escaped in ["clear\\x1b[2J", "two\\x0alines", "\\xffA", "over\\xe2\\x80\\xaegnp", "émile"] {
                #expect(text.contains(escaped), "\(escaped) in \(text.debugDescription)")
            }
            #expect(!text.contains("\u{1B}[2J") && !text.contains("\u{202E}"))
        }
        let missing = try inTerminal(["cat", root + "/\u{1B}[2Jx"])
        #expect(
            missing.status == 4 && !missing.text.contains("\u{1B}[2J"), "\(missing.text.debugDescription)")
    }

    @Test func binaryArchivesAreNotPouredOverATerminal() throws {
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: [1, 2]).lines.last)
        for arguments in [["car", "export", root], ["get", root, "--archive", "tar", "-o", "-"]] {
            let refused = try inTerminal(arguments)
            #expect(refused.status == 2, "\(refused.text)")
        }
    }

    private func inTerminal(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let script = Vectors.packageRoot.appendingPathComponent("Tests/Scripts/run_in_terminal.py").path
        process.arguments =
            ["python3", script, NacreProcess.executable.path, "--data", nacre.data] + arguments
        var merged = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("NACRE_") }
        merged["NO_COLOR"] = nil
        merged["TERM"] = "xterm"
        merged.merge(environment) { $1 }
        process.environment = merged
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
