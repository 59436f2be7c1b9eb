import ArgumentParser
import BlockStorage
import Catalog
import Digests
import IPLD
import Multiformats
import NodeCore
import NodeMessages

struct DAGCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dag", abstract: "Structured blocks: DAG-CBOR, DAG-JSON, DAG-PB.",
        subcommands: [Get.self, Put.self, Stat.self])

    @OptionGroup var global: GlobalOptions
}

extension DAGCommand {
    struct Get: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what a path in a DAG leads to, as DAG-JSON or in another codec.",
            discussion:
                "A path goes through maps, lists and links, over blocks of any codec: CID/list/0/name.")

        @OptionGroup var global: GlobalOptions
        @Argument(help: ArgumentHelp("CID or CID/PATH.", valueName: "what"))
        var reference: String
        @Option(
            name: .long, help: ArgumentHelp("dag-json, dag-cbor, dag-pb or raw.", valueName: "codec"),
            completion: .list(["dag-json", "dag-cbor", "dag-pb", "raw"]))
        var outputCodec = "dag-json"

        func run() throws {
            let parsed = try ContentReference(RawArguments.bytes(of: reference))
            let codec = try CodecName.parse(outputCodec)
            try global.withNode(.existing) { node in
                let root = try node.resolve(ContentReference(root: parsed.root, text: parsed.text))
                let found: IPLDPath.Destination
                do {
                    found = try IPLDPath.resolve(parsed.path, from: root, in: node.blocks)
                } catch let error as IPLDPathError {
                    if case .notInDataModel = error {
                        throw CommandError(.failed, "\(error); `nacre block get` gives its bytes")
                    }
                    throw CommandError(.notFound, "\(parsed.text): \(error)")
                }
                let bytes: [UInt8]
                do {
                    bytes = try found.value.encoded(as: codec)
                } catch let error as IPLDCodecError {
                    throw CommandError(
                        .failed,
                        "block \(found.block.cid) as \(outputCodec): \(error); `nacre block get` gives its bytes"
                    )
                }
                var out = StandardOutput()
                try out.write(bytes: bytes)
                if codec == .dagJSON { try out.write("\n") }
                try out.flush()
            }
        }
    }

    struct Put: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Store a value from a file or standard input as a block; print its CID. It is not pinned without --pin."
        )

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(
            help: ArgumentHelp("A file; - or nothing is standard input.", valueName: "file"),
            completion: .file())
        var path = "-"
        @Option(
            name: .long,
            help: ArgumentHelp(
                "What is read: dag-json, dag-cbor, json, cbor, dag-pb or raw.", valueName: "codec"))
        var inputCodec = "dag-json"
        @Option(
            name: .long,
            help: ArgumentHelp("What is stored: dag-cbor, dag-json, dag-pb or raw.", valueName: "codec"))
        var storeCodec = "dag-cbor"
        @Option(name: .long, help: ArgumentHelp("Hash function.", valueName: "name"))
        var hash = "sha2-256"
        @Flag(name: .long, help: "Pin the block; everything it links to must be there.")
        var pin = false

        func run() throws {
            let input = try CodecName.parse(inputCodec)
            let store = try CodecName.parse(storeCodec)
            guard let function = MulticodecTable.code(named: hash).map(MultihashCode.init(rawValue:)) else {
                throw ValidationError("no hash function is named \(hash); `nacre cid hashes` lists them")
            }
            let bytes = try WholeInput.read(path, limit: Block.defaultMaximumBytes)
            let identity = CID(codec: input, multihash: try Multihash(hashing: [], with: .sha2_256))
            let encoded = try Block(cid: identity, bytes: bytes).value().encoded(as: store)
            let cid = try CID(hashing: encoded, codec: store, with: function)
            try global.withNode { node in
                try node.blocks.put(Block(cid: cid, bytes: encoded))
                try node.blocks.commit()
                if pin {
                    _ = try node.pin(
                        PinRequest(cid: cid.description),
                        Watch(cancellation: Interruption.cancellation))
                }
                var out = StandardOutput()
                if output.json {
                    try out.write(bytes: JSONLine.encode(["cid": cid.description]))
                    try out.write("\n")
                } else {
                    try out.write(line: cid.description)
                }
                try out.flush()
            }
        }
    }

    struct Stat: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Walk a DAG and count its blocks and bytes, each block once.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(
            help: ArgumentHelp("CID, CID/PATH or the name of a pin.", valueName: "what"), completion: .pins)
        var reference: String

        func run() throws {
            let parsed = try ContentReference(RawArguments.bytes(of: reference))
            try global.withNode(.existing) { node in
                let cid = try node.resolve(parsed)
                let bar = ProgressBar("walking")
                let report = try node.walk(cid, bar.watch)
                bar.finish()
                let row = DAGStatJSON(
                    cid: cid.description, blocks: report.blocks, bytes: report.bytes, missing: report.missing)
                var out = StandardOutput()
                if output.json {
                    try out.write(bytes: JSONLine.encode(row))
                    try out.write("\n")
                } else {
                    try out.write(line: "\(cid) \(report.blocks) blocks, \(report.bytes) bytes")
                }
                try out.flush()
                if report.missing > 0 {
                    throw CommandError(.partlyDone, "\(report.missing) blocks are missing")
                }
            }
        }
    }
}

private struct DAGStatJSON: Encodable {
    let cid: String
    let blocks: Int
    let bytes: UInt64
    let missing: Int
}

/// Codecs by the names that people give.
private enum CodecName {
    static func parse(_ name: String) throws -> Codec {
        let known: [String: Codec] = [
            "dag-json": .dagJSON, "dag-cbor": .dagCBOR, "dag-pb": .dagPB, "json": .json, "cbor": .cbor,
            "raw": .raw,
        ]
        guard let codec = known[name] else {
            throw ValidationError(
                "no codec \(name) is read and written here; use \(known.keys.sorted().joined(separator: ", "))"
            )
        }
        return codec
    }
}
