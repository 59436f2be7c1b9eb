import ArgumentParser
import BlockStorage
import Catalog
import IPNS
import Multiformats
import NodeCore
import NodeMessages

struct NameCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "name", abstract: "Names that stay while what they point to changes (IPNS, DNSLink).",
        discussion: """
            A name is a key, which this data directory keeps, and a label, which is what you call it here. \
            NAME is the label, or the key's text (k51…, 12D3…).
            """,
        subcommands: [
            Create.self, Publish.self, Unfollow.self, Resolve.self, Ls.self, Show.self, Record.self, Put.self,
            Import.self,
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
                let entry = try node.makeName(NameRequest(label: label))
                if output.json {
                    try out.writeJSON(entry)
                } else {
                    try out.write(line: entry.name + " " + entry.label)
                }
                try out.flush()
            }
        }
    }

    struct Publish: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a name point to content; prints `/ipns/KEY TARGET`.",
            discussion: """
                With --namespace the name follows a namespace: while the node runs, each newest state is \
                published once changes have settled, until `nacre name unfollow`, another `publish`, or the \
                end of the namespace.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var name: NameArgument
        @Argument(
            help: ArgumentHelp(
                "/ipfs/CID/…, /ipns/NAME/…, or CID, CID/PATH or the name of a pin; NAMESPACE:/PATH@VERSION "
                    + "for one state of a namespace.", valueName: "target"),
            completion: .pins)
        var target: String?
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Follow this namespace, or a folder in it; the same as the target /n/NAMESPACE/PATH.",
                valueName: "namespace[:/path]"))
        var namespace: String?
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

        func validate() throws {
            guard (target == nil) != (namespace == nil) else {
                throw ValidationError("say what the name points to: TARGET, or --namespace")
            }
        }

        func run() throws {
            let (lifetime, ttl) = (
                try Self.seconds("--lifetime", lifetime), try Self.seconds("--ttl", ttl)
            )
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                let path = try place(node)
                var request = PublishRequest(target: path)
                request.lifetimeSeconds = lifetime
                request.ttlSeconds = ttl
                request.expectedSequence = expect
                request.onlyV2 = onlyV2
                let published = try node.publishName(name.text, request)
                if output.json {
                    try out.writeJSON(published)
                } else {
                    try out.write(line: "/ipns/\(published.name) \(path)")
                }
                try out.flush()
                if let follow = published.follows,
                    try node.namespace(matching: follow.id).visibility != "public"
                {
                    Terminal.warn(
                        "\(follow.namespace) is private: only who may read it sees what the name points to "
                            + "(`nacre ns publish \(follow.namespace)` shows it to everybody)")
                }
            }
        }

        /// What the name is to point to, as the node is told.
        private func place(_ node: any NodeOperations) throws -> String {
            if let namespace {
                let parts = namespace.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                let path = parts.count == 2 ? parts[1].drop { $0 == "/" } : ""
                return "/n/\(parts[0])" + (path.isEmpty ? "" : "/" + path)
            }
            let text = target ?? ""
            if text.hasPrefix("/n/") { return text }
            let path = try node.target(text)
            if case .ipfs(let cid) = path.root, !cid.isIdentity, try node.blocks.size(of: cid) == nil {
                Terminal.warn("\(cid) is not in this data directory; the name points there all the same")
            }
            return path.description
        }

        private static func seconds(_ option: String, _ text: String?) throws -> Double? {
            guard let text else { return nil }
            guard let duration = DurationText.parse(text) else {
                throw ValidationError("\(option) is a length of time such as 90s, 24h or 30d")
            }
            let (seconds, attoseconds) = duration.components
            return Double(seconds) + Double(attoseconds) / 1e18
        }
    }

    struct Unfollow: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let names follow their namespaces no more; they stay where they point.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(
            help: ArgumentHelp("The labels or the keys of names.", valueName: "name"), completion: .names)
        var texts: [String]

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                for text in texts {
                    try NameOutput.write(try node.unfollowName(text), json: output.json, to: &out)
                }
                try out.flush()
            }
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
                let resolution = try node.resolveName(text)
                if output.json {
                    try out.writeJSON(resolution)
                } else {
                    try out.write(line: resolution.path)
                }
                try out.flush()
            }
        }
    }

    struct Ls: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List names: a line `KEY SEQUENCE VALID-UNTIL TARGET LABEL` for each, by label.",
            discussion: "The target of a name that follows a namespace is /n/NAMESPACE/PATH.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                try node.forEachName { entry in
                    try Interruption.cancellation.check()
                    try NameOutput.write(entry, json: output.json, to: &out)
                }
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
                let entry = try node.name(name.text, history: max(0, limit))
                if output.json {
                    try out.writeJSON(entry)
                } else {
                    try NameOutput.write(entry, to: &out)
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
                for entry in try texts.map({ try node.name($0, history: 0) }) {
                    _ = try node.removeName(entry.name)
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

extension NodeOperations {
    /// What a person means as the target of a name.
    fileprivate func target(_ text: String) throws -> ContentPath {
        if text.hasPrefix("/ipfs/") || text.hasPrefix("/ipns/") { return try ContentPath(text: text) }
        let reference = try ContentReference(RawArguments.bytes(of: text))
        switch reference.root {
        case .cid(let cid): return try ContentPath(root: .ipfs(cid), segments: reference.path)
        case .pinName, .namespace:
            let root = try resolve(ContentReference(root: reference.root, text: text))
            return try ContentPath(root: .ipfs(root), segments: reference.path)
        }
    }
}
