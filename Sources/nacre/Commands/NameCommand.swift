import ArgumentParser
import BlockStorage
import Catalog
import IPNS
import Multiformats
import NodeCore

struct NameCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "name", abstract: "Names that stay while what they point to changes (IPNS, DNSLink).",
        discussion: """
            A name is a key, which this data directory keeps, and a label, which is what you call it here.
            NAME is the label, or the key's text (k51…, 12D3…).
            """,
        subcommands: [
            Create.self, Publish.self, Resolve.self, Ls.self, Show.self, Record.self, Put.self, Import.self,
            Export.self, Rm.self,
        ])

    @OptionGroup var global: GlobalOptions
}

/// The argument of the verbs that are about one name.
struct NameArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The label or the key of a name.", valueName: "name"), completion: .names)
    var text: String
}

extension NameCommand {
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a name with a new Ed25519 key; prints `KEY LABEL`.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("What to call it here.", valueName: "label"))
        var label: String

        func run() throws {
            try global.withNode { node in
                var out = StandardOutput()
                let entry = try node.createName(label)
                if output.json {
                    try out.writeJSON(NameJSON(entry))
                } else {
                    try out.write(line: entry.id.ipnsName + " " + entry.label)
                }
                try out.flush()
            }
        }
    }

    struct Publish: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a name point to content; prints `/ipns/KEY TARGET`.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var name: NameArgument
        @Argument(
            help: ArgumentHelp(
                "/ipfs/CID/…, /ipns/NAME/…, or CID, CID/PATH or the name of a pin.", valueName: "target"),
            completion: .pins)
        var target: String
        @Option(
            name: .long,
            help: ArgumentHelp("How long the record is valid: 48h if never given.", valueName: "duration"))
        var lifetime: String?
        @Option(
            name: .long,
            help: ArgumentHelp(
                "How long others may rely on it without looking again: 5m if never given.",
                valueName: "duration"))
        var ttl: String?
        @Option(
            name: .long,
            help: ArgumentHelp("Only if the name is at this sequence.", valueName: "sequence"))
        var expect: UInt64?
        @Flag(name: .customLong("v2-only"), help: "Leave out the fields for readers of before 2021.")
        var onlyV2 = false

        func run() throws {
            var options = PublishOptions()
            options.lifetime = try Self.duration("--lifetime", lifetime)
            options.ttl = try Self.duration("--ttl", ttl)
            options.expectedSequence = expect
            options.fields = onlyV2 ? .onlyV2 : .bothVersions
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                let entry = try node.name(name.text)
                let path = try node.target(target)
                if case .ipfs(let cid) = path.root, !cid.isIdentity, try node.store.size(of: cid) == nil {
                    Terminal.warn("\(cid) is not in this data directory; the name points there all the same")
                }
                let published = try node.publish(path, as: entry, options: options)
                if output.json {
                    try out.writeJSON(NameJSON(published))
                } else {
                    try out.write(line: "/ipns/\(published.id.ipnsName) \(path)")
                }
                try out.flush()
            }
        }

        static func duration(_ option: String, _ text: String?) throws -> Duration? {
            guard let text else { return nil }
            guard let duration = DurationText.parse(text) else {
                throw ValidationError("\(option) is a length of time such as 90s, 24h or 30d")
            }
            return duration
        }
    }

    struct Resolve: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print where a name leads in the end: /ipfs/CID/….")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(
            help: ArgumentHelp(
                "A label, a key, a domain with a DNSLink, or /ipns/… with a path below.", valueName: "name"),
            completion: .names)
        var text: String

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                let resolution = try node.resolve(node.namePath(text))
                if output.json {
                    try out.writeJSON(ResolutionJSON(resolution))
                } else {
                    try out.write(line: resolution.path.description)
                }
                try out.flush()
            }
        }
    }

    struct Ls: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List names: a line `KEY SEQUENCE VALID-UNTIL TARGET LABEL` for each, by label.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                var last: NameEntry?
                repeat {
                    let page = try node.catalog.names.list(owner: .default, after: last)
                    for entry in page {
                        try Interruption.cancellation.check()
                        try NameOutput.write(entry, json: output.json, to: &out)
                    }
                    last = page.last
                } while last != nil
                try out.flush()
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a name and where it pointed before, newest first.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var name: NameArgument
        @Option(name: .long, help: ArgumentHelp("At most so many old targets.", valueName: "count"))
        var limit = 100

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                let entry = try node.name(name.text)
                let versions = try node.catalog.names.versions(of: entry.id, limit: limit)
                if output.json {
                    try out.writeJSON(NameJSON(entry, versions))
                } else {
                    try NameOutput.write(entry, versions, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Rm: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove names with their keys. Without an export nobody can publish under them again.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(
            help: ArgumentHelp("The labels or the keys of names.", valueName: "name"), completion: .names)
        var texts: [String]

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                // All are looked up before the first is removed: a mistyped name removes nothing.
                for entry in try texts.map({ try node.name($0) }) {
                    try node.removeName(entry)
                    try NameOutput.write(entry, json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }
}

extension CompletionKind {
    /// The labels of names.
    static var names: CompletionKind {
        .shellCommand("nacre name ls 2>/dev/null | cut -d ' ' -f 5-")
    }
}

extension StorageNode {
    /// What a person means as the target of a name.
    fileprivate func target(_ text: String) throws -> ContentPath {
        if text.hasPrefix("/ipfs/") || text.hasPrefix("/ipns/") { return try ContentPath(text: text) }
        let reference = try ContentReference(RawArguments.bytes(of: text))
        switch reference.root {
        case .cid(let cid): return try ContentPath(root: .ipfs(cid), segments: reference.path)
        case .pinName:
            let root = try resolve(ContentReference(root: reference.root, text: text))
            return try ContentPath(root: .ipfs(root), segments: reference.path)
        }
    }

    /// What a person means by a name to resolve: a label first, then what stands behind `/ipns/`.
    fileprivate func namePath(_ text: String) throws -> ContentPath {
        if text.hasPrefix("/") { return try ContentPath(text: text) }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let root = String(parts.first ?? "")
        let rest = parts.count > 1 ? "/" + parts[1] : ""
        if let entry = try catalog.names.name(labelled: root, owner: .default) {
            return try ContentPath(text: "/ipns/" + entry.id.ipnsName + rest)
        }
        do {
            return try ContentPath(text: "/ipns/" + text)
        } catch {
            throw NameError.notFound(root)
        }
    }
}
