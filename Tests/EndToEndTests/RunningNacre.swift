import Foundation
import TestKit
import Testing

/// The executable at work: to be fed, watched, signalled.
final class RunningNacre {
    private let process: Process
    private let directory: TemporaryDirectory
    /// Standard input, open until ``closeInput()``.
    private let input = Pipe()

    init(_ nacre: NacreProcess, _ arguments: [String]) throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        process = nacre.process(arguments)
        process.standardInput = input
        process.standardOutput = try Self.file(directory.path("output"))
        process.standardError = try Self.file(directory.path("errors"))
        // Tests run on threads that block signals, which a program would inherit.
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var pid: Int32 { process.processIdentifier }

    func feed(_ bytes: [UInt8]) throws { try input.fileHandleForWriting.write(contentsOf: Data(bytes)) }

    func closeInput() throws { try input.fileHandleForWriting.close() }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Looks again and again until something is so, while the program runs.
    func wait(_ what: Comment, until isSo: () throws -> Bool) throws {
        let end = ContinuousClock.now + .seconds(60)
        while try !isSo() {
            let said = try process.isRunning ? "" : errors()
            try #require(process.isRunning, "it ended before \(what): \(said)")
            try #require(ContinuousClock.now < end, "never: \(what)")
            usleep(2000)
        }
    }

    /// Waits for the end; fails the test if it does not come.
    func end() throws -> NacreProcess.Outcome {
        // Long enough for a machine that has several test suites to run at once.
        let end = ContinuousClock.now + .seconds(120)
        while process.isRunning {
            if ContinuousClock.now > end {
                signal(SIGKILL)
                Issue.record("the program did not end")
                break
            }
            usleep(2000)
        }
        process.waitUntilExit()
        return NacreProcess.Outcome(
            status: process.terminationStatus, wasSignalled: process.terminationReason == .uncaughtSignal,
            output: try directory.read("output"), errors: try errors())
    }

    /// What it has written to standard error so far.
    func errors() throws -> String { String(decoding: try directory.read("errors"), as: UTF8.self) }

    private static func file(_ path: String) throws -> FileHandle {
        try Data().write(to: URL(fileURLWithPath: path))
        return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }
}
