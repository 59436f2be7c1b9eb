import Digests
import IPLD
import Multiformats
import TestKit

/// A file node made by hand, so that it can lie.
struct HandmadeFile {
    var type: UInt64? = 2
    var content: [UInt8] = []
    /// What the node says of its size; `nil` to say nothing.
    var fileSize: UInt64?
    var blockSizes: [UInt64] = []
    var links: [CID] = []
    /// Bytes behind the UnixFS message.
    var trailing: [UInt8] = []

    static func leaf(_ text: String) -> HandmadeFile {
        HandmadeFile(content: Array(text.utf8), fileSize: UInt64(text.utf8.count))
    }

    /// A node with content, then children of the sizes given.
    static func node(_ text: String, _ children: [CID], _ sizes: [UInt64]) -> HandmadeFile {
        let content = Array(text.utf8)
        return HandmadeFile(
            content: content, fileSize: sizes.reduce(UInt64(content.count), &+), blockSizes: sizes,
            links: children)
    }

    var message: [UInt8] {
        var bytes: [UInt8] = []
        func append(_ value: UInt64) {
            var rest = value
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
        if let type {
            bytes.append(0x08)
            append(type)
        }
        if !content.isEmpty {
            bytes.append(0x12)
            append(UInt64(content.count))
            bytes += content
        }
        if let fileSize {
            bytes.append(0x18)
            append(fileSize)
        }
        for size in blockSizes {
            bytes.append(0x20)
            append(size)
        }
        return bytes + trailing
    }

    func block() throws -> Block {
        let node = DAGPBNode(links: links.map { DAGPBLink(cid: $0, name: [], tsize: 0) }, data: message)
        return try Block.hashing(node.encoded(), codec: .dagPB)
    }
}

extension Block {
    static func hashing(_ bytes: [UInt8], codec: Codec) throws -> Block {
        Block(cid: CID(codec: codec, multihash: try Multihash(hashing: bytes, with: .sha2_256)), bytes: bytes)
    }
}

extension DictionaryBlockSource {
    /// Keeps a handmade node.
    func file(_ node: HandmadeFile) throws -> CID {
        let block = try node.block()
        insert(block)
        return block.cid
    }

    /// Keeps a raw leaf.
    func raw(_ text: String) throws -> CID {
        let block = try Block.hashing(Array(text.utf8), codec: .raw)
        insert(block)
        return block.cid
    }
}
