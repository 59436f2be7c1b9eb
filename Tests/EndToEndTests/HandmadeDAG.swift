import CAR
import IPLD
import Multiformats
import TestKit
import UnixFS

/// A DAG made block by block: also such as no importer would make.
struct HandmadeDAG {
    private(set) var blocks: [Block] = []

    /// Puts a block of any kind in.
    mutating func add(_ block: Block) -> CID {
        blocks.append(block)
        return block.cid
    }

    /// A file of one raw leaf.
    mutating func file(_ content: [UInt8]) -> CID { add(Block(content: content)) }
    mutating func file(_ content: String) -> CID { file(Array(content.utf8)) }

    /// A directory with these entries, in this order and under these names, whatever they are.
    mutating func directory(
        _ entries: [(name: [UInt8], cid: CID)], metadata: UnixFSMetadata = UnixFSMetadata()
    ) -> CID {
        let links = entries.map { DAGPBLink(cid: $0.cid, name: $0.name, tsize: 100) }
        return node(links, UnixFSData(kind: .directory, metadata: metadata))
    }

    mutating func directory(
        _ entries: [(String, CID)], metadata: UnixFSMetadata = UnixFSMetadata()
    ) -> CID {
        directory(entries.map { (name: Array($0.0.utf8), cid: $0.1) }, metadata: metadata)
    }

    mutating func symlink(_ target: String, metadata: UnixFSMetadata = UnixFSMetadata()) -> CID {
        node([], UnixFSData(kind: .symlink, content: Array(target.utf8), metadata: metadata))
    }

    /// A file within one node, with what is recorded of it.
    mutating func file(_ content: String, _ metadata: UnixFSMetadata) -> CID {
        let bytes = Array(content.utf8)
        return node(
            [],
            UnixFSData(kind: .file, content: bytes, fileSize: UInt64(bytes.count), metadata: metadata))
    }

    /// Any node of UnixFS.
    mutating func node(_ links: [DAGPBLink], _ data: UnixFSData) -> CID {
        add(Block(content: DAGPBNode(links: links, data: data.encoded()).encoded(), codec: .dagPB))
    }

    /// The blocks as a CAR file.
    func car(roots: [CID], format: CARWritingFormat = .version1) throws -> [UInt8] {
        try Self.car(roots: roots, blocks, format: format)
    }

    static func car(
        roots: [CID] = [], _ blocks: [Block], format: CARWritingFormat = .version1
    ) throws -> [UInt8] {
        var file: [UInt8] = []
        try withoutActuallyEscaping({ (bytes: UnsafeRawBufferPointer) in file += bytes }) { sink in
            var writer = try CARWriter(roots: roots, format: format, sink: sink)
            for block in blocks { try writer.append(block) }
            if let patch = try writer.finish().patch {
                file.replaceSubrange(
                    Int(patch.offset)..<(Int(patch.offset) + patch.bytes.count), with: patch.bytes)
            }
        }
        return file
    }
}
