import IPLD
import Multiformats

/// A block of a directory, taken apart and checked against itself.
struct DirectoryNode: Sendable {
    let links: [DAGPBLink]
    let metadata: UnixFSMetadata
    /// Of a HAMT; `nil` for a basic directory.
    let shard: Shard?

    struct Shard: Sendable {
        let shape: HAMTShape
        /// The slot of each link, ascending.
        let slots: [UInt16]
    }

    /// - Parameter shape: of the root, if this is a shard below one.
    init(_ block: Block, below shape: HAMTShape? = nil) throws(DamagedDirectoryNode) {
        guard block.cid.codec == .dagPB else { throw .wrongCodec(block.cid.codec) }
        let node: DAGPBNode
        do { node = try DAGPBNode(decoding: block.bytes) } catch { throw .dagPB(error) }
        guard let bytes = node.data else { throw .noData }
        let data: UnixFSData
        do { data = try UnixFSData(decoding: bytes) } catch { throw .data(error) }
        links = node.links
        metadata = data.metadata
        switch data.kind {
        case .hamtShard:
            let own = try Self.shape(of: data)
            if let shape, own != shape { throw .badFanout(data.fanout) }
            shard = Shard(shape: own, slots: try Self.slots(of: links, data: data, shape: own))
            // Shards without entries, each many times in the one above, would keep a walk busy for ever.
            if shape != nil && links.isEmpty { throw .emptyShard }
        case .directory where shape == nil:
            for link in links where !DirectoryBuilder.isReadable(name: link.name ?? []) {
                throw .badName(link.name ?? [])
            }
            shard = nil
        case let kind: throw .wrongKind(kind)
        }
    }

    private static func shape(of data: UnixFSData) throws(DamagedDirectoryNode) -> HAMTShape {
        guard data.hashFunction == Murmur3.code else { throw .unknownHashFunction(data.hashFunction) }
        guard let fanout = data.fanout, let small = Int(exactly: fanout), let shape = HAMTShape(fanout: small)
        else { throw .badFanout(data.fanout) }
        return shape
    }

    private static func slots(
        of links: [DAGPBLink], data: UnixFSData, shape: HAMTShape
    ) throws(DamagedDirectoryNode) -> [UInt16] {
        let field = data.content ?? []
        guard field.count <= shape.fanout / 8 else {
            throw .bitFieldTooLong(bytes: field.count, slots: shape.fanout)
        }
        var slots: [UInt16] = []
        for (index, byte) in field.reversed().enumerated() where byte != 0 {
            for bit in 0..<8 where byte >> UInt8(bit) & 1 == 1 { slots.append(UInt16(8 * index + bit)) }
        }
        guard slots.count == links.count else {
            throw .linksAndSlotsDiffer(links: links.count, slots: slots.count)
        }
        for (link, slot) in zip(links, slots) {
            let name = link.name ?? []
            var prefix: [UInt8] = []
            shape.appendPrefix(of: Int(slot), to: &prefix)
            guard name.starts(with: prefix) else { throw .badPrefix(name: name, slot: Int(slot)) }
            let own = Array(name.dropFirst(prefix.count))
            guard own.isEmpty || DirectoryBuilder.isReadable(name: own) else { throw .badName(own) }
        }
        return slots
    }
}

extension BlockSource {
    /// The root of a directory or, with a shape, a shard below one.
    func directoryNode(_ cid: CID, below shape: HAMTShape? = nil) throws -> (
        block: Block, node: DirectoryNode
    ) {
        guard let block = try block(cid) else { throw UnixFSDirectoryError.missingBlock(cid) }
        do {
            return (block, try DirectoryNode(block, below: shape))
        } catch {
            throw UnixFSDirectoryError.damagedNode(cid, error)
        }
    }
}
