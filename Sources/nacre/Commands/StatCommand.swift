import ArgumentParser
import BlockStorage
import IPLD
import Multiformats
import NodeCore
import NodeMessages
import UnixFS

struct StatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stat", abstract: "Show what a CID is: type, size, blocks, mode and time where recorded."
    )

    @OptionGroup var global: GlobalOptions
    @OptionGroup var output: OutputOptions
    @Argument(
        help: ArgumentHelp(
            "CID, CID/PATH, the name of a pin, or NAMESPACE:/PATH[@VERSION].", valueName: "what"),
        completion: .pins)
    var reference: String
    @Flag(name: .long, help: "Walk everything below and count its blocks and bytes.")
    var deep = false

    func run() throws {
        let parsed = try ContentReference(RawArguments.bytes(of: reference))
        try global.withNode(.existing) { node in
            let cid = try node.resolve(parsed)
            let block = try node.blocks.requireBlock(cid)
            var stat = StatJSON(cid: cid, block: block)
            if let unixfs = try UnixFSStat.ifUnixFS(block) { stat.take(unixfs) }
            if deep {
                let walked = try node.walk(cid, Watch(cancellation: Interruption.cancellation))
                stat.dagBlocks = walked.blocks
                stat.dagBytes = walked.bytes
                stat.missingBlocks = walked.missing
            }
            var out = StandardOutput()
            if output.json {
                try out.write(bytes: JSONLine.encode(stat))
                try out.write("\n")
            } else {
                for (name, value) in stat.lines { try out.write(line: Columns.padded(name, 15) + value) }
            }
            try out.flush()
        }
    }
}

private struct StatJSON: Encodable {
    let cid: String
    let codec: String
    var type: String
    var bytes: UInt64?
    let blockBytes: Int
    var links = 0
    var target: String?
    var mode: String?
    var modified: String?
    var dagBlocks: Int?
    var dagBytes: UInt64?
    var missingBlocks: Int?

    init(cid: CID, block: Block) {
        self.cid = cid.description
        codec = MulticodecTable.name(of: cid.codec.rawValue) ?? "0x" + String(cid.codec.rawValue, radix: 16)
        type = "block"
        blockBytes = block.bytes.count
        links = (try? block.links().count) ?? 0
    }

    mutating func take(_ unixfs: UnixFSStat) {
        switch unixfs.kind {
        case .file, .raw: type = "file"
        case .directory: type = "directory"
        case .shardedDirectory: type = "sharded directory"
        case .symlink(let target):
            type = "symlink"
            self.target = PathText.printable(target)
        }
        if !unixfs.kind.isDirectory { bytes = unixfs.size }
        mode = unixfs.metadata.mode.map { "0" + String($0, radix: 8) }
        modified = unixfs.metadata.mtime.map {
            TimeText.utc(seconds: $0.seconds, nanoseconds: $0.nanoseconds)
        }
    }

    var lines: [(String, String)] {
        var lines = [("CID", cid), ("codec", codec), ("type", type)]
        if let bytes { lines.append(("size", "\(bytes) bytes (\(ByteCount.text(Int64(clamping: bytes))))")) }
        lines.append(("block", "\(blockBytes) bytes, \(links) links"))
        if let target { lines.append(("target", target)) }
        if let mode { lines.append(("mode", mode)) }
        if let modified { lines.append(("modified", modified)) }
        if let dagBlocks, let dagBytes {
            lines.append(
                (
                    "whole DAG",
                    "\(dagBlocks) blocks, \(dagBytes) bytes (\(ByteCount.text(Int64(clamping: dagBytes))))"
                ))
        }
        if let missingBlocks, missingBlocks > 0 { lines.append(("missing", "\(missingBlocks) blocks")) }
        return lines
    }
}
