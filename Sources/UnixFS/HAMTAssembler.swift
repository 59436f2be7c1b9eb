import IPLD
import Multiformats

/// Builds the shards of a HAMT from entries that come in the order of their hashes.
///
/// A shard is emitted as soon as its last entry is there, children before parents. Memory: one unfinished
/// shard a level. An entry stands in the highest shard where no other entry shares its slot.
struct HAMTAssembler {
    private let shape: HAMTShape
    private let parameters: ImportParameters
    private let metadata: UnixFSMetadata
    /// Unfinished shards on the way to the newest entry, the root first. Those beyond `depth` are spare
    /// memory.
    private var shards: [PendingShard] = [PendingShard()]
    private var depth = 0
    private var levelsWithPrevious = 0

    init(shape: HAMTShape, parameters: ImportParameters, metadata: UnixFSMetadata) {
        self.shape = shape
        self.parameters = parameters
        self.metadata = metadata
    }

    /// What stands in a slot.
    struct Item {
        let hash: UInt64
        /// Bytes of the name; `nil` for a whole shard that is taken over as it is.
        let name: UnsafeRawBufferPointer?
        /// How deep the shard that is taken over lies; 0 for an entry.
        var shardDepth = 0
        /// The binary CID.
        let cid: UnsafeRawBufferPointer
        let dagBytes: UInt64
    }

    /// Takes the next item.
    ///
    /// - Parameter next: the hash of the item after this one, `nil` at the end.
    mutating func append(_ item: Item, next: UInt64?, emit: (Block) throws -> Void) throws {
        let levelsWithNext = next.map { shape.commonLevels(item.hash, $0) } ?? 0
        let target = max(levelsWithPrevious, levelsWithNext, item.shardDepth - 1)
        while depth < target {
            depth += 1
            if depth == shards.count { shards.append(PendingShard()) }
        }
        let slot = shape.slot(of: item.hash, atDepth: depth)
        try shards[depth].append(item, slot: slot, shape: shape)
        while depth > levelsWithNext { try closeShard(hash: item.hash, emit: emit) }
        levelsWithPrevious = levelsWithNext
    }

    /// Emits the root.
    mutating func finish(emit: (Block) throws -> Void) throws -> DirectoryRoot {
        let block = try shards[0].block(shape: shape, parameters: parameters, metadata: metadata)
        try emit(block)
        let total = try DirectoryBlock.sum(shards[0].dagBytes, UInt64(block.bytes.count))
        return DirectoryRoot(cid: block.cid, dagBytes: total, isSharded: true)
    }

    /// Completes the deepest shard and puts it into its parent.
    private mutating func closeShard(hash: UInt64, emit: (Block) throws -> Void) throws {
        let block = try shards[depth].block(
            shape: shape, parameters: parameters, metadata: UnixFSMetadata())
        let total = try DirectoryBlock.sum(shards[depth].dagBytes, UInt64(block.bytes.count))
        shards[depth].removeAll()
        depth -= 1
        try block.cid.withBinary { cid in
            let item = Item(hash: hash, name: nil, cid: cid, dagBytes: total)
            try shards[depth].append(item, slot: shape.slot(of: hash, atDepth: depth), shape: shape)
        }
        try emit(block)
    }
}

/// A shard whose entries are still coming, in the order of their slots; kept as the bytes that they take in
/// the block.
private struct PendingShard {
    private var links: [UInt8] = []
    /// One bit a slot, the lowest slot in the lowest bit of the first word.
    private var used: InlineArray<16, UInt64> = .init(repeating: 0)
    /// Bytes of all blocks below.
    private(set) var dagBytes: UInt64 = 0

    mutating func append(_ item: HAMTAssembler.Item, slot: Int, shape: HAMTShape) throws {
        dagBytes = try DirectoryBlock.sum(dagBytes, item.dagBytes)
        used[slot >> 6] |= 1 << UInt64(slot & 63)
        DirectoryBlock.appendLink(
            cid: item.cid, nameBytes: shape.prefixDigits + (item.name?.count ?? 0), dagBytes: item.dagBytes,
            to: &links
        ) { links in
            shape.appendPrefix(of: slot, to: &links)
            if let name = item.name { links.append(contentsOf: name) }
        }
    }

    mutating func removeAll() {
        links.removeAll(keepingCapacity: true)
        used = .init(repeating: 0)
        dagBytes = 0
    }

    func block(shape: HAMTShape, parameters: ImportParameters, metadata: UnixFSMetadata) throws -> Block {
        let data = UnixFSData(
            kind: .hamtShard, content: bitField(slots: shape.fanout), hashFunction: Murmur3.code,
            fanout: UInt64(shape.fanout), metadata: metadata)
        return try DirectoryBlock.make(links: links, data: data.encoded(), parameters: parameters)
    }

    /// The slots in use as one big-endian number without leading zeros.
    private func bitField(slots: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in (0..<(slots / 8)).reversed() {
            let byte = UInt8(truncatingIfNeeded: used[index >> 3] >> UInt64(8 * (index & 7)))
            if byte != 0 || !bytes.isEmpty { bytes.append(byte) }
        }
        return bytes
    }
}
