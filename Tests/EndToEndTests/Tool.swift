import Foundation
import Testing

/// Programs of the system, found on the path.
enum Tool {
    /// Whether all of them are here, so that a test can run.
    ///
    /// With `NACRE_REQUIRE_TOOLS=1`, which `make test` sets after it has installed them, a program that is
    /// missing is a failure and not a reason to pass over the test.
    static func areHere(_ names: String..., location: SourceLocation = #_sourceLocation) -> Bool {
        let missing = names.filter { name in
            (try? run("sh", "-c", "command -v \(name)").status) != 0
        }
        guard !missing.isEmpty else { return true }
        if ProcessInfo.processInfo.environment["NACRE_REQUIRE_TOOLS"] == "1" {
            Issue.record(
                "missing: \(missing.joined(separator: ", ")); scripts/install-packages.sh test installs them",
                sourceLocation: location)
        }
        return false
    }

    static func run(_ arguments: String...) throws -> (status: Int32, output: String) {
        try run(arguments)
    }

    static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
