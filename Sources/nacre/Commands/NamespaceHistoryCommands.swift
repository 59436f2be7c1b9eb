import ArgumentParser
import NodeCore
import NodeMessages
import NodeService
import SyncAgent

/// The verbs about earlier states.
extension NamespaceCommand {
    struct Log: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List changes, newest first: a line `VERSION TIME OPERATION PATH` for each.",
            discussion: """
                Behind the path stands ` by ` and what the machine is called that made the change; nothing \
                where it was made on the node.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @Argument(help: ArgumentHelp("Only the changes of what is at this path.", valueName: "path"))
        var path: String?
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp("At most so many; 100 if it is left out.", valueName: "n"),
            transform: { text in
                guard let number = Int(text), (1..<Int.max).contains(number) else {
                    throw ValidationError(
                        "--limit is at least 1, such as --limit 20; --all lists every change")
                }
                return number
            })
        var limit: Int?
        @Flag(name: .long, help: "All of them.")
        var all = false

        private static let defaultLimit = 100

        func validate() throws {
            if all, limit != nil { throw ValidationError("--all and --limit are not both possible") }
        }

        func run() throws {
            let maximum = all ? Int.max : limit ?? Self.defaultLimit
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                var count = 0
                // One more, to know whether there is one.
                try node.forEachNamespaceEntry(
                    namespace.namespaceText, path: path, limit: all ? maximum : maximum + 1
                ) { entry in
                    try Interruption.cancellation.check()
                    count += 1
                    guard count <= maximum else { return }
                    if output.json { return try out.writeJSON(entry) }
                    let name = PathText.printable((entry.path ?? "(\(entry.name))").utf8)
                    let slash = entry.kind == "dir" ? "/" : ""
                    let more = entry.below > 1 ? " and \(entry.below - 1) below" : ""
                    let who = (entry.deviceName ?? entry.device).map { " by " + PathText.printable($0.utf8) }
                    try out.write(
                        line: "\(entry.version) \(entry.time) \(entry.operation) \(name)\(slash)\(more)"
                            + (who ?? ""))
                }
                try out.flush()
                if count > maximum {
                    Terminal.note("there are earlier changes: --limit N lists N of them, --all every one")
                }
            }
        }
    }

    struct Versions: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List versions that are kept, newest first: a line `VERSION TIME ROOT KEPT` for each.",
            discussion: """
                The newest, those of which a directory was made, the last of each day, and those that are \
                held. KEPT is `newest`, `until` and a time, or `held` and why. A directory is made when \
                changes settle, and of any kept version when somebody asks for it: `nacre ns snapshot \
                NAMESPACE VERSION`; before, ROOT is `-`. Every version that is newer than the policy's time \
                for all of them is kept, listed or not.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                try node.forEachNamespaceVersion(namespace.namespaceText) { version in
                    try Interruption.cancellation.check()
                    try NamespaceOutput.write(kept: version, json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Keep: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Hold on to a version, whatever the policy says; prints it as `versions` does.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @Argument(
            help: ArgumentHelp(
                "What to keep: a number, a time, or the root of a snapshot.", valueName: "version"))
        var version: String
        @Option(name: .long, help: ArgumentHelp("Why, for people to read.", valueName: "text"))
        var note: String?

        func run() throws {
            try global.withNode(.existing) { node in
                let held = try node.holdNamespaceVersion(
                    namespace.namespaceText, version, VersionHoldMessage(note: note))
                var out = StandardOutput()
                try NamespaceOutput.write(kept: held, json: output.json, to: &out)
                try out.flush()
            }
        }
    }

    struct Unkeep: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let the policy decide about a version again that was held.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var namespace: NamespaceArgument
        @Argument(help: ArgumentHelp("What to let go of.", valueName: "version"))
        var version: String

        func run() throws {
            try global.withNode(.existing) { node in
                guard try node.releaseNamespaceVersion(namespace.namespaceText, version) else {
                    throw NodeFailure(
                        .notFound, code: "version-not-held",
                        detail:
                            "version \(version) is not held; `nacre ns versions \(namespace.namespaceText)` lists those that are"
                    )
                }
            }
        }
    }

    struct Snapshot: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a version into a directory; prints `VERSION TIME ROOT`.",
            discussion: """
                ROOT can be read, exported and pinned as any: `nacre ls ROOT`, `nacre get ROOT`.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @Argument(help: ArgumentHelp("The newest state if it is left out.", valueName: "version"))
        var version: String?

        func run() throws {
            try global.withNode(.existing) { node in
                let made = try node.namespaceVersion(namespace.namespaceText, version)
                var out = StandardOutput()
                try NamespaceOutput.write(made, json: output.json, to: &out)
                try out.flush()
            }
        }
    }

    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what differs between two versions.",
            discussion: """
                `+` came, `-` went, `~` has another content, `R OLD -> NEW` was renamed or moved. A \
                directory ends with `/`, and stands for all that came or went with it, with how much that is.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @Argument(help: ArgumentHelp("The older version: a number, a time or a root.", valueName: "from"))
        var from: String
        @Argument(help: ArgumentHelp("The newer one; the newest state if it is left out.", valueName: "to"))
        var to: String?
        @Flag(name: .long, help: "List everything in directories that came or went.")
        var recursive = false

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                let question = NamespaceDifferenceQuestion(from: from, to: to, isRecursive: recursive)
                try node.forEachNamespaceDifference(namespace.namespaceText, question) { found in
                    try Interruption.cancellation.check()
                    if output.json { return try out.writeJSON(found) }
                    try out.write(line: Self.line(found))
                }
                try out.flush()
            }
        }

        private static func line(_ found: NamespaceDifferenceMessage) -> String {
            func shown(_ path: String) -> String {
                PathText.printable(path.utf8) + (found.kind == "dir" ? "/" : "")
            }
            if let from = found.from { return "R \(shown(from)) -> \(shown(found.path))" }
            let mark = ["added": "+", "removed": "-"][found.change] ?? "~"
            let below = found.below.map { $0 == 0 ? "" : "  (\($0) below)" } ?? ""
            return "\(mark) \(shown(found.path))\(below)"
        }
    }

    struct Restore: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring a namespace, or what is at a path of it, back to an earlier version.",
            discussion: """
                What came since is not lost: the restore is made of new changes, and can itself be taken \
                back. Folders that sync with the namespace follow. The rules of what they leave out \
                (.syncignore) stay as they are: with earlier ones, machines could send files that are left \
                out on purpose. The path .syncignore, or --rules, brings them back too.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @Argument(
            help: ArgumentHelp("What to go back to; with --at, the path.", valueName: "version"))
        var first: String?
        @Argument(help: ArgumentHelp("Only what is at this path.", valueName: "path"))
        var second: String?
        @Option(
            name: .long,
            help: ArgumentHelp("What to go back to: as well as an argument.", valueName: "version"))
        var at: String?
        @Flag(
            name: .customLong("empty"),
            help: "Remove everything, or what is at the path, where it is not in the version.")
        var mayEmpty = false
        @Flag(
            name: .customLong("rules"),
            help: "Bring back .syncignore too: machines then send what it does not leave out.")
        var bringsBackRules = false

        /// What to go back to, and of what.
        private var version: String? { at ?? first }
        private var path: String? { at == nil ? second : first }

        func validate() throws {
            if at != nil, second != nil {
                throw ValidationError("with --at there is one path, and no version")
            }
            if version == nil {
                throw ValidationError(
                    "which version? `nacre ns versions \(namespace.namespaceText)` lists those that are kept, and "
                        + "`nacre ns log \(namespace.namespaceText)` every change")
            }
        }

        func run() throws {
            try global.withNode(.existing) { node in
                let done = try asking {
                    try node.restoreNamespace(
                        namespace.namespaceText,
                        NamespaceRestoreMessage(
                            version: version ?? "", path: path, mayEmpty: mayEmpty ? true : nil,
                            rules: bringsBackRules ? true : nil))
                }
                var out = StandardOutput()
                if output.json {
                    try out.writeJSON(done)
                } else {
                    try out.write(line: "version \(done.head), \(done.changes) changes")
                }
                try out.flush()
                tell(of: done)
            }
        }

        /// A refusal that a person can answer says by which command.
        private func asking<R>(_ body: () throws -> R) throws -> R {
            do { return try body() } catch {
                let failure = NodeFailure(of: error)
                guard failure.code == "version-empty" else { throw error }
                throw CommandError(.conflict, "\(error): `\(command(to: version ?? "", path)) --empty`")
            }
        }

        /// This verb, to be pasted into a shell.
        private func command(to version: String, _ path: String?) -> String {
            var words = ["nacre"]
            for (flag, value) in [
                ("--data", global.data), ("--node", global.node), ("--node-ca", global.nodeCA),
            ] {
                if let value { words += [flag, value] }
            }
            words += ["ns", "restore", namespace.namespaceText, version] + (path.map { [$0] } ?? [])
            return words.map { ShellText.quoted(PathText.printable($0.utf8)) }.joined(separator: " ")
        }

        /// What of the rules became of it: they decide what machines send.
        private func tell(of done: NamespaceRestoredMessage) {
            for path in done.kept ?? [] {
                Terminal.warn(
                    "\(path) stays as it is: by the one of that version, machines could send files that are left "
                        + "out now. If that is meant: `\(command(to: version ?? "", path))`")
            }
            let isOfRules = path.map { $0.split(separator: "/") == [".syncignore"] } ?? false
            if isOfRules || bringsBackRules, done.changes > 0 {
                let before = String(done.head - done.changes)
                Terminal.warn(
                    "machines that sync now send what the earlier .syncignore does not leave out. To take it "
                        + "back: `\(command(to: before, ".syncignore"))`")
            }
        }
    }
}
