import Access
import ArgumentParser
import NodeCore
import NodeMessages

extension NamespaceCommand {
    struct Share: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Links to files and folders, for people without a key.",
            discussion: """
                A link stays with its file or folder wherever that is moved and whatever it is called, and \
                has ended when that is deleted. `nacre ns share NAMESPACE:/PATH` makes one.
                """,
            subcommands: [Add.self, ListLinks.self, Remove.self], defaultSubcommand: Add.self)

        @OptionGroup var global: GlobalOptions
    }

    struct Members: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Users who may use a namespace besides its project.",
            discussion: """
                `nacre ns members NAMESPACE` lists them, `nacre ns members NAMESPACE add USER --role \
                ROLE` makes a user a member or changes the role, `nacre ns members NAMESPACE rm USER` \
                ends that. An owner may do everything with the namespace, an editor reads and changes \
                what is in it, a writer_only brings files in and sees its own, a viewer reads.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @Argument(
            help: ArgumentHelp("`add` or `rm`; the members are listed without it.", valueName: "what"),
            completion: .list(["add", "rm"]))
        var deed: String?
        @Argument(help: ArgumentHelp("A user, by name or id.", valueName: "user"))
        var user: String?
        @Option(
            name: .long, help: ArgumentHelp("What the user is to be.", valueName: "role"),
            completion: .list(["owner", "editor", "writer_only", "viewer"]))
        var role: String?

        func validate() throws {
            switch deed {
            case nil: break
            case "add":
                guard user != nil, role != nil else {
                    throw ValidationError("say who is to be what: add USER --role ROLE")
                }
                return
            case "rm":
                guard user != nil else { throw ValidationError("say who is to go: rm USER") }
            case let other?:
                throw ValidationError(
                    "\(other.prefix(40)) is neither add nor rm: `nacre ns members NAMESPACE add USER --role ROLE`, "
                        + "or `nacre ns members NAMESPACE rm USER`")
            }
            if role != nil { throw ValidationError("--role goes with add") }
        }

        func run() throws {
            try global.withNode(.existing, grants: true) { node in
                var out = StandardOutput()
                let text = namespace.namespaceText
                switch (deed, user) {
                case ("add", let user?):
                    try write(
                        try node.setMember(user, role: role ?? "", ofNamespace: text), to: &out)
                case ("rm", let user?):
                    try write(try node.removeMember(user, ofNamespace: text), to: &out)
                default: try node.forEachMember(ofNamespace: text) { try write($0, to: &out) }
                }
                try out.flush()
            }
        }

        private func write(_ member: NamespaceMemberMessage, to out: inout StandardOutput) throws {
            if output.json { return try out.writeJSON(member) }
            try out.write(line: "\(member.name ?? member.user) \(member.role)")
        }
    }
}

extension NamespaceCommand.Share {
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a link; prints its URL, which is told this once.",
            discussion: """
                Whoever has the URL may read what is there, or with --upload bring files in and see \
                none. With a password, a browser asks for it, and curl gives it by `-u :PASSWORD`. A \
                use is an answer with content, or a file that was brought in.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(
            help: ArgumentHelp(
                "A namespace, or a file or folder in it: recipes, recipes:/Soup.pdf.",
                valueName: "namespace:/path"))
        var place: String
        @Flag(name: .long, help: "Let files be brought into the folder, and show none of it.")
        var upload = false
        @Option(
            name: .long,
            help: ArgumentHelp("When it ends: a duration as 30d, or a time.", valueName: "when"))
        var expires: String?
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp("How many uses in all.", valueName: "count"))
        var maxUses: Int64?
        @Flag(name: .long, help: "Ask for a password; it is asked for here on the terminal.")
        var password = false
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Ask for the password in this file, or on standard input for -.", valueName: "file"),
            completion: .file())
        var passwordFile: String?
        @Option(
            name: .long,
            help: ArgumentHelp("Only from pages such as https://example.org/shop/.", valueName: "page"))
        var referrer: [String] = []
        @Option(
            name: .long, help: ArgumentHelp("Only from this address or range.", valueName: "range"))
        var from: [String] = []
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp("The most bytes of one file that is brought in.", valueName: "bytes"))
        var maxFileBytes: String?
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp("The most bytes of all files that are brought in.", valueName: "bytes"))
        var maxBytes: String?
        @Option(
            name: .long,
            help: ArgumentHelp("Only files of this type are brought in, as image/*.", valueName: "type"))
        var contentType: [String] = []

        func validate() throws {
            try KeyTime.checkUses(maxUses)
            if !upload, maxFileBytes != nil || maxBytes != nil || !contentType.isEmpty {
                throw ValidationError(
                    "--max-file-bytes, --max-bytes and --content-type are about what is brought in: they go "
                        + "with --upload")
            }
        }

        func run() throws {
            let (namespace, request) = try request(now: TimeText.now())
            try global.withNode(.existing, grants: true) { node in
                var made = try node.makeLink(request, inNamespace: namespace)
                if made.url == nil, let location = made.location {
                    made.url = try base(node) + location
                }
                var out = StandardOutput()
                if output.json {
                    try out.writeJSON(made)
                } else {
                    try out.write(line: made.url ?? "")
                }
                try out.flush()
                Terminal.note("link \(made.id): keep the URL, it is not shown again")
            }
        }

        /// Where the node that is worked with answers, or would.
        private func base(_ node: any NodeOperations) throws -> String {
            if let address = node.address { return address }
            let configuration = try global.localConfiguration()
            let scheme = configuration[.tlsCertificate].isEmpty ? "http" : "https"
            // Every network is no address to go to.
            let listen = configuration[.listen].replacing("0.0.0.0", with: "127.0.0.1")
            return scheme + "://" + listen.replacing("[::]", with: "[::1]")
        }

        /// Everything is read here once, so that a mistyped limit is told before anybody is asked.
        private func request(now: Int64) throws -> (namespace: String, LinkRequest) {
            let parts = place.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            var request = LinkRequest(
                path: parts.count == 2 ? String(parts[1]) : nil, role: upload ? "writer_only" : nil)
            request.expires = try expires.map { try KeyTime.expiry($0, now: now) }
            request.maxUses = maxUses
            request.maxFileBytes = try maxFileBytes.map { try KeyTime.bytes($0, "--max-file-bytes") }
            request.maxBytes = try maxBytes.map { try KeyTime.bytes($0, "--max-bytes") }
            request.contentTypes = try contentType.map { try ContentTypePattern(text: $0).description }
            request.from = try from.map { try AddressRange(text: $0).description }
            request.referrers = try referrer.map { try ReferrerPattern(text: $0).description }
            if password || passwordFile != nil {
                var options = PasswordOptions()
                options.passwordFile = passwordFile
                request.password = try options.read()
            }
            return (String(parts[0]), request)
        }
    }

    struct ListLinks: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls",
            abstract: "List links: a line `ID STATUS ROLE EXPIRES USES PATH` for each, oldest first.",
            discussion: """
                USES is how often it was used, of how often it may be. Behind the path stands what else a \
                link asks for or allows: password, from, referrer, max-file-bytes, max-bytes (with what came \
                of it), content-type.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @Flag(name: .long, help: "Also those that were taken back, have ended or are used up.")
        var all = false

        func run() throws {
            try global.withNode(.existing, grants: true) { node in
                var out = StandardOutput()
                try node.forEachLink(inNamespace: namespace.namespaceText) { link in
                    try Interruption.cancellation.check()
                    guard all || link.status == "active" else { return }
                    try LinkOutput.write(link, json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "End links, at once.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("Ids of links, as `nacre ns share ls` prints them.", valueName: "id"))
        var ids: [String]

        func run() throws {
            try global.withNode(.existing, grants: true) { node in
                var out = StandardOutput()
                for id in ids {
                    try LinkOutput.write(try node.removeLink(id), json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }
}

/// How links are printed.
enum LinkOutput {
    static func write(_ link: LinkMessage, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(link) }
        let uses = "\(link.uses)/" + (link.maxUses.map(String.init) ?? "any")
        let path = link.path.map { "/" + PathText.printable($0.utf8) } ?? "(deleted)"
        let line = "\(link.id) \(link.status) \(link.role) \(link.expires ?? "never") \(uses) \(path)"
        let locks = locks(link)
        try out.write(line: locks.isEmpty ? line : line + "  (" + locks.joined(separator: ", ") + ")")
    }

    /// What a link asks for or allows besides; never what its password is.
    private static func locks(_ link: LinkMessage) -> [String] {
        var locks = link.password ? ["password"] : []
        locks += link.from.map { "from " + $0 } + link.referrers.map { "referrer " + $0 }
        if let bytes = link.maxFileBytes { locks.append("max-file-bytes \(ByteCount.text(bytes))") }
        if let bytes = link.maxBytes {
            locks.append("max-bytes \(ByteCount.text(link.bytes)) of \(ByteCount.text(bytes))")
        }
        return locks + link.contentTypes.map { "content-type " + $0 }
    }
}
