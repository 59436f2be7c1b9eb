import Digests
import IPLD
import Multiformats
import UnixFS

extension FuzzTarget {
    /// The message that says what a node is.
    static let unixFS = FuzzTarget("unixfs") { input in
        checkStat(input)
        let limited = try? UnixFSData(decoding: input, maximumBytes: 64)
        require(limited == nil || input.count <= 64, "limits are kept")
        let message = try UnixFSData(decoding: input)
        let held = (message.content?.count ?? 0) + message.blockSizes.count
        require(held <= input.count, "a message holds no more than there was")
        if let mtime = message.metadata.mtime {
            require(mtime.nanoseconds < 1_000_000_000, "a fraction is less than a second")
        }
        // Fields may come in any order, packed, or be unknown; written, they have one form.
        let bytes = message.encoded()
        require((try? UnixFSData(decoding: bytes)) == message, "a message goes there and back")
        require((try? UnixFSData(decoding: bytes))?.encoded() == bytes, "a message has one form")
    }

    /// The input as the data of a node, and as a node.
    private static func checkStat(_ input: [UInt8]) {
        for bytes in [input, DAGPBNode(data: input).encoded()] {
            let cid = must("sha2-256 is there") { try CID(hashing: bytes, codec: .dagPB) }
            guard let stat = try? UnixFSStat(Block(cid: cid, bytes: bytes)) else { continue }
            require(stat.blockBytes == bytes.count, "a block knows its size")
            require(stat.dagBytes >= UInt64(bytes.count), "a DAG is no smaller than its root")
            if case .symlink(let target) = stat.kind {
                require(target.count <= UnixFSSymlink.maximumTargetBytes, "a target is within limits")
            }
        }
    }
}
