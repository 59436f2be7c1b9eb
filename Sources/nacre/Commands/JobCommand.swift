import ArgumentParser
import Catalog
import NodeCore
import NodeMessages

struct JobCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "See, wait for and cancel the long work of a running node.",
        discussion: """
            Pinning, publishing, collecting and verifying are jobs there; they outlive the command that \
            began them, and the node. Jobs that ended are kept for a week.
            """,
        subcommands: [Ls.self, Show.self, Wait.self, Cancel.self])

    @OptionGroup var global: GlobalOptions
}

extension JobCommand {
    struct Ls: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List jobs: a line `ID STATE KIND PROGRESS CREATED` for each, newest first.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Option(
            name: .long,
            help: ArgumentHelp("queued, running, done, failed or cancelled.", valueName: "state"),
            completion: .list(JobState.allCases.map(\.rawValue)))
        var state: String?

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                try node.forEachJob(state: state) { job in
                    try Interruption.cancellation.check()
                    try JobOutput.write(line: job, json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show how far a job is, or what came of it.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var job: JobArgument

        func run() throws {
            try global.withNode(.existing) { node in
                try JobOutput.print(try node.job(job.id, waitSeconds: 0), json: output.json)
            }
        }
    }

    struct Wait: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Wait until a job has ended, and print it.",
            discussion: """
                Exit code 0 if it is done, 7 if it found damage, else that of its failure; 1 if it was \
                cancelled. Ctrl-C ends the waiting, not the job.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var job: JobArgument
        @Flag(name: [.long, .customShort("q")], help: "No progress bar.")
        var quiet = false

        func run() throws {
            try global.withNode(.existing) { node in
                var job = try node.job(job.id, waitSeconds: 0)
                let bar = ProgressBar(job.kind, unit: "items", quiet: quiet)
                var seen = JobProgressMessage(items: 0, totalItems: nil, bytes: 0, totalBytes: nil)
                while true {
                    bar.watch.setTotal(job.progress.totalItems, job.progress.totalBytes)
                    bar.advance(
                        bytes: Int(clamping: job.progress.bytes - seen.bytes),
                        items: Int(clamping: job.progress.items - seen.items))
                    seen = job.progress
                    if job.isFinal { break }
                    // So often is looked whether somebody pressed Ctrl-C.
                    job = try node.job(job.id, waitSeconds: 1)
                    if Interruption.cancellation.isCancelled {
                        bar.finish()
                        Terminal.note("job \(job.id) goes on: `nacre job cancel \(job.id)` ends it")
                        throw SilentExit(status: .interrupted)
                    }
                }
                bar.finish()
                try JobOutput.print(job, json: output.json)
                try end(with: job)
            }
        }

        private func end(with job: JobMessage<JSONValue>) throws {
            switch job.state {
            case "failed":
                let error = job.error ?? JobErrorMessage(code: "failed", detail: "it failed")
                throw NodeFailure(
                    NodeFailure.kind(ofCode: error.code), code: error.code,
                    detail: "job \(job.id): \(error.detail)")
            case "cancelled": throw CommandError(.failed, "job \(job.id) was cancelled")
            default:
                guard case .object(let result)? = job.result, case .array(let findings)? = result["findings"],
                    !findings.isEmpty
                else { return }
                throw SilentExit(status: .damaged)
            }
        }
    }

    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End jobs: they stop between two steps. What has ended already is a conflict (6).")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("Ids of jobs.", valueName: "job"))
        var ids: [String]

        func run() throws {
            let ids = try ids.map { try JobArgument.check($0) }
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                defer { try? out.flush() }
                for id in ids {
                    try JobOutput.write(line: try node.cancelJob(id), json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }
}

/// The argument of the verbs that are about one job.
struct JobArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The id of a job: `nacre job ls` has it.", valueName: "job"))
    var id: String

    func validate() throws { _ = try Self.check(id) }

    /// - Throws: wrong usage for what is no id.
    static func check(_ text: String) throws -> String {
        guard let id = try? JobID(text: text) else {
            throw ValidationError("\(text.prefix(64)) is no id of a job: it has 26 letters and digits")
        }
        return id.text
    }
}

/// How jobs are printed.
enum JobOutput {
    static func write(
        line job: JobMessage<JSONValue>, json: Bool, to out: inout StandardOutput
    ) throws {
        if json { return try out.writeJSON(job) }
        try out.write(line: "\(job.id) \(job.state) \(job.kind) \(share(job)) \(job.created)")
    }

    static func print(_ job: JobMessage<JSONValue>, json: Bool) throws {
        var out = StandardOutput()
        if json {
            try out.writeJSON(job)
        } else {
            for (label, value) in lines(job) { try out.write(line: Columns.padded(label, 14) + value) }
        }
        try out.flush()
    }

    private static func share(_ job: JobMessage<JSONValue>) -> String {
        job.progress.percent.map { "\(Int($0))%" } ?? "-"
    }

    private static func lines(_ job: JobMessage<JSONValue>) -> [(String, String)] {
        var lines = [("id", job.id), ("kind", job.kind), ("state", job.state)]
        if let percent = job.progress.percent { lines.append(("progress", "\(percent)%")) }
        if job.progress.items > 0 {
            lines.append(("items", count(job.progress.items, job.progress.totalItems)))
        }
        if job.progress.bytes > 0 {
            let total = job.progress.totalBytes.map { " of " + ByteCount.text($0) } ?? ""
            lines.append(("bytes", ByteCount.text(job.progress.bytes) + total))
        }
        if let seconds = job.progress.remainingSeconds {
            lines.append(("left", DurationText.short(seconds: seconds)))
        }
        lines.append(("created", job.created))
        if let started = job.started { lines.append(("started", started)) }
        if let finished = job.finished { lines.append(("finished", finished)) }
        if let error = job.error { lines.append(("error", PathText.printable(error.detail.utf8))) }
        if let result = job.result {
            lines.append(("result", String(decoding: JSONLine.encode(result), as: UTF8.self)))
        }
        return lines
    }

    private static func count(_ items: Int64, _ total: Int64?) -> String {
        "\(items)" + (total.map { " of \($0)" } ?? "")
    }
}
