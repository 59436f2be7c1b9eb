import Access
import ArgumentParser
import Catalog
import NodeCore

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
                Programs send the token as `Authorization: Bearer TOKEN`. With --parent the key is narrowed
                from another one: what is not said is taken over, nothing can go beyond it, and it ends
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
                "Where: node, project:ID, namespace:PROJECT/NAME[/PATH], archive:PROJECT/NAME (default: the project).",
                valueName: "scope"))
        var scope: String?
        @Option(name: .long, help: ArgumentHelp("In whose name (default: default).", valueName: "id"))
        var project: String?
        @Option(name: .long, help: ArgumentHelp("How many requests in all.", valueName: "count"))
        var maxUses: Int64?
        @Option(
            name: .long, help: ArgumentHelp("The most bytes of one upload, as 10MiB.", valueName: "bytes"))
        var maxFileBytes: String?
        @Option(
            name: .long, help: ArgumentHelp("The most bytes of all uploads, as 5GiB.", valueName: "bytes"))
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

        private static let operations = Operation.allCases.map(\.rawValue)

        func validate() throws {
            if name.isEmpty || name.utf8.count > GrantRecord.maximumNameBytes {
                throw ValidationError("--name needs 1 to \(GrantRecord.maximumNameBytes) bytes")
            }
        }

        func run() throws {
            let now = TimeText.now()
            var draft = GrantDraft(
                name: name, operations: try OperationSet(text: allow.joined(separator: ",")))
            draft.limits = try limits(now: now)
            draft.scope = try scope.map { try Resource(text: $0) }
            if let project {
                guard let id = ProjectID(checked: project) else { throw AccessError.projectAbsent(project) }
                draft.project = id
            }
            try global.withAuthority { authority in
                var draft = draft
                if let parent {
                    let parent = try authority.grants.grant(matching: parent, by: .localAdministrator)
                    draft.parent = parent.id
                    if project == nil { draft.project = parent.project }
                } else if project == nil, let project = draft.scope?.project {
                    draft.project = project
                }
                let issued = try authority.grants.create(draft, by: .localAdministrator)
                var out = StandardOutput()
                if output.json {
                    let report = try authority.grants.report(issued.grant.id, by: .localAdministrator)
                    try out.write(
                        bytes: JSONLine.encode(KeyJSON(report, token: issued.token.text)) + [0x0A])
                } else {
                    try out.write(line: issued.token.text)
                }
                try out.flush()
                Terminal.note("key \(issued.grant.id): keep the token, it is not shown again")
            }
        }

        private func limits(now: Int64) throws -> GrantLimits {
            var limits = GrantLimits()
            limits.maximumUses = maxUses
            limits.maximumFileBytes = try maxFileBytes.map { try KeyTime.bytes($0, "--max-file-bytes") }
            limits.maximumBytes = try maxBytes.map { try KeyTime.bytes($0, "--max-bytes") }
            limits.expires = try expires.map { try KeyTime.parse($0, now: now, "--expires") }
            limits.notBefore = try notBefore.map { try KeyTime.parse($0, now: now, "--not-before") }
            limits.contentTypes = try contentType.map { try ContentTypePattern(text: $0) }
            limits.sources = try from.map { try AddressRange(text: $0) }
            limits.referrers = try referrer.map { try ReferrerPattern(text: $0) }
            return limits
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
            var filter = GrantFilter()
            filter.project = project.map { ProjectID(rawValue: $0) }
            try global.withAuthority { authority in
                var out = StandardOutput()
                var next: GrantID?
                repeat {
                    try Interruption.cancellation.check()
                    let page = try authority.grants.list(
                        filter, after: next, limit: 1000, by: .localAdministrator)
                    for report in page.grants
                    where all || report.status == .active || report.status == .notYetValid {
                        try KeyOutput.write(line: report, json: output.json, to: &out)
                    }
                    next = page.next
                } while next != nil
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
            try global.withAuthority { authority in
                var out = StandardOutput()
                for key in keys {
                    let grant = try authority.grants.grant(
                        matching: try KeyName.name(key), by: .localAdministrator)
                    let report = try authority.grants.report(grant.id, by: .localAdministrator)
                    if output.json {
                        try KeyOutput.write(line: report, json: true, to: &out)
                    } else {
                        try KeyOutput.write(report, to: &out)
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
            try global.withAuthority { authority in
                let urls = keys.compactMap(SignedText.init)
                let keys = keys.filter { SignedText($0) == nil }
                // All are looked up before the first is revoked: a mistyped name revokes nothing.
                let ids = try keys.compactMap { key throws -> GrantID? in
                    do {
                        return try authority.grants.grant(
                            matching: try KeyName.name(key), by: .localAdministrator
                        ).id
                    } catch CatalogError.damagedRow(_, let id) where id == key {
                        // Nobody can read what it allowed; by its id it can go all the same.
                        try authority.grants.remove(GrantID(text: id), by: .localAdministrator)
                        Terminal.note("removed the damaged row \(id)")
                        return nil
                    }
                }
                for url in urls {
                    try url.revoke(authority)
                    Terminal.note("the signed URL counts no more")
                }
                var out = StandardOutput()
                for id in ids {
                    _ = try authority.grants.revoke(id, by: .localAdministrator)
                    try KeyOutput.write(
                        line: try authority.grants.report(id, by: .localAdministrator), json: output.json,
                        to: &out)
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
                Signed URLs, logins and stored secrets (the keys of names) are lost then; keys go on. If there
                is a backup of secrets/master-key, put that back instead.
                """)

        @OptionGroup var global: GlobalOptions

        func run() throws {
            try global.withAuthority(lostMasterKey: .replace) { _ in }
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
