import ArgumentParser
import BlockStorage
import Catalog
import Glibc
import Multiformats
import NodeCore
import NodeMessages
import UnixFS

struct AddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add files and folders; print a line `CID NAME` for each entry, the root last.",
        discussion: """
            What is printed is durable. The root is pinned, so that `nacre gc` keeps it; --no-pin leaves \
            that out. The .nacreignore of a folder that is named, and --ignore and --ignore-from, tell what \
            stays out, in the form of .gitignore; those of folders within it are files as any other. Adding \
            again stores only what is new: repeat the command after an interruption.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var profile: ProfileOptions

    @Argument(
        help: ArgumentHelp("Files and folders; - reads standard input.", valueName: "path"),
        completion: .file())
    var paths: [String]

    @Option(
        name: .long,
        help: "The pin's name; with -, also the file's name under --wrap. Default: the last part of the path."
    )
    var name: String?
    @Flag(name: .long, help: "Pin as private: only the owner reads it through the gateway.")
    var `private` = false
    @Flag(
        name: [.long, .customShort("w")], help: "Put the paths into one directory, which becomes the root.")
    var wrap = false
    @Flag(name: .long, help: "Compute CIDs, store nothing.")
    var onlyHash = false
    @Flag(name: .long, help: "Store without pinning: the next gc after the grace period removes it.")
    var noPin = false
    @Flag(
        name: [.customLong("hidden"), .customShort("H")],
        help: "Take in entries whose names begin with a dot.")
    var hidden = false
    @Flag(name: .long, help: "Store what symlinks point to, instead of the symlinks.")
    var followSymlinks = false
    @Flag(name: .long, help: "Leave out empty directories.")
    var noEmptyDirectories = false
    @Flag(name: .long, help: "Record permissions (UnixFS 1.5; changes the CIDs).")
    var preserveMode = false
    @Flag(name: .long, help: "Record modification times (UnixFS 1.5; changes the CIDs).")
    var preserveMtime = false
    @Option(name: .long, help: ArgumentHelp("Leave out what matches; may be repeated.", valueName: "pattern"))
    var ignore: [String] = []
    @Option(
        name: .long, help: ArgumentHelp("Read patterns from a file.", valueName: "file"), completion: .file())
    var ignoreFrom: [String] = []
    @Flag(name: .long, help: "Do not read .nacreignore.")
    var noIgnoreFile = false
    @Flag(name: [.long, .customShort("q")], help: "Print only CIDs.")
    var quiet = false
    @Flag(name: [.customLong("quieter"), .customShort("Q")], help: "Print only the CID of the root.")
    var quieter = false

    func validate() throws {
        if paths.isEmpty { throw ValidationError("name what to add, or - for standard input") }
        if paths.filter({ $0 == "-" }).count > 1 { throw ValidationError("standard input can be added once") }
        if name != nil && paths.count > 1 && !wrap {
            throw ValidationError("--name names one root: add the paths one by one, or together with --wrap")
        }
        try name.map(PinName.check)
        if (preserveMode || preserveMtime) && profile.rawLeaves == true {
            throw ValidationError(
                "raw leaves carry no mode or time: leave out --raw-leaves, or what is to be preserved")
        }
        if onlyHash && noPin {
            throw ValidationError("--only-hash stores nothing, so there is nothing to pin")
        }
    }

    func run() throws {
        if onlyHash {
            try Session(command: self, node: nil).run()
        } else {
            try global.withNode { try Session(command: self, node: $0).run() }
        }
    }
}

extension AddCommand {
    /// One run of `add`: what it found, what it printed, how it ends.
    private final class Session {
        private let command: AddCommand
        private let node: (any NodeOperations)?
        private let threads: Int
        private let isPrivate: Bool
        private let parameters: ImportParameters
        private let bar: ProgressBar
        private let lines: CommittedLines
        private var counts = Counts()

        private struct Counts {
            var failed = 0
            var unstable = 0
            var hidden = 0
        }

        init(command: AddCommand, node: (any NodeOperations)?) throws {
            self.command = command
            self.node = node
            let configuration = try command.global.localConfiguration()
            threads = configuration.workerThreads
            let defaults = try node?.defaults()
            isPrivate =
                command.private || (defaults?.visibility ?? configuration[.visibility]) == "private"
            var parameters = try command.profile.parameters(
                default: defaults?.profile ?? configuration[.profile])
            // As in Kubo: the root carries mode and time, so it must be a node of its own kind.
            if command.preserveMode || command.preserveMtime { parameters.rawLeaves = false }
            self.parameters = parameters
            bar = ProgressBar(command.onlyHash ? "hashing" : "adding")
            lines = CommittedLines(store: node?.blocks)
        }

        func run() throws {
            let lease = try node?.beginLease()
            defer { lease?.end() }
            let scan = ScanAhead(paths: command.paths, bar: bar, hidden: command.hidden)
            defer { scan.stop() }
            var roots: [ImportedEntry] = []
            for path in command.paths {
                do {
                    let root = try add(path)
                    roots.append(root)
                    if !command.wrap { try finish(root) }
                } catch let error as POSIXError where command.paths.count > 1 {
                    Terminal.fail(String(describing: error))
                    counts.failed += 1
                }
            }
            if command.wrap, !roots.isEmpty { try finish(try importer(base: nil).wrap(roots)) }
            try lines.flush()
            bar.finish()
            try report(anything: !roots.isEmpty)
        }

        private func add(_ path: String) throws -> ImportedEntry {
            if path == "-" {
                let name = Array((command.wrap ? command.name ?? "stdin" : command.name ?? "-").utf8)
                return try importer(base: nil).add(streamNamed: name) { try StandardInput.read(into: $0) }
            }
            let bytes = RawArguments.bytes(of: path)
            return try importer(base: bytes).add(path: bytes)
        }

        private func importer(base: [UInt8]?) throws -> Importer {
            var options = ImportOptions(parameters: parameters, threads: threads)
            options.hiddenEntries = command.hidden ? .include : .leaveOut
            options.symlinks = command.followSymlinks ? .follow : .keep
            options.emptyDirectories = command.noEmptyDirectories ? .leaveOut : .keep
            if command.preserveMode { options.metadata.insert(.mode) }
            if command.preserveMtime { options.metadata.insert(.modificationTime) }
            if !isPrivate { options.scope.insert(.public) }
            options.ignoring = try ignoreRules(base: base)
            let store: any BlockStore = node?.blocks ?? DiscardingBlockStore()
            return Importer(store: store, options: options, cancellation: Interruption.cancellation) {
                [self] in
                try handle($0)
            }
        }

        private func ignoreRules(base: [UInt8]?) throws -> IgnoreRules {
            var rules = IgnoreRules()
            if let base, !command.noIgnoreFile,
                let text = try SmallFile.read(PathText.join(base, Array(".nacreignore".utf8)))
            {
                try rules.add(lines: text)
            }
            for file in command.ignoreFrom {
                guard let text = try SmallFile.read(RawArguments.bytes(of: file)) else {
                    throw CommandError(.notFound, "there is no file \(file), named by --ignore-from")
                }
                try rules.add(lines: text)
            }
            for pattern in command.ignore { try rules.add(pattern: RawArguments.bytes(of: pattern)) }
            return rules
        }

        private func handle(_ event: ImportEvent) throws {
            try Interruption.cancellation.check()
            switch event {
            case .added(let path, let entry):
                bar.advance(items: entry.kind == .file ? 1 : 0)
                if !command.quieter { try lines.append(line(path, entry)) }
            case .read(let bytes):
                bar.advance(bytes: bytes)
            case .skipped(_, .hidden):
                counts.hidden += 1
            case .skipped(let path, let reason):
                if reason == .special || reason == .symlinkLoop {
                    Terminal.note("skipped \(PathText.printable(path)): \(reason)")
                }
            case .unstable(let path):
                counts.unstable += 1
                Terminal.warn(
                    "\(PathText.printable(path)) kept changing while it was read: what is stored may be a mixture"
                )
            case .failed(let path, let error):
                counts.failed += 1
                Terminal.fail("\(PathText.printable(path)) is left out: \(error)")
            }
        }

        private func line(_ path: [UInt8], _ entry: ImportedEntry) -> [UInt8] {
            if command.output.json {
                return JSONLine.encode(
                    AddedJSON(
                        cid: entry.cid.description, name: path, kind: entry.kind, bytes: entry.contentBytes,
                        dagBytes: entry.dagBytes))
            }
            let cid = Array(entry.cid.description.utf8)
            if command.quiet || command.quieter { return cid }
            return cid + [UInt8(ascii: " ")] + OutputName.bytes(path)
        }

        /// Pins the root; its line is the last that is printed, when everything is durable.
        private func finish(_ root: ImportedEntry) throws {
            if let node {
                try node.blocks.commit()
                if !command.noPin {
                    var pin = PinRequest(
                        cid: root.cid.description, name: command.name ?? defaultName(root),
                        visibility: isPrivate ? "private" : "public")
                    pin.parameters = parameters.recordText
                    pin.bytes = Int64(clamping: root.contentBytes)
                    _ = try node.pinStored(pin)
                }
            }
            if command.quieter { try lines.append(line(root.name, root)) }
            try lines.flush()
        }

        private func defaultName(_ root: ImportedEntry) -> String {
            root.name.isEmpty ? "added" : PathText.printable(root.name)
        }

        private func report(anything: Bool) throws {
            if counts.hidden > 0 {
                let what = counts.hidden == 1 ? "hidden entry was" : "hidden entries were"
                Terminal.note("\(counts.hidden) \(what) left out; --hidden takes them in")
            }
            if counts.failed + counts.unstable > 0 {
                throw SilentExit(status: anything ? .partlyDone : .notFound)
            }
        }
    }
}
