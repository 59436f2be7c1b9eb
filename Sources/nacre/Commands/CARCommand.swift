import ArgumentParser
import BlockStorage
import CAR
import Catalog
import Glibc
import IPLD
import Multiformats
import NodeCore
import NodeMessages
import UnixFS

struct CARCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "car", abstract: "CAR files: DAGs to and from other IPFS tools.",
        subcommands: [Import.self, Export.self, Ls.self, Verify.self])

    @OptionGroup var global: GlobalOptions
}

/// How CAR files are read.
struct CARReadingFlags: ParsableArguments {
    @Flag(
        name: .long,
        help: "Take a section of length zero as the end of the file, as in files of preallocated space.")
    var zeroLengthIsEnd = false
    @Flag(name: .long, help: "Allow blocks of more than 2 MiB (up to 8 MiB).")
    var allowBigBlock = false

    var options: CARReadingOptions {
        var options = CARReadingOptions()
        options.zeroLengthSection = zeroLengthIsEnd ? .isEnd : .isError
        if allowBigBlock { options.limits = .widest }
        return options
    }
}

extension CARCommand {
    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Take in a CAR file (v1 or v2), verify each block, pin its roots; print a line `CID STATUS` for each root.",
            discussion: """
                A damaged block ends the import of its file, with its place; nothing of the file is pinned \
                then, and the files after it are read. A root below which blocks are missing is pinned with \
                the status pinning. The exit code is 3 then.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var reading: CARReadingFlags
        @Argument(
            help: ArgumentHelp("A CAR file; - is standard input.", valueName: "file"),
            completion: .file(extensions: ["car"]))
        var paths: [String]
        @Flag(name: .long, help: "Do not pin the roots.")
        var noPin = false
        @Option(name: .long, help: "The pins' name; default: the file's name.")
        var name: String?
        @Flag(name: .long, help: "Pin as private.")
        var `private` = false
        @Flag(name: [.long, .customShort("q")], help: "No progress bar and no summary; warnings are shown.")
        var quiet = false

        func run() throws {
            try global.withNode { node in
                let lease = try node.beginLease()
                defer { lease.end() }
                var (isPartial, failed) = (false, 0)
                for path in paths {
                    do {
                        try run(path, node, &isPartial)
                    } catch let error as any Error & CustomStringConvertible
                        where paths.count > 1 && (error is CommandError || error is POSIXError)
                    {
                        Terminal.fail(error.description)
                        failed += 1
                    }
                }
                if failed == paths.count { throw SilentExit(status: .damaged) }
                if isPartial || failed > 0 { throw SilentExit(status: .partlyDone) }
            }
        }

        private func run(_ path: String, _ node: any NodeOperations, _ isPartial: inout Bool) throws {
            let input = try InputFile(path)
            let isPrivate = try self.private || node.defaults().visibility == "private"
            let bar = ProgressBar("importing", totalBytes: input.bytes, quiet: quiet)
            let report: CARImportReport
            do {
                report = try CARImportReport(
                    importing: input.read, into: node.blocks, options: reading.options,
                    scope: isPrivate ? .defaultProject : [.defaultProject, .public],
                    cancellation: Interruption.cancellation, progress: { bar.advance(bytes: $0) },
                    walk: {
                        try StorageNode.WalkReport(
                            node.walk($0, Watch(cancellation: Interruption.cancellation)))
                    })
            } catch let error as CARError {
                throw CommandError(
                    .damaged,
                    "\(path): \(error)\(error.hint); nothing is pinned, and what came before it goes with gc after the grace period"
                )
            } catch let error as DAGWalkError {
                throw CommandError(.failed, "\(path): \(error); nothing is pinned")
            }
            bar.finish()
            var out = StandardOutput()
            if report.roots.isEmpty {
                Terminal.warn(
                    "\(path) names no roots, so nothing is pinned; `nacre pin add CID` keeps what you need")
                isPartial = true
            }
            for root in report.roots {
                let missing = report.missing[root]
                let status: PinStatus = missing == nil ? .pinned : .pinning
                if let missing {
                    isPartial = true
                    Terminal.warn(
                        "\(missing.count) blocks below \(root) are missing, the first is \(missing.first)")
                }
                if !noPin {
                    var pin = PinRequest(
                        cid: root.description,
                        name: name
                            ?? PathText.printable(PathText.lastComponent(RawArguments.bytes(of: path))),
                        visibility: isPrivate ? "private" : "public")
                    pin.allowMissing = missing != nil
                    _ = try node.pinStored(pin)
                }
                if output.json {
                    let row = ImportedRootJSON(
                        root: root.description, status: noPin ? "unpinned" : status.rawValue,
                        missingBlocks: missing?.count ?? 0,
                        blocks: report.blocks, bytes: report.bytes, duplicateBlocks: report.duplicateBlocks)
                    try out.write(bytes: JSONLine.encode(row))
                    try out.write("\n")
                } else {
                    try out.write(line: "\(root) \(noPin ? "unpinned" : status.rawValue)")
                }
            }
            try out.flush()
            if quiet { return }
            Terminal.note(
                "\(path): \(report.blocks) blocks (\(ByteCount.text(report.bytes))), \(report.duplicateBlocks) of them held already"
            )
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a DAG as a CAR file to standard output or -o; the same DAG gives the same bytes."
        )

        @OptionGroup var global: GlobalOptions
        @Argument(
            help: ArgumentHelp("CID, CID/PATH or the name of a pin.", valueName: "what"), completion: .pins)
        var reference: String
        @Option(
            name: [.customShort("o"), .customLong("output")],
            help: ArgumentHelp("Where to.", valueName: "path"), completion: .file())
        var target: String?
        @Option(
            name: .long, help: ArgumentHelp("1, or 2 with an index.", valueName: "version"),
            completion: .list(["1", "2"]))
        var carVersion = 1
        @Option(
            name: .long, help: ArgumentHelp("all, entity or block.", valueName: "scope"),
            completion: .list(["all", "entity", "block"]))
        var dagScope = "all"
        @Option(
            name: .long,
            help: ArgumentHelp(
                "FROM:TO, the bytes of a file that are wanted; TO is included, or *.", valueName: "range"))
        var entityBytes: String?
        @Flag(name: [.long, .customShort("q")], help: "No progress bar.")
        var quiet = false

        func run() throws {
            let parsed = try ContentReference(RawArguments.bytes(of: reference))
            var options = CARExportOptions()
            guard let scope = CARExportOptions.Scope(rawValue: dagScope) else {
                throw ValidationError("--dag-scope is all, entity or block")
            }
            options.scope = scope
            guard carVersion == 1 || carVersion == 2 else { throw ValidationError("--car-version is 1 or 2") }
            options.format = carVersion == 2 ? .version2 : .version1
            if target == nil && Terminal.isOutputTerminal {
                throw ValidationError(
                    "a CAR file is no text for a terminal: name a file with -o, or redirect")
            }
            try global.withNode(.existing) { node in
                let cid = try node.resolve(parsed)
                if let entityBytes {
                    options.scope = .entity
                    options.entityBytes = try EntityBytes.parse(entityBytes, node, cid)
                }
                let sink = try OutputFile(target.map { RawArguments.bytes(of: $0) } ?? [UInt8(ascii: "-")])
                let bar = ProgressBar("exporting", quiet: quiet)
                try node.exportCAR(cid, options, bar.watch) { try sink.write($0) }
                try sink.finish()
                bar.finish()
            }
        }
    }

    struct Ls: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the blocks of a CAR file: `CID BYTES` for each. Needs no data directory.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var reading: CARReadingFlags
        @Argument(
            help: ArgumentHelp("A CAR file; - is standard input.", valueName: "file"),
            completion: .file(extensions: ["car"]))
        var path: String

        func run() throws {
            let input = try InputFile(path)
            var options = reading.options
            options.verification = .none
            var stream = CARStream(options: options, source: input.read)
            var out = StandardOutput()
            do {
                _ = try stream.header()
                while let section = try stream.next() {
                    try Interruption.cancellation.check()
                    if output.json {
                        let row = SectionJSON(
                            cid: section.cid.description, bytes: section.bytes.count, offset: section.offset)
                        try out.write(bytes: JSONLine.encode(row))
                        try out.write("\n")
                    } else {
                        try out.write(line: "\(section.cid) \(section.bytes.count)")
                    }
                }
            } catch let error as CARError {
                try out.flush()
                throw CommandError(.damaged, "\(path): \(error)\(error.hint)")
            }
            try out.flush()
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Check every block of a CAR file against its CID, and that its roots are in it. Needs no data directory."
        )

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var reading: CARReadingFlags
        @Argument(
            help: ArgumentHelp("A CAR file; - is standard input.", valueName: "file"),
            completion: .file(extensions: ["car"]))
        var path: String

        func run() throws {
            let input = try InputFile(path)
            var stream = CARStream(options: reading.options, source: input.read)
            let bar = ProgressBar("verifying", totalBytes: input.bytes)
            var roots: Set<Multihash> = []
            var report = VerifiedCARJSON()
            do {
                let header = try stream.header()
                report.roots = header.roots.map(\.description)
                report.version = stream.version2Header == nil ? 1 : 2
                roots = Set(header.roots.filter { !$0.isIdentity }.map(\.multihash))
                while let section = try stream.next() {
                    try Interruption.cancellation.check()
                    report.blocks += 1
                    report.bytes += section.bytes.count
                    roots.remove(section.cid.multihash)
                    bar.advance(bytes: section.bytes.count)
                }
            } catch let error as CARError {
                throw CommandError(.damaged, "\(path): \(error)\(error.hint)")
            }
            bar.finish()
            report.rootsMissing = roots.count
            var out = StandardOutput()
            if output.json {
                try out.write(bytes: JSONLine.encode(report))
                try out.write("\n")
            } else {
                try out.write(
                    line:
                        "CARv\(report.version), \(report.roots.count) roots, \(report.blocks) blocks, "
                        + "\(ByteCount.text(Int64(report.bytes))): every block is right"
                )
            }
            try out.flush()
            if !roots.isEmpty {
                throw CommandError(.partlyDone, "\(roots.count) of the roots are not in the file")
            }
        }
    }
}

extension CARError {
    /// The option that makes the file readable, if there is one.
    fileprivate var hint: String {
        switch self {
        case .zeroLengthSection: " (--zero-length-is-end)"
        case .blockTooLarge(_, _, let bytes, _) where bytes <= UInt64(Block.hardMaximumBytes):
            " (--allow-big-block)"
        default: ""
        }
    }
}

private enum EntityBytes {
    /// `FROM:TO` of the trustless gateway specification: both included, negative from the end, `*` the end.
    static func parse(_ text: String, _ node: any NodeOperations, _ cid: CID) throws -> Range<UInt64> {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let from = Int64(parts[0]) else {
            throw ValidationError("--entity-bytes is FROM:TO, such as 0:1023 or -1024:*")
        }
        let size = Int64(clamping: try node.blocks.fileReader(cid, shownAs: cid.description).size)
        let start = from < 0 ? max(0, size + max(from, -size)) : min(from, size)
        guard parts[1] != "*" else { return UInt64(start)..<UInt64(size) }
        guard let to = Int64(parts[1]), to < Int64.max else {
            throw ValidationError("--entity-bytes is FROM:TO, such as 0:1023 or -1024:*")
        }
        let end = to < 0 ? size + max(to, -size) : min(to, size - 1)
        return UInt64(start)..<UInt64(max(start, end + 1))
    }
}

private struct ImportedRootJSON: Encodable {
    let root: String
    let status: String
    let missingBlocks: Int
    let blocks: Int
    let bytes: Int64
    let duplicateBlocks: Int
}

private struct SectionJSON: Encodable {
    let cid: String
    let bytes: Int
    let offset: UInt64
}

private struct VerifiedCARJSON: Encodable {
    var version = 1
    var roots: [String] = []
    var rootsMissing = 0
    var blocks = 0
    var bytes = 0
}

extension StorageNode.WalkReport {
    fileprivate init(_ walked: WalkMessage) throws {
        self.init(
            blocks: walked.blocks, bytes: walked.bytes, missing: walked.missing,
            firstMissing: try walked.firstMissing.map { try Multiformats.CID(text: $0) })
    }
}
