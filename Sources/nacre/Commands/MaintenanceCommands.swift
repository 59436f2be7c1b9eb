import ArgumentParser
import BlockStorage
import Catalog
import Multiformats
import NodeCore
import NodeMessages
import NodeService

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every stored block against its CID, what pins and namespaces keep, and the catalog.",
        discussion: """
            Of namespaces the newest state and the kept history are looked at; nacre ns verify reads one \
            alone. Exit code 7 if anything is damaged or missing; each finding is a line.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var output: OutputOptions
    @Flag(name: .long, help: "Mend what can be mended: counters, and blocks that turn out to be right.")
    var repair = false
    @Flag(name: .long, help: "Make the block index anew from the packs first. No node may run.")
    var rebuildIndex = false
    @Flag(
        name: .long,
        help:
            "Where catalog.sqlite was lost: begin with an empty one. Nothing is pinned then. No node may run."
    )
    var newCatalog = false
    @Option(
        name: .long,
        help: ArgumentHelp("Read at most so many bytes a second, such as 50MiB.", valueName: "rate"))
    var rate: String?
    @Flag(name: [.long, .customShort("q")], help: "Print only findings.")
    var quiet = false

    func run() throws {
        let bytesPerSecond = try rate.map { text in
            guard let bytes = ByteCount.parse(text), bytes > 0 else {
                throw ValidationError("--rate is a size such as 50MiB")
            }
            return bytes
        }
        let option = rebuildIndex ? "--rebuild-index" : newCatalog ? "--new-catalog" : nil
        if let option, let named = try RemoteChoice(global).named() {
            throw Self.refusal(option, named.url)
        }
        do {
            if rebuildIndex { try rebuild() }
            try verify(bytesPerSecond)
        } catch BlockStoreError.inUse(let directory, let program, let processID) where option != nil {
            // Any other program is to be waited for.
            guard let option, let url = try RemoteChoice(global).holding(directory)?.url else {
                throw BlockStoreError.inUse(directory: directory, program: program, processID: processID)
            }
            throw Self.refusal(option, "\(url) (process \(processID))")
        }
    }

    /// Index and catalog are open in a node that serves. What is public is marked in the index, and in a
    /// new one only by the next collection: until then the node would show nothing.
    private static func refusal(_ option: String, _ node: String) -> CommandError {
        CommandError(
            .conflict,
            "\(option) needs the data directory for itself, and the node at \(node) has it open: stop that node "
                + "(`systemctl stop nacre`), run `nacre verify \(option)` on its machine, and start it again")
    }

    private func verify(_ bytesPerSecond: Int64?) throws {
        let request = VerificationRequest(bytesPerSecond: bytesPerSecond, repair: repair)
        do {
            if newCatalog {
                try global.withStorageNode(.existing, lostCatalog: .replace) {
                    try verify(try LocalNode($0, authority: nil), request)
                }
            } else {
                try global.withNode(.existing) { try verify($0, request) }
            }
        } catch let error as CatalogError where error.isDamage {
            let configuration = try Configuration.load(
                dataDirectory: global.dataDirectory, environment: Environment.current)
            let bar = ProgressBar("verifying", quiet: quiet)
            let report = try StorageNode.verifyBlocks(
                in: global.dataDirectory, configuration: configuration, afterCatalogFailure: error,
                bytesPerSecond: bytesPerSecond, cancellation: Interruption.cancellation
            ) { bar.advance(bytes: Int($0)) }
            bar.finish()
            try end(VerificationMessage(report))
        }
    }

    private func verify(_ node: any NodeOperations, _ request: VerificationRequest) throws {
        let bar = ProgressBar("verifying", unit: "pins", quiet: quiet)
        let report = try node.verify(request, bar.watch)
        bar.finish()
        try end(report)
    }

    private func end(_ report: VerificationMessage) throws {
        try print(report)
        if !report.findings.isEmpty { throw SilentExit(status: .damaged) }
    }

    private func rebuild() throws {
        let configuration = try Configuration.load(
            dataDirectory: global.dataDirectory, environment: Environment.current)
        let statistics = try PackBlockStore.rebuildIndex(
            directory: global.dataDirectory, options: configuration.storeOptions)
        Terminal.note("rebuilt the index of \(statistics.blocks) blocks from \(statistics.packs) packs")
    }

    private func print(_ report: VerificationMessage) throws {
        var out = StandardOutput()
        if output.json {
            try out.writeJSON(report)
        } else {
            for finding in report.findings { try out.write(line: finding) }
            if let more = report.moreFindings { try out.write(line: "and \(more) findings more") }
            if !quiet {
                let count = report.findings.count + (report.moreFindings ?? 0)
                let end = count == 0 ? "nothing wrong" : "\(count) findings"
                let size = ByteCount.text(report.bytes)
                let kept =
                    report.namespaces.map { ", \(report.pins) pins and \($0) namespaces" }
                    ?? " and \(report.pins) pins, no namespaces (`nacre ns verify` does)"
                try out.write(line: "verified \(report.blocks) blocks (\(size))\(kept): \(end)")
            }
        }
        try out.flush()
    }
}

struct GCCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove blocks that no pin keeps and give their space back.",
        discussion: """
            Blocks that were put within the grace period stay (gc.grace, 24h), so that nothing is taken from \
            under an add that goes on. --dry-run tells exactly what would go; --list names the roots of it.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var output: OutputOptions
    @Flag(name: .long, help: "Only tell.")
    var dryRun = false
    @Option(
        name: .long,
        help: ArgumentHelp("Keep blocks younger than this, such as 24h; 0 keeps none.", valueName: "duration")
    )
    var grace: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Rewrite packs until no more than this share is dead, such as 5%.", valueName: "share"))
    var maxUnused: String?
    @Flag(name: .long, help: "Print the root of each tree that goes, with its blocks and bytes.")
    var list = false
    @Flag(name: [.long, .customShort("q")], help: "Print nothing but errors.")
    var quiet = false

    func run() throws {
        var request = CollectionRequest()
        if let grace {
            guard let parsed = DurationText.parse(grace) else {
                throw ValidationError("--grace is a length of time such as 24h, or 0")
            }
            let (seconds, attoseconds) = parsed.components
            request.graceSeconds = Double(seconds) + Double(attoseconds) / 1e18
        }
        if let maxUnused {
            guard maxUnused.hasSuffix("%"), let share = Double(maxUnused.dropLast()),
                (0...100).contains(share)
            else {
                throw ValidationError("--max-unused is a share such as 5%")
            }
            request.maximumUnusedShare = share / 100
        }
        request.dryRun = dryRun
        request.list = list
        try global.withNode(.existing) { node in
            let bar = ProgressBar("collecting", unit: "blocks", quiet: quiet)
            let report = try node.collect(request, bar.watch)
            bar.finish()
            if list { try printTrees(report) }
            if !quiet { try print(report) }
        }
    }

    private func printTrees(_ report: CollectionMessage) throws {
        var out = StandardOutput()
        for tree in report.trees ?? [] {
            if output.json {
                try out.writeJSON(tree)
            } else {
                try out.write(
                    line: "\(tree.root) \(tree.treeBlocks) blocks, \(ByteCount.text(tree.treeBytes))")
            }
        }
        try out.flush()
        if let more = report.moreTrees { Terminal.note("and \(more) trees more") }
    }

    private func print(_ report: CollectionMessage) throws {
        var out = StandardOutput()
        if output.json {
            var figures = report
            // They have lines of their own.
            (figures.trees, figures.moreTrees) = (nil, nil)
            try out.writeJSON(figures)
        } else {
            let verb = dryRun ? "would remove" : "removed"
            try out.write(
                line:
                    "\(verb) \(report.blocks) blocks (\(ByteCount.text(report.bytes))), kept \(report.keptBlocks)"
            )
            if report.youngBlocks > 0 {
                try out.write(
                    line:
                        "\(report.youngBlocks) blocks (\(ByteCount.text(report.youngBytes))) that nothing keeps are within the grace period"
                )
            }
            if !dryRun {
                try out.write(
                    line:
                        "freed \(ByteCount.text(report.freedBytes)): \(report.removedPacks) packs removed, \(report.rewrittenPacks) rewritten"
                )
            }
            if let end = report.historyWaitsUntil {
                Terminal.warn(
                    "histories of namespaces were not thinned out: the clock is far from where it was at the last "
                        + "time; if it is right, they are from \(end) on")
            }
            if report.missingLeaves > 0 {
                try out.write(
                    line:
                        "\(report.missingLeaves) blocks that pins keep are missing: `nacre verify` names the pins"
                )
            }
            for cid in report.unreadableBlocks {
                try out.write(
                    line: "block \(cid) is kept, but is not what its codec says: its links are not known")
            }
            if report.skippedPacks > 0 {
                try out.write(
                    line:
                        "\(report.skippedPacks) packs were left: no space to rewrite them, or damage in them (`nacre verify`)"
                )
            }
        }
        try out.flush()
    }
}

struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show how much the data directory holds. Reads counters, scans nothing.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        try global.withNode(.existing) { node in
            let stats = try node.statistics()
            var out = StandardOutput()
            if output.json {
                try out.writeJSON(stats)
            } else {
                try out.write(line: "data directory  \(stats.directory)")
                try out.write(line: "pins            \(stats.pins)")
                try out.write(line: "blocks          \(stats.blocks) (\(ByteCount.text(stats.liveBytes)))")
                try out.write(line: "packs           \(stats.packs) (\(ByteCount.text(stats.packBytes)))")
                try out.write(
                    line: "dead bytes      \(ByteCount.text(stats.deadBytes)); `nacre gc` gives them back")
                if stats.unreadablePacks > 0 {
                    try out.write(
                        line:
                            "damage          \(stats.unreadablePacks) packs missing or cut; see `nacre verify`"
                    )
                }
            }
            try out.flush()
        }
    }
}
