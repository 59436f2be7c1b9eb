import ArgumentParser
import Glibc
import Multiformats
import NodeCore

struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Write a file or folder to disk.",
        discussion: """
            Nothing is written outside the target, whatever the DAG says. Files that are there with the right
            content are left alone, so that a repeated command goes on where it stopped. Mode, times and
            symlinks are restored where they are recorded.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var outputOptions: OutputOptions
    @Argument(help: ArgumentHelp("CID, CID/PATH or the name of a pin.", valueName: "what"))
    var reference: String
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp(
            "Where to; default: the last part of the path. - with --archive: standard output.",
            valueName: "path"))
    var target: String?
    @Option(
        name: .long, help: ArgumentHelp("Write an archive instead of files: tar or car.", valueName: "format")
    )
    var archive: ArchiveFormat?
    @Flag(name: .long, help: "Replace files that are there with other content.")
    var overwrite = false
    @Flag(name: [.long, .customShort("q")], help: "No progress bar.")
    var quiet = false

    enum ArchiveFormat: String, ExpressibleByArgument, CaseIterable {
        case tar
        case car
    }

    func validate() throws {
        if target == "-" && archive == nil {
            throw ValidationError("-o - goes with --archive; `nacre cat` writes a file")
        }
        if target == "-" && Terminal.isOutputTerminal {
            throw ValidationError("an archive is no text for a terminal: name a file with -o, or redirect")
        }
    }

    func run() throws {
        let parsed = try ContentReference(RawArguments.bytes(of: reference))
        try global.withNode(.existing) { node in
            let cid = try node.resolve(parsed)
            let defaultName = parsed.path.last ?? Array(cid.description.utf8)
            if let archive {
                let suffix = Array(("." + archive.rawValue).utf8)
                let path = target.map { RawArguments.bytes(of: $0) } ?? defaultName + suffix
                try ArchiveOutput.write(archive, of: cid, named: defaultName, to: path, node, quiet: quiet)
                return
            }
            let path = target.map { RawArguments.bytes(of: $0) } ?? defaultName
            try export(cid, to: path, node)
        }
    }

    private func export(_ cid: Multiformats.CID, to path: [UInt8], _ node: StorageNode) throws {
        let bar = ProgressBar("writing", quiet: quiet)
        var failures = 0
        var written = 0
        var options = ExportOptions(threads: node.configuration.workerThreads)
        options.existing = overwrite ? .overwrite : .refuse
        var (conflict, damage) = (false, false)
        let export = TreeExport(source: node.store, options: options, cancellation: Interruption.cancellation)
        { event in
            try Interruption.cancellation.check()
            switch event {
            case .written(_, let bytes):
                written += 1
                bar.advance(bytes: Int(clamping: bytes), items: 1)
            case .unchanged(_, let bytes): bar.advance(bytes: Int(clamping: bytes), items: 1)
            case .progress: break
            case .failed(let path, let error):
                failures += 1
                switch Failure.status(of: error) {
                case .conflict: conflict = true
                case .damaged: damage = true
                default: break
                }
                Terminal.fail("\(PathText.printable(path)): \(error)")
            }
        }
        try export.run(root: cid, to: path)
        bar.finish()
        guard failures > 0 else { return }
        throw SilentExit(status: damage ? .damaged : conflict && written == 0 ? .conflict : .partlyDone)
    }
}
