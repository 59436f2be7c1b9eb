import Foundation
import TestKit

/// Independent checkers in Python, written from the specifications.
enum Script {
    static func run(_ name: String, _ arguments: String...) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let script = Vectors.packageRoot.appendingPathComponent("Tests/Scripts/" + name).path
        process.arguments = ["python3", script] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}

extension Vectors {
    /// The folder of `Package.swift`.
    static var packageRoot: URL { directory.deletingLastPathComponent().deletingLastPathComponent() }
}
