public import IPLD
public import Multiformats

/// Builds the blocks of one directory from its entries: a basic one, or a HAMT if it is large.
///
/// Entries come in any order. Memory: some 24 bytes, the name and the binary CID for each entry, and while
/// a HAMT is made, one unfinished shard a level. Blocks are emitted children before parents.
///
/// Spec: UnixFS, "Directory" and "HAMT sharded directory"; IPIP-499 for when a directory is sharded.
public struct DirectoryBuilder: Sendable {
    private let parameters: ImportParameters
    private let metadata: UnixFSMetadata
    private var arena = DirectoryArena()
    private var estimate: DirectoryEstimate

    /// The longest name: more than any file system allows.
    public static let maximumNameBytes = 4096

    /// A builder for one directory.
    ///
    /// - Parameters:
    ///   - parameters: CID version, hash and the rules for sharding matter here.
    ///   - metadata: what the root records besides the entries.
    public init(parameters: ImportParameters, metadata: UnixFSMetadata? = nil) {
        self.parameters = parameters
        self.metadata = metadata ?? UnixFSMetadata()
        estimate = DirectoryEstimate(parameters: parameters, metadata: self.metadata)
    }

    /// How many entries were added.
    public var count: Int { arena.records.count }

    /// Adds an entry.
    ///
    /// - Parameters:
    ///   - name: any bytes but zero and `/`; neither empty nor `.` or `..`.
    ///   - dagBytes: bytes of all blocks below and of the entry's root, for `Tsize`.
    /// - Throws: `badName`, `directoryTooLarge`. That a name is there twice comes out in ``finish(emit:)``.
    public mutating func add(name: [UInt8], cid: CID, dagBytes: UInt64) throws(UnixFSDirectoryError) {
        guard Self.isAllowed(name: name) else { throw .badName(name) }
        try arena.append(name: name, cid: cid, dagBytes: dagBytes)
        estimate.add(nameBytes: name.count, cidBytes: cid.byteCount, dagBytes: dagBytes)
    }

    /// Makes the blocks and forgets the entries.
    ///
    /// - Throws: `UnixFSDirectoryError` (`duplicateName`, `hashCollision`, `sizesOverflow`; `blockTooLarge`
    ///   if sharding is off), `MultihashError`, and what `emit` throws.
    public mutating func finish(emit: (Block) throws -> Void) throws -> DirectoryRoot {
        defer { self = DirectoryBuilder(parameters: parameters, metadata: metadata) }
        if estimate.isOverThreshold, let shape = HAMTShape(fanout: parameters.directory.fanout) {
            return try finishSharded(shape, emit: emit)
        }
        return try finishBasic(emit: emit)
    }

    private mutating func finishBasic(emit: (Block) throws -> Void) throws -> DirectoryRoot {
        arena.sortByName()
        var links: [UInt8] = []
        var dagBytes: UInt64 = 0
        for (index, record) in arena.records.enumerated() {
            if index > 0 { try refuseDuplicate(arena.records[index - 1], record) }
            dagBytes = try DirectoryBlock.sum(dagBytes, record.dagBytes)
            arena.with(record) { name, cid in
                DirectoryBlock.appendLink(
                    cid: cid, nameBytes: name.count, dagBytes: record.dagBytes, to: &links
                ) { $0.append(contentsOf: name) }
            }
            guard links.count <= Block.hardMaximumBytes else {
                throw UnixFSDirectoryError.blockTooLarge(bytes: links.count, maximum: Block.hardMaximumBytes)
            }
        }
        let data = UnixFSData(kind: .directory, metadata: metadata).encoded()
        let block = try DirectoryBlock.make(links: links, data: data, parameters: parameters)
        try emit(block)
        return DirectoryRoot(
            cid: block.cid, dagBytes: try DirectoryBlock.sum(dagBytes, UInt64(block.bytes.count)),
            isSharded: false)
    }

    private mutating func finishSharded(
        _ shape: HAMTShape, emit: (Block) throws -> Void
    ) throws -> DirectoryRoot {
        arena.sortByHash()
        let records = arena.records
        var assembler = HAMTAssembler(shape: shape, parameters: parameters, metadata: metadata)
        for index in records.indices {
            let record = records[index]
            let next = index + 1 < records.count ? records[index + 1] : nil
            if let next, shape.commonLevels(record.key, next.key) >= shape.levels {
                try refuseDuplicate(record, next)
                throw UnixFSDirectoryError.hashCollision(arena.name(of: record), arena.name(of: next))
            }
            try arena.with(record) { name, cid in
                let item = HAMTAssembler.Item(
                    hash: record.key, name: name, cid: cid, dagBytes: record.dagBytes)
                try assembler.append(item, next: next?.key, emit: emit)
            }
        }
        return try assembler.finish(emit: emit)
    }

    private func refuseDuplicate(
        _ a: DirectoryArena.Record, _ b: DirectoryArena.Record
    ) throws(UnixFSDirectoryError) {
        guard a.key == b.key, a.nameBytes == b.nameBytes else { return }
        let name = arena.name(of: b)
        if name == arena.name(of: a) { throw .duplicateName(name) }
    }

    /// Whether a name can be an entry of a directory that is made here.
    static func isAllowed(name: [UInt8]) -> Bool {
        isReadable(name: name) && name.count <= maximumNameBytes && name != [0x2E] && name != [0x2E, 0x2E]
    }

    /// Whether a name can be an entry of a directory that somebody else made.
    static func isReadable(name: [UInt8]) -> Bool {
        !name.isEmpty && !name.contains(0) && !name.contains(0x2F)
    }
}

/// A directory that has become blocks.
public struct DirectoryRoot: Hashable, Sendable {
    public let cid: CID
    /// Bytes of all blocks below and the root itself, counted once per link (`Tsize`).
    public let dagBytes: UInt64
    /// Whether it is a HAMT.
    public let isSharded: Bool

    public init(cid: CID, dagBytes: UInt64, isSharded: Bool) {
        self.cid = cid
        self.dagBytes = dagBytes
        self.isSharded = isSharded
    }
}
