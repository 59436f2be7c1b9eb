import Foundation
import TestKit

/// The real executable, run on a data directory of its own.
struct NacreProcess {
    struct Outcome {
        let status: Int32
        /// Whether a signal ended it; `status` is then the signal.
        let wasSignalled: Bool
        let output: [UInt8]
        let errors: String

        var text: String { String(decoding: output, as: UTF8.self) }
        var lines: [String] { text.split(separator: "\n").map(String.init) }
    }

    /// Beside the test bundle, where the build puts every product.
    static let executable: URL = {
        var directory = Bundle.main.bundleURL
        for argument in CommandLine.arguments where argument.hasSuffix(".xctest") {
            directory = URL(fileURLWithPath: argument).deletingLastPathComponent()
        }
        var candidates = [directory, directory.deletingLastPathComponent()]
        candidates.append(Vectors.packageRoot.appendingPathComponent(".build/debug"))
        return candidates.map { $0.appendingPathComponent("nacre") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
            ?? directory.appendingPathComponent("nacre")
    }()

    let data: String
    var environment: [String: String] = [:]

    func process(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = ["--data", data] + arguments
        var merged = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("NACRE_") }
        merged["NO_COLOR"] = "1"
        merged.merge(environment) { $1 }
        process.environment = merged
        return process
    }

    /// Runs to the end. Both outputs are read at the same time, so that neither can block the program.
    func run(_ arguments: String..., input: [UInt8]? = nil) throws -> Outcome {
        try run(arguments, input: input)
    }

    func run(_ arguments: [String], input: [UInt8]? = nil) throws -> Outcome {
        let process = process(arguments)
        let directory = try TemporaryDirectory()
        let outputURL = URL(fileURLWithPath: directory.path + "/output")
        let errorsURL = URL(fileURLWithPath: directory.path + "/errors")
        try Data().write(to: outputURL)
        try Data().write(to: errorsURL)
        process.standardOutput = try FileHandle(forWritingTo: outputURL)
        process.standardError = try FileHandle(forWritingTo: errorsURL)
        if let input {
            let inputURL = URL(fileURLWithPath: directory.path + "/input")
            try Data(input).write(to: inputURL)
            process.standardInput = try FileHandle(forReadingFrom: inputURL)
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, wasSignalled: process.terminationReason == .uncaughtSignal,
            output: Array(try Data(contentsOf: outputURL)),
            errors: String(decoding: try Data(contentsOf: errorsURL), as: UTF8.self))
    }
}
