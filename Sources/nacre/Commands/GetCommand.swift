import ArgumentParser
import BlockStorage
import Glibc
import Multiformats
import NodeCore
import NodeMessages
import UnixFS

struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Write a file or folder to disk.",
        discussion: """
            Nothing is written outside the target, whatever the DAG says. Files that are there with the \
            right content are left alone, so that a repeated command goes on where it stopped. Mode, times \
            and symlinks are restored where they are recorded.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var outputOptions: OutputOptions
    @Argument(
        help: ArgumentHelp(
            "CID, CID/PATH, the name of a pin, or NAMESPACE:/PATH[@VERSION].", valueName: "what"),
        completion: .pins)
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
    @Option(
        name: .long,
        help: ArgumentHelp("Stop a tree of more files and directories than that.", valueName: "n"))
    var maxEntries = ExportOptions.defaultMaximumEntries
    @Flag(name: [.long, .customShort("q")], help: "No progress bar.")
    var quiet = false

    enum ArchiveFormat: String, ExpressibleByArgument, CaseIterable {
        case tar
        case car
    }

    func validate() throws {
        if maxEntries < 1 { throw ValidationError("--max-entries is at least 1") }
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
            let defaultName = parsed.path.last ?? name(of: parsed.root, cid)
            if let archive {
                let suffix = Array(("." + archive.rawValue).utf8)
                let path = target.map { RawArguments.bytes(of: $0) } ?? defaultName + suffix
                try ArchiveOutput.write(
                    archive, of: cid, named: defaultName, to: path, maximumEntries: maxEntries, node,
                    quiet: quiet)
                return
            }
            let path = try place(
                target.map { RawArguments.bytes(of: $0) } ?? defaultName, defaultName, cid, node)
            try export(cid, to: path, node)
        }
    }

    /// What is asked for by a pin's name comes under that name.
    private func name(of root: ContentReference.Root, _ cid: Multiformats.CID) -> [UInt8] {
        if case .pinName(let name) = root, PathText.isSafeName(Array(name.utf8)) { return Array(name.utf8) }
        if case .namespace(let name, _) = root { return Array(name.utf8) }
        return Array(cid.description.utf8)
    }

    /// As with `cp`: a file goes into a directory that is there or is written with a slash; a folder takes
    /// the name.
    private func place(
        _ path: [UInt8], _ name: [UInt8], _ cid: Multiformats.CID, _ node: any NodeOperations
    ) throws -> [UInt8] {
        var bare = path
        while bare.count > 1, bare.last == UInt8(ascii: "/") { bare.removeLast() }
        if try node.blocks.requireUnixFS(cid).node.kind.isDirectory { return bare }
        return bare.count < path.count || Self.isDirectory(bare) ? PathText.join(bare, name) : bare
    }

    private static func isDirectory(_ path: [UInt8]) -> Bool {
        var status = stat()
        let text = path.map { CChar(bitPattern: $0) } + [0]
        return stat(text, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private func export(_ cid: Multiformats.CID, to path: [UInt8], _ node: any NodeOperations) throws {
        let root = try node.blocks.requireUnixFS(cid).node
        // The sizes that links claim include what wraps the content: good enough for a percentage.
        let total = root.kind.isDirectory ? root.dagBytes : root.size
        let bar = ProgressBar("writing", totalBytes: Int64(clamping: total), quiet: quiet)
        var failures = 0
        var written = 0
        var unchanged = 0
        var writtenBytes: UInt64 = 0
        var options = ExportOptions(threads: try global.localConfiguration().workerThreads)
        options.existing = overwrite ? .overwrite : .refuse
        options.maximumEntries = maxEntries
        var (conflict, damage) = (false, false)
        let export = TreeExport(
            source: node.blocks, options: options, cancellation: Interruption.cancellation
        ) { event in
            try Interruption.cancellation.check()
            switch event {
            case .written(_, let bytes):
                written += 1
                writtenBytes &+= bytes
                bar.advance(bytes: Int(clamping: bytes), items: 1)
            case .unchanged(_, let bytes):
                unchanged += 1
                bar.advance(bytes: Int(clamping: bytes), items: 1)
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
        if outputOptions.json {
            let row = GotJSON(
                cid: cid.description, path: PathText.printable(path), files: written, bytes: writtenBytes,
                unchanged: unchanged, failed: failures)
            var out = StandardOutput()
            try out.write(bytes: JSONLine.encode(row))
            try out.write("\n")
            try out.flush()
        } else if !quiet {
            let kept = unchanged > 0 ? ", \(unchanged) were there already" : ""
            Terminal.note(
                "wrote \(written) files (\(ByteCount.text(Int64(clamping: writtenBytes)))) to \(PathText.printable(path))\(kept)"
            )
        }
        guard failures > 0 else { return }
        throw SilentExit(status: damage ? .damaged : conflict && written == 0 ? .conflict : .partlyDone)
    }
}

private struct GotJSON: Encodable {
    let cid: String
    let path: String
    let files: Int
    let bytes: UInt64
    let unchanged: Int
    let failed: Int
}
