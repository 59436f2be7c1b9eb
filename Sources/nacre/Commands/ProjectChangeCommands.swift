import ArgumentParser
import NodeMessages

/// The verbs that change or end a project itself.
extension ProjectCommand {
    struct Rename: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a project another name; its id stays. Prints `ID NAME`.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var project: ProjectArgument
        @Argument(help: ArgumentHelp("What to call it.", valueName: "name"))
        var name: String

        func run() throws {
            try global.withNode(grants: true) { node in
                let renamed = try node.renameProject(project.projectText, to: name)
                var out = StandardOutput()
                try ProjectOutput.write(line: renamed, json: output.json, to: &out)
                try out.flush()
            }
        }
    }

    struct Rm: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a project that holds nothing any more, with its memberships.",
            discussion: """
                A project that still has pins, names, keys that count, namespaces or jobs under way is left \
                as it is (6), and what it has is told. What it brought in and nothing keeps goes with `nacre \
                gc`.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var project: ProjectArgument

        func run() throws {
            try global.withNode(grants: true) { node in
                let removed = try node.removeProject(project.projectText)
                var out = StandardOutput()
                try ProjectOutput.write(line: removed, json: output.json, to: &out)
                try out.flush()
            }
        }
    }
}
