import ArgumentParser
import BlockStorage
import IPLD
import Multiformats
import NodeCore
import NodeMessages
import UnixFS

struct LsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List a directory: a line `CID SIZE NAME` for each entry; directories end in a slash.",
        discussion: """
            SIZE is the size of the content as far as the entry's own block tells it, - for directories. \
            --limit and --after page through directories of any size: where entries are left, a note on \
            standard error, or with --json a last line {"next": CURSOR}, says where to go on.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var output: OutputOptions
    @Argument(
        help: ArgumentHelp(
            "CID, CID/PATH, the name of a pin, or NAMESPACE:/PATH[@VERSION].", valueName: "what"),
        completion: .pins)
    var reference: String
    @Option(name: .long, help: ArgumentHelp("List at most so many entries.", valueName: "n"))
    var limit: Int?
    @Option(
        name: .long, help: ArgumentHelp("Go on where a listing with --limit stopped.", valueName: "cursor"))
    var after: String?
    @Flag(name: .long, help: "Print names and CIDs only, without looking at the entries.")
    var fast = false

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is at least 1") }
    }

    func run() throws {
        let parsed = try ContentReference(RawArguments.bytes(of: reference))
        try global.withNode(.existing) { node in
            let (block, unixfs) = try node.blocks.requireUnixFS(try node.resolve(parsed))
            var out = StandardOutput()
            guard unixfs.kind.isDirectory else {
                let name = parsed.path.last ?? Array(parsed.text.utf8)
                try write(entry: DirectoryEntry(name: name, cid: block.cid, dagBytes: 0), node, &out)
                try out.flush()
                return
            }
            let reader = try DirectoryReader(source: node.blocks, root: block)
            var cursor = try after.map { try DirectoryCursor(text: $0) }
            var left = limit ?? Int.max
            repeat {
                try Interruption.cancellation.check()
                let page = try reader.page(after: cursor, limit: min(left, 2048))
                for entry in page.entries { try write(entry: entry, node, &out) }
                left -= page.entries.count
                cursor = page.next
            } while left > 0 && cursor != nil
            if output.json, let cursor {
                try out.write(bytes: JSONLine.encode(["next": cursor.description]))
                try out.write("\n")
            }
            try out.flush()
            if !output.json, let cursor { Terminal.note("more entries follow: --after \(cursor)") }
        }
    }

    private func write(entry: DirectoryEntry, _ node: any NodeOperations, _ out: inout StandardOutput) throws
    {
        let info = fast ? nil : try EntryInfo(entry, node)
        if output.json {
            let name = JSONName(entry.name)
            let row = ListedJSON(
                name: name.text, nameHex: name.hex, cid: entry.cid.description, type: info?.type ?? "unknown",
                bytes: info?.bytes, dagBytes: entry.dagBytes)
            try out.write(bytes: JSONLine.encode(row))
            try out.write("\n")
            return
        }
        var line = entry.cid.description
        if !fast { line += " " + (info?.bytes.map { String($0) } ?? "-") }
        try out.write(line + " ")
        try out.write(bytes: OutputName.bytes(entry.name))
        try out.write(info?.type == "directory" ? "/\n" : "\n")
    }
}

/// What the block of an entry says of itself.
private struct EntryInfo {
    let type: String
    let bytes: UInt64?

    init(_ entry: DirectoryEntry, _ node: any NodeOperations) throws {
        if entry.cid.codec == .raw {
            bytes = try node.blocks.size(of: entry.cid).map { UInt64($0) }
            type = bytes == nil ? "missing" : "file"
            return
        }
        guard let block = try node.blocks.block(entry.cid) else {
            (type, bytes) = ("missing", nil)
            return
        }
        guard let unixfs = try UnixFSStat.ifUnixFS(block) else {
            (type, bytes) = ("other", UInt64(block.bytes.count))
            return
        }
        switch unixfs.kind {
        case .file, .raw: (type, bytes) = ("file", unixfs.size)
        case .directory, .shardedDirectory: (type, bytes) = ("directory", nil)
        case .symlink: (type, bytes) = ("symlink", unixfs.size)
        }
    }
}

private struct ListedJSON: Encodable {
    let name: String
    let nameHex: String?
    let cid: String
    let type: String
    let bytes: UInt64?
    let dagBytes: UInt64?
}
