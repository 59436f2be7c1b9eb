import ArgumentParser
import BlockStorage
import Digests
import IPLD
import Multiformats
import NodeCore
import NodeMessages

struct BlockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "block", abstract: "Single blocks as they are.",
        subcommands: [Put.self, Get.self, Stat.self])

    @OptionGroup var global: GlobalOptions
}

extension BlockCommand {
    struct Put: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Store a block from a file or standard input; print its CID. It is not pinned.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(
            help: ArgumentHelp("A file; - or nothing is standard input.", valueName: "file"),
            completion: .file())
        var path = "-"
        @Option(name: .long, help: ArgumentHelp("Codec of the CID.", valueName: "name"))
        var codec = "raw"
        @Option(name: .long, help: ArgumentHelp("Hash function.", valueName: "name"))
        var hash = "sha2-256"
        @Flag(name: .long, help: "Allow more than 2 MiB (up to 8 MiB); other tools may refuse such blocks.")
        var allowBigBlock = false

        func run() throws {
            guard let codec = MulticodecTable.code(named: codec).map(Codec.init(rawValue:)) else {
                throw ValidationError("no codec is named \(self.codec); `nacre cid codecs` lists them")
            }
            guard let function = MulticodecTable.code(named: hash).map(MultihashCode.init(rawValue:)) else {
                throw ValidationError("no hash function is named \(hash); `nacre cid hashes` lists them")
            }
            let limit = allowBigBlock ? Block.hardMaximumBytes : Block.defaultMaximumBytes
            let bytes = try WholeInput.read(path, limit: limit)
            let cid = try CID(hashing: bytes, codec: codec, with: function)
            let block = Block(cid: cid, bytes: bytes)
            // A block that its codec cannot read would break every walk that comes by.
            if Block.canLink(codec) { _ = try block.value() }
            try global.withNode { node in
                try node.blocks.put(block)
                try node.blocks.commit()
                var out = StandardOutput()
                if output.json {
                    try out.write(bytes: JSONLine.encode(BlockJSON(cid: cid.description, bytes: bytes.count)))
                    try out.write("\n")
                } else {
                    try out.write(line: cid.description)
                }
                try out.flush()
            }
        }
    }

    struct Get: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Write a block to standard output.")

        @OptionGroup var global: GlobalOptions
        @Argument(help: ArgumentHelp("CID of the block.", valueName: "cid"))
        var cid: String

        func run() throws {
            let cid = try CID(text: cid)
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                let block = try node.blocks.requireBlock(cid)
                try block.bytes.withUnsafeBytes { try out.write($0) }
            }
        }
    }

    struct Stat: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print a block's CID and size.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("CIDs of blocks.", valueName: "cid"))
        var cids: [String]

        func run() throws {
            let parsed = try cids.map { try CID(text: $0) }
            try global.withNode(.existing) { node in
                var out = StandardOutput()
                for cid in parsed {
                    guard let bytes = try node.blocks.size(of: cid) else {
                        try out.flush()
                        throw NodeError.blockNotFound(cid)
                    }
                    if output.json {
                        try out.write(bytes: JSONLine.encode(BlockJSON(cid: cid.description, bytes: bytes)))
                        try out.write("\n")
                    } else {
                        try out.write(line: "\(cid) \(bytes)")
                    }
                }
                try out.flush()
            }
        }
    }
}

private struct BlockJSON: Encodable {
    let cid: String
    let bytes: Int
}
