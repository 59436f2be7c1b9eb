import ArgumentParser
import Catalog
import Multiformats
import NodeCore
import NodeMessages

struct PinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Keep roots and everything below them.",
        subcommands: [Add.self, Ls.self, Rm.self, Wait.self, Publish.self, Unpublish.self])

    @OptionGroup var global: GlobalOptions
}

extension PinCommand {
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Pin roots that the data directory holds; everything below is checked to be there.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(
            help: ArgumentHelp("CID, CID/PATH or the name of a pin.", valueName: "what"), completion: .pins)
        var references: [String]
        @Option(name: .long, help: "The pin's name.")
        var name: String?
        @Flag(name: .long, help: "Only the owner reads it through the gateway.")
        var `private` = false

        func validate() throws { try name.map(PinName.check) }

        func run() throws {
            let parsed = try references.map { try ContentReference(RawArguments.bytes(of: $0)) }
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                for reference in parsed {
                    let cid = try node.resolve(reference)
                    let bar = ProgressBar("pinning", unit: "blocks")
                    let request = PinRequest(
                        cid: cid.description, name: name ?? "",
                        visibility: self.private ? "private" : nil)
                    let pinned = try node.pin(request, bar.watch)
                    bar.finish()
                    try PinOutput.write(pinned, json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Ls: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List pins: a line `CID STATUS VISIBILITY CREATED NAME` for each, oldest first.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(
            help: ArgumentHelp("Only the pins of these roots, ids or names.", valueName: "pin"),
            completion: .pins)
        var texts: [String] = []
        @Option(name: .long, help: ArgumentHelp("Only names that begin so.", valueName: "prefix"))
        var name: String?
        @Option(
            name: .long, help: ArgumentHelp("queued, pinning, pinned or failed.", valueName: "status"),
            completion: .list(["queued", "pinning", "pinned", "failed"]))
        var status: String?
        @Flag(name: [.long, .customShort("q")], help: "Print only CIDs.")
        var quiet = false

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                let write = { (pin: PinMessage) throws in
                    if quiet {
                        try out.write(line: pin.cid)
                    } else {
                        try PinOutput.write(pin, json: output.json, to: &out)
                    }
                }
                if texts.isEmpty {
                    var query = PinQuery()
                    query.namePrefix = name
                    if let status, PinStatus(rawValue: status) == nil {
                        throw ValidationError("--status is queued, pinning, pinned or failed")
                    }
                    query.status = status
                    try node.forEachPin(query) { pin in
                        try Interruption.cancellation.check()
                        try write(pin)
                    }
                } else {
                    for text in texts { for pin in try node.pins(matching: text) { try write(pin) } }
                }
                try out.flush()
            }
        }
    }

    struct Rm: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove pins. What nothing else keeps goes with the next `nacre gc`.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("Roots, ids or names of pins.", valueName: "pin"), completion: .pins)
        var texts: [String]
        @Flag(name: .long, help: "Where several roots have the name: all of them.")
        var all = false

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                // All are looked up before the first is removed: a mistyped name removes nothing.
                let found = try texts.map { text throws -> [PinMessage] in
                    do {
                        return try node.pins(of: text, all: all)
                    } catch  where Failure.isDamagedRow(error) && (try? PinID(text: text)) != nil {
                        // Nobody can read what it kept; by its id it can go all the same.
                        _ = try node.removeDamagedPin(text)
                        Terminal.note("removed the damaged row \(text); what it kept is pinned no more")
                        return []
                    }
                }
                for pin in found.joined() where try node.removePin(pin.id) {
                    try PinOutput.write(pin, json: output.json, to: &out)
                }
                try out.flush()
            }
        }
    }

    struct Wait: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Wait until pins are pinned; fails if one has failed or lacks blocks that nobody brings.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("Roots, ids or names of pins.", valueName: "pin"), completion: .pins)
        var texts: [String]

        func run() throws {
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                for pin in try texts.flatMap({ try node.pins(matching: $0) }) {
                    let current = try node.completePin(
                        pin.id, Watch(cancellation: Interruption.cancellation))
                    try PinOutput.write(current, json: output.json, to: &out)
                    if current.status != "pinned" {
                        try out.flush()
                        throw CommandError(
                            .partlyDone,
                            "pin \(pin.name.isEmpty ? pin.cid : pin.name) lacks blocks; import them (`nacre car import`)"
                        )
                    }
                }
                try out.flush()
            }
        }
    }

    struct Publish: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let anybody read what pins keep.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("Roots, ids or names of pins.", valueName: "pin"), completion: .pins)
        var texts: [String]
        @Flag(name: .long, help: "Where several roots have the name: all of them.")
        var all = false
        func run() throws {
            try PinOutput.setVisibility("public", of: texts, all: all, global, json: output.json)
        }
    }

    struct Unpublish: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let only the owner read what pins keep.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("Roots, ids or names of pins.", valueName: "pin"), completion: .pins)
        var texts: [String]
        @Flag(name: .long, help: "Where several roots have the name: all of them.")
        var all = false
        func run() throws {
            try PinOutput.setVisibility("private", of: texts, all: all, global, json: output.json)
        }
    }
}

/// What a pin may be called: what can be said again in `NAME/PATH`.
enum PinName {
    static func check(_ name: String) throws {
        if name.isEmpty { throw ValidationError("--name needs a name") }
        if name.contains("/") {
            throw ValidationError("a pin's name has no /, since NAME/PATH is how what lies below is called")
        }
        if name.utf8.count > Pin.maximumNameBytes {
            throw ValidationError("a pin's name has at most \(Pin.maximumNameBytes) bytes")
        }
    }
}

/// How pins are printed.
private enum PinOutput {
    static func write(_ pin: PinMessage, json: Bool, to out: inout StandardOutput) throws {
        if json {
            try out.writeJSON(pin)
        } else {
            try out.write(
                line: "\(pin.cid) \(pin.status) \(pin.visibility) \(pin.created) "
                    + PathText.printable(pin.name.utf8))
        }
    }

    static func setVisibility(
        _ visibility: String, of texts: [String], all: Bool, _ global: GlobalOptions, json: Bool
    ) throws {
        try global.withNode(.existing) { node in
            var out = StandardOutput()
            let pins = try texts.flatMap { try node.pins(of: $0, all: all) }
            for pin in pins {
                let watch = Watch(cancellation: Interruption.cancellation)
                try write(try node.setVisibility(visibility, ofPin: pin.id, watch), json: json, to: &out)
            }
            try out.flush()
            if visibility == "private" { noteStillPublic(pins, node) }
        }
    }

    /// Says which other pins show the same roots.
    private static func noteStillPublic(_ pins: [PinMessage], _ node: any NodeOperations) {
        var seen: Set<String> = []
        for pin in pins where seen.insert(pin.cid).inserted {
            var query = PinQuery()
            query.cid = pin.cid
            query.visibility = "public"
            var others: [String] = []
            // It is done: a list that cannot be read takes nothing from it.
            try? node.forEachPin(query) { other in
                let name = PathText.printable(other.name.utf8)
                others.append(name.isEmpty ? other.id : "\(name) (\(other.id))")
            }
            guard !others.isEmpty else { continue }
            let more = others.count > 5 ? " and \(others.count - 5) more" : ""
            Terminal.note(
                "\(pin.cid) is still public by pin \(others.prefix(5).joined(separator: ", pin "))\(more)")
        }
    }
}

extension NodeOperations {
    /// The pins that a person means to change: those of one root, unless all are asked for.
    ///
    /// - Throws: `ambiguousPin` where several roots have the name.
    fileprivate func pins(of text: String, all: Bool) throws -> [PinMessage] {
        let found = try pins(matching: text)
        let roots = Set(found.map(\.cid)).count
        guard all || roots == 1 else { throw NodeError.ambiguousPin(name: text, count: roots) }
        return found
    }
}
