import Access
import ArgumentParser
import Catalog
import NodeCore
import NodeMessages

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Make, list and revoke keys: who may do what, how often, how much, until when; sign URLs.",
        subcommands: [
            Create.self, Ls.self, Show.self, Revoke.self, Sign.self, ResetMaster.self,
        ])

    @OptionGroup var global: GlobalOptions
}

extension KeyCommand {
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key. Its token is printed this once, alone on standard output.",
            discussion: """
                Programs send the token as `Authorization: Bearer TOKEN`. With --parent the key is narrowed \
                from another one: what is not said is taken over, nothing can go beyond it, and it ends \
                with it.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Option(name: .long, help: "What you call it.")
        var name: String
        @Option(
            name: .long,
            help: ArgumentHelp(
                "What it may do, separated by commas: \(Self.operations.joined(separator: ", ")).",
                valueName: "operations"),
            completion: .list(Self.operations))
        var allow: [String]
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Where: node, project:PROJECT, namespace:PROJECT/NAME[/PATH], archive:PROJECT/NAME (default: the project).",
                valueName: "scope"))
        var scope: String?
        @Option(name: .long, help: ArgumentHelp("In whose name (default: default).", valueName: "id"))
        var project: String?
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp("How many requests in all.", valueName: "count"))
        var maxUses: Int64?
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp("The most bytes of one upload, as 10MiB.", valueName: "bytes"))
        var maxFileBytes: String?
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp("The most bytes of all uploads, as 5GiB.", valueName: "bytes"))
        var maxBytes: String?
        @Option(
            name: .long,
            help: ArgumentHelp("When it ends: a duration as 30d, or a time.", valueName: "when"))
        var expires: String?
        @Option(
            name: .long,
            help: ArgumentHelp("When it begins: a duration from now, or a time.", valueName: "when"))
        var notBefore: String?
        @Option(
            name: .long,
            help: ArgumentHelp("Only uploads of this type, as image/* (repeatable).", valueName: "type"))
        var contentType: [String] = []
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Only from this address or range, as 10.0.0.0/8 (repeatable).", valueName: "range"))
        var from: [String] = []
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Only from pages below this one, as https://example.org (repeatable).", valueName: "page"))
        var referrer: [String] = []
        @Option(name: .long, help: ArgumentHelp("The key to narrow: its id or name.", valueName: "key"))
        var parent: String?
        @Option(
            name: .long,
            help: ArgumentHelp(
                "On behalf of this user: it allows no more than the user may, and ends with that.",
                valueName: "user"))
        var user: String?

        private static let operations = Operation.allCases.map(\.rawValue)

        func validate() throws {
            if name.isEmpty || name.utf8.count > GrantRecord.maximumNameBytes {
                throw ValidationError("--name needs 1 to \(GrantRecord.maximumNameBytes) bytes")
            }
            try KeyTime.checkUses(maxUses)
        }

        func run() throws {
            let request = try request(now: TimeText.now())
            try global.withNode(grants: true) { node in
                let made = try node.makeGrant(request)
                var out = StandardOutput()
                if output.json {
                    try out.writeJSON(made)
                } else {
                    try out.write(line: made.token ?? "")
                }
                try out.flush()
                if let others = made.namesakes {
                    Terminal.warn(
                        "other keys that count are named \(name) too (\(others.prefix(5).joined(separator: ", "))): "
                            + "show and revoke them by their ids")
                }
                Terminal.note("key \(made.id): keep the token, it is not shown again")
            }
        }

        /// Everything is read here once, so that a mistyped limit is told before anybody is asked.
        private func request(now: Int64) throws -> GrantRequest {
            let operations = try OperationSet(text: allow.joined(separator: ","))
            var request = GrantRequest(name: name, operations: operations.operations.map(\.rawValue))
            request.scope = try scope.map { try Resource(text: $0).description }
            request.project = project
            request.parent = parent
            request.user = user
            request.maxUses = maxUses
            request.maxFileBytes = try maxFileBytes.map { try KeyTime.bytes($0, "--max-file-bytes") }
            request.maxBytes = try maxBytes.map { try KeyTime.bytes($0, "--max-bytes") }
            request.expires = try expires.map { try KeyTime.expiry($0, now: now) }
            request.notBefore = try notBefore.map { try KeyTime.parse($0, now: now, "--not-before") }
            request.contentTypes = try contentType.map { try ContentTypePattern(text: $0).description }
            request.from = try from.map { try AddressRange(text: $0).description }
            request.referrers = try referrer.map { try ReferrerPattern(text: $0).description }
            return request
        }
    }

    struct Ls: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List keys: a line `ID STATUS OPERATIONS SCOPE EXPIRES NAME` for each, oldest first.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Option(name: .long, help: ArgumentHelp("Only keys of this project.", valueName: "id"))
        var project: String?
        @Flag(name: .long, help: "Also those that were revoked, have ended or are used up.")
        var all = false

        func run() throws {
            try global.withNode(grants: true) { node in
                var out = StandardOutput()
                try node.forEachGrant(project: project) { grant in
                    try Interruption.cancellation.check()
                    guard all || ["active", "not-yet-valid"].contains(grant.status) else { return }
                    try KeyOutput.write(line: grant, json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what keys allow and how much of it is used.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("Ids or names of keys, or tokens.", valueName: "key"))
        var keys: [String]

        func run() throws {
            try global.withNode(grants: true) { node in
                var out = StandardOutput()
                for key in keys {
                    let grant = try node.grant(matching: try KeyName.name(key))
                    if output.json {
                        try out.writeJSON(grant)
                    } else {
                        try KeyOutput.write(grant, to: &out)
                    }
                }
                try out.flush()
            }
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Revoke keys, and with each all that were narrowed from it; or signed URLs. It works at once."
        )

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("Ids or names of keys, tokens, or signed URLs.", valueName: "key"))
        var keys: [String]

        func run() throws {
            let urls = keys.filter(SignedText.isSigned)
            try global.withNode(grants: true) { node in
                // All are looked up before the first is revoked: a mistyped name revokes nothing.
                let found = try keys.filter { !SignedText.isSigned($0) }.compactMap {
                    key throws -> GrantMessage? in
                    do {
                        return try node.grant(matching: try KeyName.name(key))
                    } catch  where Failure.isDamagedRow(error) && (try? GrantID(text: key)) != nil {
                        // Nobody can read what it allowed; by its id it can go all the same.
                        try node.removeDamagedGrant(key)
                        Terminal.note("removed the damaged row \(key)")
                        return nil
                    }
                }
                for url in urls {
                    try node.revokeSignedURL(url)
                    Terminal.note("the signed URL counts no more")
                }
                var out = StandardOutput()
                for grant in found {
                    try KeyOutput.write(line: try node.revokeGrant(grant.id), json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct ResetMaster: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset-master",
            abstract: "Accept a new master key after the old one was lost.",
            discussion: """
                Signed URLs, logins and stored secrets (the keys of names) are lost then; keys go on. If \
                there is a backup of secrets/master-key, put that back instead. A node that runs still holds \
                the key: it puts the file back, and nothing is lost.
                """)

        @OptionGroup var global: GlobalOptions

        func run() throws {
            try global.withNode(lostMasterKey: .replace, grants: true) { try $0.confirmMasterKey() }
            Terminal.note("this data directory has a master key that fits its catalog")
        }
    }
}

/// How a person names a key.
enum KeyName {
    /// A token names its key: the secret in it is not looked at, but a mistyped one is told apart.
    static func name(_ text: String) throws(AccessError) -> String {
        text.hasPrefix(GrantToken.prefix) ? try GrantToken(text: text).id.text : text
    }
}
