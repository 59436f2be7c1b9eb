import ArgumentParser
import BlockStorage
import NodeCore
import NodeMessages
import UnixFS

struct CatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Write files to standard output, byte for byte.")

    @OptionGroup var global: GlobalOptions
    @Argument(
        help: ArgumentHelp(
            "CID, CID/PATH, the name of a pin, or NAMESPACE:/PATH[@VERSION].", valueName: "what"),
        completion: .pins)
    var references: [String]
    @Option(name: .long, help: ArgumentHelp("Begin at this byte.", valueName: "n"))
    var offset: UInt64 = 0
    @Option(name: .long, help: ArgumentHelp("Write at most so many bytes.", valueName: "n"))
    var length: UInt64?

    func validate() throws {
        if references.isEmpty { throw ValidationError("name what to write: a CID, CID/PATH or a pin") }
        if references.count > 1 && (offset > 0 || length != nil) {
            throw ValidationError("--offset and --length go with one file")
        }
    }

    func run() throws {
        let parsed = try references.map { try ContentReference(RawArguments.bytes(of: $0)) }
        try global.withNode(.existing) { node in
            var output = StandardOutput()
            for reference in parsed {
                let reader = try node.blocks.fileReader(node.resolve(reference), shownAs: reference.text)
                let start = min(offset, reader.size)
                let end = length.map { start + min($0, reader.size - start) } ?? reader.size
                try reader.read(start..<end) { bytes in
                    try Interruption.cancellation.check()
                    try output.write(bytes)
                }
            }
            try output.flush()
        }
    }
}
