import Access
import ArgumentParser
import Catalog
import NodeCore

struct ProjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Make and list projects, which own everything, and their members.",
        discussion: """
            Every node has the project `default`. PROJECT is an id, or a name that only one project has. An
            owner may do everything in it, an editor changes content and makes keys, a reader reads.
            """,
        subcommands: [Create.self, Ls.self, Show.self, Member.self, Remove.self])

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
            try global.withAuthority { authority in
                let accounts = authority.accounts
                // Before the project is made: a mistyped name makes none.
                let owner = try owner.map { try accounts.user(matching: $0, by: .localAdministrator) }
                let project = try accounts.addProject(name: name, by: .localAdministrator)
                if let owner {
                    try accounts.setRole(.owner, of: owner.id, in: project.id, by: .localAdministrator)
                }
                var out = StandardOutput()
                try ProjectOutput.write(line: project, json: output.json, to: &out)
                try out.flush()
            }
        }
    }

    struct Ls: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List projects: a line `ID NAME` for each, by id.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            try global.withAuthority { authority in
                var out = StandardOutput()
                var last: ProjectID?
                repeat {
                    try Interruption.cancellation.check()
                    let page = try authority.accounts.projects(
                        after: last, limit: 1000, by: .localAdministrator)
                    for project in page {
                        try ProjectOutput.write(line: project, json: output.json, to: &out)
                    }
                    last = page.count == 1000 ? page.last?.id : nil
                } while last != nil
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
            try global.withAuthority { authority in
                let project = try project.find(authority)
                let members = try authority.accounts.members(of: project.id, by: .localAdministrator)
                // A user who is gone from the catalog is shown by the id alone.
                let named = try members.map { member in
                    (member, try ProjectOutput.name(of: member.user, authority))
                }
                var out = StandardOutput()
                if output.json {
                    try out.writeJSON(ProjectJSON(project, named.map { MemberJSON($0.0, name: $0.1) }))
                } else {
                    try ProjectOutput.write(project, named, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Member: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a user a member, or change the role; prints `PROJECT USER ROLE`.")

        @OptionGroup var global: GlobalOptions
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
            try global.withAuthority { authority in
                let (project, user) = (try project.find(authority), try user.find(authority))
                try authority.accounts.setRole(role, of: user.id, in: project.id, by: .localAdministrator)
                var out = StandardOutput()
                try out.write(line: "\(project.id.rawValue) \(user.name) \(role.rawValue)")
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
            try global.withAuthority { authority in
                let (project, user) = (try project.find(authority), try user.find(authority))
                try authority.accounts.removeMember(user.id, from: project.id, by: .localAdministrator)
                Terminal.note("\(user.name) is no member of \(project.id.rawValue)")
            }
        }
    }
}

/// The argument of the verbs that are about one project.
struct ProjectArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The id or the name of a project.", valueName: "project"))
    var projectText: String

    func find(_ authority: Authority) throws -> Project {
        try authority.accounts.project(matching: projectText, by: .localAdministrator)
    }
}
