import ArgumentParser
import NodeCore
import NodeMessages

struct NamespaceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ns", abstract: "Namespaces: folders that keep every version.",
        discussion: """
            A namespace is what `nacre sync` keeps folders equal with. Each change has a number, the \
            version; VERSION is such a number, a time such as 2026-01-31T12:00:00Z, or the root CID of a \
            snapshot. A public namespace is a site: its newest state is at /n/NAME/, any other at \
            /n/NAME@VERSION/.
            """,
        subcommands: [
            Create.self, Ls.self, Show.self, Status.self, Conflicts.self, Log.self, Versions.self, Keep.self,
            Unkeep.self, Snapshot.self, Diff.self, Restore.self, Trash.self, Rename.self, Policy.self,
            Quota.self, Publish.self, Unpublish.self, Share.self, Members.self, Verify.self, Rebuild.self,
            Rm.self,
            Undelete.self,
        ])

    @OptionGroup var global: GlobalOptions
}

/// Which namespace is meant.
struct NamespaceArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("Name or id.", valueName: "namespace"))
    var namespaceText: String
}

extension NamespaceCommand {
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an empty namespace; prints `ID NAME VISIBILITY`.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("Letters, digits, `-`, `_` and `.`, up to 63.", valueName: "name"))
        var name: String
        @Flag(name: .long, help: "Anybody may read it, with all of its history.")
        var `public` = false
        @OptionGroup var policy: PolicyOptions

        func run() throws {
            try global.withNode { node in
                let made = try node.addNamespace(
                    NamespaceDraftMessage(
                        name: name, visibility: self.public ? "public" : nil, policy: policy.message))
                var out = StandardOutput()
                try NamespaceOutput.write(line: made, json: output.json, to: &out)
                try out.flush()
            }
        }
    }

    struct Ls: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List namespaces: a line `ID NAME VISIBILITY VERSION NODES BYTES` for each.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Flag(name: .long, help: "Those that were deleted and can be had back, with until when.")
        var deleted = false

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                let list = deleted ? node.forEachDeletedNamespace : node.forEachNamespace
                try list { namespace in
                    try Interruption.cancellation.check()
                    try NamespaceOutput.write(row: namespace, json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a namespace with its policy.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument

        func run() throws {
            try global.withNode(.existing) { node in
                let found = try node.namespace(matching: namespace.namespaceText)
                var out = StandardOutput()
                if output.json {
                    try out.writeJSON(found)
                } else {
                    try NamespaceOutput.write(found, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Rename: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a namespace another name; folders that sync with it go on by its id.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @Argument(help: ArgumentHelp("What to call it.", valueName: "name"))
        var name: String

        func run() throws {
            try NamespaceOutput.run(global, output) { node in
                try node.changeNamespace(
                    namespace.namespaceText, NamespaceChangeMessage(name: name))
            }
        }
    }

    struct Policy: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show or change what is allowed in a namespace, and how long its history is kept.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @OptionGroup var policy: PolicyOptions

        func run() throws {
            try global.withNode(.existing) { node in
                let text = namespace.namespaceText
                let found =
                    try policy.message.map {
                        try node.changeNamespace(text, NamespaceChangeMessage(policy: $0))
                    } ?? node.namespace(matching: text)
                var out = StandardOutput()
                if output.json {
                    try out.writeJSON(found.policy)
                } else {
                    try NamespaceOutput.write(found.policy, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Quota: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a namespace has and may have of bytes and files, or set it.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @Argument(
            help: ArgumentHelp(
                "The most bytes of live files, such as 10GiB; 0 for no limit.", valueName: "size"))
        var size: String?
        @Option(
            name: .long,
            help: ArgumentHelp("The most files, folders and symlinks; 0 for none.", valueName: "n"))
        var nodes: Int64?

        func validate() throws {
            _ = try bytes()
            if let nodes, nodes < 0 { throw ValidationError("a quota is no less than 0 files") }
        }

        private func bytes() throws -> Int64? { try size.map { try KeyTime.bytes($0, "a quota") } }

        func run() throws {
            try global.withNode(.existing) { node in
                var found = try node.namespace(matching: namespace.namespaceText)
                let bytes = try bytes()
                if bytes != nil || nodes != nil {
                    var policy = NamespacePolicyMessage()
                    policy.maximumBytes = bytes
                    policy.maximumNodes = nodes
                    found = try node.changeNamespace(
                        namespace.namespaceText, NamespaceChangeMessage(policy: policy))
                }
                var out = StandardOutput()
                if output.json {
                    try out.writeJSON(found)
                } else {
                    let limit = found.policy.maximumBytes ?? 0
                    try out.write(
                        line: "\(found.bytes) of \(limit == 0 ? "any number of" : "\(limit)") bytes, "
                            + "\(found.nodes) of \(found.policy.maximumNodes ?? 0) files and folders")
                }
                try out.flush()
            }
        }
    }

    struct Publish: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let anybody read a namespace, with all of its kept history.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument

        func run() throws {
            try NamespaceOutput.run(global, output) { node in
                let bar = ProgressBar("publishing", unit: "blocks")
                defer { bar.finish() }
                return try node.setVisibility("public", ofNamespace: namespace.namespaceText, bar.watch)
            }
        }
    }

    struct Unpublish: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let nobody but the project read a namespace; what else is public stays so.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument

        func run() throws {
            try NamespaceOutput.run(global, output) { node in
                let bar = ProgressBar("taking back", unit: "blocks")
                defer { bar.finish() }
                return try node.setVisibility("private", ofNamespace: namespace.namespaceText, bar.watch)
            }
        }
    }

    struct Rm: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a namespace away: nobody finds it any more, and folders stop syncing with it.",
            discussion: """
                Folders keep what they have. For 30 days it can be had back: `nacre ns undelete NAME`.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument

        func run() throws {
            try NamespaceOutput.run(global, output) { node in
                try node.removeNamespace(namespace.namespaceText)
            }
        }
    }
}

extension NamespaceCommand {
    struct Undelete: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring a deleted namespace back; prints `ID NAME VISIBILITY`.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @Option(
            name: .customLong("as"),
            help: ArgumentHelp("What to call it, if its name was given away.", valueName: "name"))
        var newName: String?

        func run() throws {
            try NamespaceOutput.run(global, output) { node in
                try node.returnNamespace(namespace.namespaceText, NamespaceReturnMessage(name: newName))
            }
        }
    }
}

/// What of a policy can be given.
struct PolicyOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Names as file systems allow (files), or as S3 does (objects).", valueName: "style"),
        completion: .list(["files", "objects"]))
    var names: String?
    @Option(
        name: .customLong("case"),
        help: ArgumentHelp(
            "Whether names that differ by case only are two: sensitive or insensitive.", valueName: "rule"),
        completion: .list(["sensitive", "insensitive"]))
    var letterCase: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "What becomes of a text that was changed on two machines: a conflict copy (none), or both "
                + "changes in one where their lines do not touch (lines).", valueName: "style"),
        completion: .list(["none", "lines"]))
    var merge: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "How long every version is kept, such as 30d; a number alone counts days.", valueName: "duration")
    )
    var keepAll: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "How long, after that, the last version of each day is kept.", valueName: "duration"))
    var keepDaily: String?

    func validate() throws {
        for text in [keepAll, keepDaily] where text.map({ Self.seconds($0) == nil }) == true {
            throw ValidationError("history is kept for a time such as 12h, 30d or 2w, up to 36500d")
        }
    }

    private static func seconds(_ text: String) -> Int64? {
        let duration =
            Int64(text).map { $0 < 100_000 && $0 >= 0 ? .seconds($0 * 86_400) : .seconds(-1) }
            ?? DurationText.parse(text)
        guard let seconds = duration?.components.seconds, (0...36_500 * 86_400).contains(seconds) else {
            return nil
        }
        return seconds
    }

    /// `nil` where nothing was given.
    var message: NamespacePolicyMessage? {
        var message = NamespacePolicyMessage()
        message.names = names
        message.case = letterCase
        message.merge = merge
        message.keepAllSeconds = keepAll.flatMap(Self.seconds)
        message.keepDailySeconds = keepDaily.flatMap(Self.seconds)
        return message == NamespacePolicyMessage() ? nil : message
    }
}
