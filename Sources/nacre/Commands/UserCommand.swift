import Access
import ArgumentParser
import NodeCore
import NodeMessages

struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Add, list and disable the people who may log in.",
        discussion: """
            A user belongs to projects (`nacre project`) and may do there what the role allows. Programs \
            need no user: they have keys (`nacre key`). USER is a name or an id.
            """,
        subcommands: [Add.self, Ls.self, Show.self, Password.self, Disable.self, Enable.self])

    @OptionGroup var global: GlobalOptions
}

extension UserCommand {
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a user; prints `ID STATUS ROLE NAME`.",
            discussion: """
                A name has small letters, digits and . _ - @. A password has at least \
                \(Accounts.minimumPasswordBytes) bytes.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var password: PasswordOptions
        @Argument(help: ArgumentHelp("What is typed at the login.", valueName: "name"))
        var name: String
        @Flag(name: .long, help: "The user administers the node: everything, in every project.")
        var admin = false

        func run() throws {
            let password = try password.read()
            try global.withNode(grants: true) { node in
                let request = UserRequest(
                    name: name, password: password, administrator: admin ? true : nil)
                try UserOutput.print(try node.addUser(request), json: output.json)
            }
        }
    }

    struct Ls: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List users: a line `ID STATUS ROLE NAME` for each, oldest first.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            try global.withNode(grants: true) { node in
                var out = StandardOutput()
                try node.forEachUser { user in
                    try Interruption.cancellation.check()
                    try UserOutput.write(line: user, json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a user and the projects.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var user: UserArgument

        func run() throws {
            try global.withNode(grants: true) { node in
                let user = try node.user(matching: user.text)
                var out = StandardOutput()
                if output.json {
                    try out.writeJSON(user)
                } else {
                    try UserOutput.write(user, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Password: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a new password; every login of the user ends.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var password: PasswordOptions
        @OptionGroup var user: UserArgument

        func run() throws {
            let password = try password.read()
            try global.withNode(grants: true) { node in
                try UserOutput.print(
                    try node.setPassword(password, ofUser: user.text), json: output.json)
            }
        }
    }

    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take everything from a user at once: logins end, keys made by the user count no more.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var user: UserArgument

        func run() throws {
            try global.withNode(grants: true) { node in
                try UserOutput.print(try node.setUser(user.text, isEnabled: false), json: output.json)
            }
        }
    }

    struct Enable: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a disabled user log in again.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var user: UserArgument

        func run() throws {
            try global.withNode(grants: true) { node in
                try UserOutput.print(try node.setUser(user.text, isEnabled: true), json: output.json)
            }
        }
    }
}

/// The argument of the verbs that are about one user.
struct UserArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The name or the id of a user.", valueName: "user"))
    var text: String
}
