import ArgumentParser
import Catalog
import NodeCore
import NodeMessages

struct ProjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Projects, which own everything, and their members.",
        discussion: """
            Every node has the project `default`. PROJECT is an id, or a name that only one project has. An \
            owner may do everything in it, an editor changes content and makes keys, a reader reads.
            """,
        subcommands: [
            Create.self, Ls.self, Show.self, Rename.self, Rm.self, Member.self, Remove.self,
        ])

    @OptionGroup var global: GlobalOptions
}

extension ProjectCommand {
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a project; prints `ID NAME`.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("What to call it.", valueName: "name"))
        var name: String
        @Option(name: .long, help: ArgumentHelp("The user who owns it.", valueName: "user"))
        var owner: String?

        func run() throws {
            try global.withNode(grants: true) { node in
                let project = try node.addProject(ProjectRequest(name: name, owner: owner))
                var out = StandardOutput()
                try ProjectOutput.write(line: project, json: output.json, to: &out)
                try out.flush()
                // It is made: a list that cannot be read takes nothing from it.
                guard let others = try? Self.namesakes(of: project, node), !others.isEmpty else { return }
                Terminal.warn(
                    "other projects are named \(PathText.printable(project.name.utf8)) too "
                        + "(\(others.prefix(5).joined(separator: ", "))): tell them apart by their ids")
            }
        }

        /// The ids of other projects with the same name.
        private static func namesakes(
            of project: ProjectMessage, _ node: any NodeOperations
        ) throws -> [String] {
            var ids: [String] = []
            try node.forEachProject { other in
                if other.name == project.name, other.id != project.id { ids.append(other.id) }
            }
            return ids
        }
    }

    struct Ls: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List projects: a line `ID NAME` for each, by id.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            try global.withNode(grants: true) { node in
                var out = StandardOutput()
                try node.forEachProject { project in
                    try Interruption.cancellation.check()
                    try ProjectOutput.write(line: project, json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a project and its members.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var project: ProjectArgument

        func run() throws {
            try global.withNode(grants: true) { node in
                let project = try node.project(matching: project.projectText)
                var out = StandardOutput()
                if output.json {
                    try out.writeJSON(project)
                } else {
                    try ProjectOutput.write(project, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Member: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a user a member, or change the role; prints `PROJECT USER ROLE`.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var project: ProjectArgument
        @OptionGroup var user: UserArgument
        @Argument(
            help: ArgumentHelp("owner, editor or reader.", valueName: "role"),
            completion: .list(ProjectRole.allCases.map(\.rawValue)),
            transform: { text in
                guard let role = ProjectRole(rawValue: text) else {
                    throw ValidationError("a role is owner, editor or reader")
                }
                return role
            })
        var role: ProjectRole

        func run() throws {
            try global.withNode(grants: true) { node in
                let member = try node.setRole(
                    role.rawValue, ofUser: user.text, inProject: project.projectText)
                var out = StandardOutput()
                if output.json {
                    try out.writeJSON(member)
                } else {
                    try out.write(line: "\(member.project) \(member.name ?? member.user) \(member.role)")
                }
                try out.flush()
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a membership, and with it what the user's keys allow in the project.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var project: ProjectArgument
        @OptionGroup var user: UserArgument

        func run() throws {
            try global.withNode(grants: true) { node in
                let member = try node.removeMember(user.text, fromProject: project.projectText)
                Terminal.note("\(member.name ?? member.user) is no member of \(member.project)")
            }
        }
    }
}

/// The argument of the verbs that are about one project.
struct ProjectArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The id or the name of a project.", valueName: "project"))
    var projectText: String
}
