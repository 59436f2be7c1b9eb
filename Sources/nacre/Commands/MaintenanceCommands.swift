import ArgumentParser
import BlockStorage
import Catalog
import Multiformats
import NodeCore

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every stored block against its CID, every pin for what it keeps, and the catalog.",
        discussion: "Exit code 7 if anything is damaged or missing; each finding is a line.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var output: OutputOptions
    @Flag(name: .long, help: "Mend what can be mended: counters, and blocks that turn out to be right.")
    var repair = false
    @Flag(name: .long, help: "Make the block index anew from the packs first.")
    var rebuildIndex = false
    @Flag(
        name: .long,
        help: "Where catalog.sqlite was lost: begin with an empty one. Nothing is pinned then.")
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
        if rebuildIndex { try rebuild() }
        do {
            try global.withNode(.existing, lostCatalog: newCatalog ? .replace : .refuse) { node in
                let bar = ProgressBar(
                    "verifying", totalBytes: node.store.statistics().liveBytes, quiet: quiet)
                let report = try node.verify(
                    bytesPerSecond: bytesPerSecond, repair: repair ? .yes : .no,
                    cancellation: Interruption.cancellation
                ) { bar.advance(bytes: Int($0)) }
                bar.finish()
                try end(report)
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
            try end(report)
        }
    }

    private func end(_ report: VerificationReport) throws {
        try print(report)
        if !report.isClean { throw SilentExit(status: .damaged) }
    }

    private func rebuild() throws {
        let configuration = try Configuration.load(
            dataDirectory: global.dataDirectory, environment: Environment.current)
        let statistics = try PackBlockStore.rebuildIndex(
            directory: global.dataDirectory, options: configuration.storeOptions)
        Terminal.note("rebuilt the index of \(statistics.blocks) blocks from \(statistics.packs) packs")
    }

    private func print(_ report: VerificationReport) throws {
        var findings = report.openingNotes.map(\.description)
        findings += report.storage.map(\.description)
        findings += report.catalog.map(\.description)
        findings += report.incompletePins.map {
            "pin \($0.pin.name.isEmpty ? $0.pin.root.description : PathText.printable($0.pin.name.utf8)): \($0.problem)"
        }
        var out = StandardOutput()
        if output.json {
            let row = VerifiedJSON(
                blocks: report.blocks, bytes: report.bytes, pins: report.pins, findings: findings)
            try out.write(bytes: JSONLine.encode(row))
            try out.write("\n")
        } else {
            for finding in findings { try out.write(line: finding) }
            if !quiet {
                let end = findings.isEmpty ? "nothing wrong" : "\(findings.count) findings"
                try out.write(
                    line:
                        "verified \(report.blocks) blocks (\(ByteCount.text(report.bytes))) and \(report.pins) pins: \(end)"
                )
            }
        }
        try out.flush()
    }
}

private struct VerifiedJSON: Encodable {
    let blocks: Int
    let bytes: Int64
    let pins: Int
    let findings: [String]
}

struct GCCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove blocks that no pin keeps and give their space back.",
        discussion: """
            Blocks that were put within the grace period stay (gc.grace, 24h), so that nothing is taken from
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
        try global.withNode(.existing) { node in
            var options = CollectionOptions(
                grace: node.configuration.grace, maximumUnusedShare: node.configuration.maximumUnusedShare)
            if let grace {
                guard let parsed = DurationText.parse(grace) else {
                    throw ValidationError("--grace is a length of time such as 24h, or 0")
                }
                options.grace = parsed
            }
            if let maxUnused {
                guard maxUnused.hasSuffix("%"), let share = Double(maxUnused.dropLast()),
                    (0...100).contains(share)
                else {
                    throw ValidationError("--max-unused is a share such as 5%")
                }
                options.maximumUnusedShare = share / 100
            }
            options.isDryRun = dryRun
            let bar = ProgressBar("collecting", unit: "blocks", quiet: quiet)
            if list {
                var out = StandardOutput()
                try node.forEachGarbageTree(
                    options, cancellation: Interruption.cancellation,
                    progress: { _, count in bar.advance(items: count) }
                ) { try print($0, to: &out) }
                try out.flush()
            }
            let report = try node.collectGarbage(options, cancellation: Interruption.cancellation) {
                _, count in
                bar.advance(items: count)
            }
            bar.finish()
            if !quiet { try print(report) }
        }
    }

    private func print(_ tree: GarbageTree, to out: inout StandardOutput) throws {
        guard output.json else {
            return try out.write(line: "\(tree.root) \(tree.blocks) blocks, \(ByteCount.text(tree.bytes))")
        }
        let row = TreeJSON(root: tree.root.description, treeBlocks: tree.blocks, treeBytes: tree.bytes)
        try out.write(bytes: JSONLine.encode(row))
        try out.write("\n")
    }

    private func print(_ report: CollectionReport) throws {
        var out = StandardOutput()
        if output.json {
            try out.write(bytes: JSONLine.encode(CollectedJSON(report, dryRun: dryRun)))
            try out.write("\n")
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

private struct TreeJSON: Encodable {
    let root: String
    let treeBlocks: Int
    let treeBytes: Int64
}

private struct CollectedJSON: Encodable {
    let dryRun: Bool
    let blocks: Int
    let bytes: Int64
    let keptBlocks: Int
    let youngBlocks: Int
    let youngBytes: Int64
    let freedBytes: Int64
    let removedPacks: Int
    let rewrittenPacks: Int
    let skippedPacks: Int
    let missingLeaves: Int
    let unreadableBlocks: [String]

    init(_ report: CollectionReport, dryRun: Bool) {
        self.dryRun = dryRun
        blocks = report.blocks
        bytes = report.bytes
        keptBlocks = report.keptBlocks
        youngBlocks = report.youngBlocks
        youngBytes = report.youngBytes
        freedBytes = report.freedBytes
        removedPacks = report.removedPacks
        rewrittenPacks = report.rewrittenPacks
        skippedPacks = report.skippedPacks
        missingLeaves = report.missingLeaves
        unreadableBlocks = report.unreadableBlocks.map(\.description)
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
            let store = node.store.statistics()
            let pins = try node.catalog.pins.counters()
            var out = StandardOutput()
            if output.json {
                let row = StatsJSON(
                    directory: node.directory, blocks: store.blocks, liveBytes: store.liveBytes,
                    deadBytes: store.deadBytes, packs: store.packs, packBytes: store.packBytes,
                    pins: pins.pins, unreadablePacks: store.unreadablePacks)
                try out.write(bytes: JSONLine.encode(row))
                try out.write("\n")
            } else {
                try out.write(line: "data directory  \(node.directory)")
                try out.write(line: "pins            \(pins.pins)")
                try out.write(line: "blocks          \(store.blocks) (\(ByteCount.text(store.liveBytes)))")
                try out.write(line: "packs           \(store.packs) (\(ByteCount.text(store.packBytes)))")
                try out.write(
                    line: "dead bytes      \(ByteCount.text(store.deadBytes)); `nacre gc` gives them back")
                if store.unreadablePacks > 0 {
                    try out.write(
                        line:
                            "damage          \(store.unreadablePacks) packs missing or cut; see `nacre verify`"
                    )
                }
            }
            try out.flush()
        }
    }
}

private struct StatsJSON: Encodable {
    let directory: String
    let blocks: Int64
    let liveBytes: Int64
    let deadBytes: Int64
    let packs: Int
    let packBytes: Int64
    let pins: Int64
    let unreadablePacks: Int
}
