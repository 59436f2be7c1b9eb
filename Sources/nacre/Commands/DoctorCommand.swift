import ArgumentParser
import NodeCore
import NodeServer

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look at the machine, the data directory and the configuration; say what to mend.",
        discussion: """
            A line for each finding: ok, warn or fail. Exit code 0 if nothing fails, else 1. Nothing is \
            changed, and a running node is not disturbed. With --node a node elsewhere is asked: whether it \
            answers and is ready, its version, clock and certificate, and what the token is good for.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var output: OutputOptions
    @Flag(
        name: .long, help: "Only ask the running node whether it is ready (for health checks of containers).")
    var ready = false

    func run() throws {
        let doctor = Doctor(directory: global.dataDirectory, environment: Environment.current)
        var out = StandardOutput()
        var failures = 0
        func report(_ finding: Finding) throws {
            if finding.verdict == .fail { failures += 1 }
            if output.json {
                try out.write(bytes: JSONLine.encode(FindingJSON(finding)) + [0x0A])
            } else {
                try out.write(line: Self.line(finding))
                if let advice = finding.advice {
                    try out.write(line: String(repeating: " ", count: 30) + PathText.printable(advice.utf8))
                }
            }
            // Some checks take seconds: each is shown when it is done.
            try out.flush()
        }
        if let target = try RemoteChoice(global).named() {
            let remote = RemoteDoctor(target: target)
            if ready { try report(try remote.askReadiness()) } else { try remote.examine(report) }
        } else if ready {
            try report(doctor.askReadiness())
        } else {
            try doctor.examine(report)
        }
        if failures > 0 { throw SilentExit(status: .failed) }
    }

    private static func line(_ finding: Finding) -> String {
        let colour = ["ok": "32", "warn": "33", "fail": "31;1"][finding.verdict.rawValue] ?? "0"
        let verdict = Columns.padded(finding.verdict.rawValue, 6)
        return (Terminal.isOutputTerminal ? Terminal.coloured(verdict, colour) : verdict)
            + Columns.padded(finding.check, 24) + PathText.printable(finding.text.utf8)
    }
}

private struct FindingJSON: Encodable {
    let check: String
    let verdict: String
    let text: String
    let advice: String?

    init(_ finding: Finding) {
        check = finding.check
        verdict = finding.verdict.rawValue
        text = finding.text
        advice = finding.advice
    }
}
