import ArgumentParser
import NodeCore
import NodeMessages

extension NamespaceCommand {
    struct Trash: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What was deleted from a namespace, and can be had back.",
            subcommands: [List.self, Restore.self, Empty.self], defaultSubcommand: List.self)

        @OptionGroup var global: GlobalOptions
    }
}

extension NamespaceCommand.Trash {
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls",
            abstract: "List deleted files and folders, newest first.",
            discussion: """
                A line `ID DELETED KEPT-UNTIL NODES BYTES WHO PATH` for each. What is in a folder that was \
                deleted as a whole comes back with it, and is not listed.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                try node.forEachTrashItem(ofNamespace: namespace.namespaceText) { item in
                    try Interruption.cancellation.check()
                    try NamespaceOutput.write(item, json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Restore: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put something back where it was; prints the version that this made.",
            discussion: "A folder comes back with everything that was in it. Folders that sync follow.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @Argument(
            help: ArgumentHelp("Id, or the path that it had: then what was deleted last.", valueName: "item"))
        var item: String
        @Option(name: .long, help: ArgumentHelp("Put it at this path instead.", valueName: "path"))
        var to: String?

        func run() throws {
            try global.withNode(.existing) { node in
                let done = try node.restoreFromTrash(
                    ofNamespace: namespace.namespaceText, TrashRestoreMessage(item: item, to: to))
                var out = StandardOutput()
                if output.json {
                    try out.writeJSON(done)
                } else {
                    try out.write(line: "version \(done.head)")
                }
                try out.flush()
            }
        }
    }

    struct Empty: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove what was deleted for good, before its time.",
            discussion: """
                Its content leaves every version of the namespace, also those that are held, and cannot be \
                had back. `nacre gc` gives the space back, after its grace period.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @Argument(help: ArgumentHelp("Id or path; everything if it is left out.", valueName: "item"))
        var item: String?
        @Option(
            name: .long,
            help: ArgumentHelp("Only what was deleted longer ago, such as 7d.", valueName: "duration"))
        var olderThan: String?

        func validate() throws {
            if let olderThan, DurationText.parse(olderThan) == nil {
                throw ValidationError("--older-than is a length of time such as 7d")
            }
            if item != nil, olderThan != nil {
                throw ValidationError("name an item, or give --older-than, not both")
            }
        }

        func run() throws {
            try global.withNode(.existing) { node in
                let seconds = olderThan.flatMap { DurationText.parse($0) }?.components.seconds
                let done = try node.emptyTrash(
                    ofNamespace: namespace.namespaceText,
                    TrashEmptyMessage(item: item, olderThanSeconds: seconds))
                var out = StandardOutput()
                if output.json {
                    try out.writeJSON(done)
                } else {
                    try out.write(line: "\(done.items) items with \(done.nodes) files and folders")
                }
                try out.flush()
            }
        }
    }
}
