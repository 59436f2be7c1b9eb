import IPLD
import Multiformats

/// Goes through a HAMT in the order of the hashes, without recursion and with one shard a level in memory.
///
/// Every entry must hash to where it stands. So no shard with entries can stand in two places, and the walk
/// is as long as the directory is large.
struct HAMTWalk {
    private let source: any BlockSource
    private let shape: HAMTShape
    private var frames: [Frame]
    private let onShard: ((Block) throws -> Void)?

    private struct Frame {
        let cid: CID
        let links: [DAGPBLink]
        let slots: [UInt16]
        /// The slots that lead here, in the highest bits.
        let prefix: UInt64
        var next = 0
    }

    enum Item {
        case entry(hash: UInt64, DirectoryEntry)
        /// A shard that was not gone into; it lies `depth` levels below the root.
        case shard(hash: UInt64, depth: Int, cid: CID, dagBytes: UInt64)
    }

    /// What to do with a shard that is met.
    enum Choice { case enter, take, pass }

    /// - Parameter onShard: is given every shard below the root that is entered.
    init(
        source: any BlockSource, root: Block, links: [DAGPBLink], shard: DirectoryNode.Shard,
        onShard: ((Block) throws -> Void)? = nil
    ) {
        self.source = source
        shape = shard.shape
        frames = [Frame(cid: root.cid, links: links, slots: shard.slots, prefix: 0)]
        self.onShard = onShard
    }

    /// The next entry, or shard that is taken whole.
    ///
    /// - Parameter choice: what to do with the shard that these hashes lead to.
    mutating func next(_ choice: (ClosedRange<UInt64>) -> Choice = { _ in .enter }) throws -> Item? {
        while let depth = frames.indices.last {
            let index = frames[depth].next
            guard index < frames[depth].links.count else {
                frames.removeLast()
                continue
            }
            frames[depth].next += 1
            let link = frames[depth].links[index]
            let slot = Int(frames[depth].slots[index])
            let hash = shape.hash(frames[depth].prefix, slot: slot, atDepth: depth)
            let name = link.name ?? []
            let range = shape.range(of: hash, atDepth: depth + 1)
            if name.count > shape.prefixDigits {
                let own = Array(name[shape.prefixDigits...])
                let ownHash = Murmur3.hash64(own)
                guard range.contains(ownHash) else {
                    throw UnixFSDirectoryError.damagedNode(frames[depth].cid, .wrongSlot(name: own))
                }
                return .entry(
                    hash: ownHash, DirectoryEntry(name: own, cid: link.cid, dagBytes: link.tsize ?? 0))
            }
            switch choice(range) {
            case .enter: try enter(link.cid, prefix: hash)
            case .take:
                return .shard(hash: hash, depth: depth + 1, cid: link.cid, dagBytes: link.tsize ?? 0)
            case .pass: break
            }
        }
        return nil
    }

    private mutating func enter(_ cid: CID, prefix: UInt64) throws {
        guard frames.count < shape.levels else {
            throw UnixFSDirectoryError.damagedNode(cid, .tooDeep(maximum: shape.levels))
        }
        let (block, node) = try source.directoryNode(cid, below: shape)
        try onShard?(block)
        frames.append(Frame(cid: cid, links: node.links, slots: node.shard?.slots ?? [], prefix: prefix))
    }
}
