public import IPLD
public import Multiformats

/// Reads a directory out of blocks, basic or sharded: everything, by page, or one entry.
///
/// Memory: the root and, in a HAMT, one shard a level. Only the shards that are needed are fetched. Entries
/// come in the order of the links, in a HAMT in that of the hashes of their names. Digests are the business
/// of the source.
///
/// What a block says is checked: in a HAMT fanout, hash function, slots, and that names hash to where they
/// stand. Names hold neither zero bytes nor `/`; that a name is there twice, or is `..`, is left to who
/// writes it to a disk.
public struct DirectoryReader: Sendable {
    /// The root block.
    public let root: Block
    /// Mode and mtime, where they are recorded.
    public let metadata: UnixFSMetadata
    let source: any BlockSource
    let node: DirectoryNode

    /// Opens the directory that `root` names.
    ///
    /// - Throws: `UnixFSDirectoryError.missingBlock` or `damagedNode`, and what `source` throws.
    public init(source: any BlockSource, root: CID) throws {
        let (block, node) = try source.directoryNode(root)
        self.init(source: source, root: block, node: node)
    }

    /// Opens the directory whose root block is at hand.
    public init(source: any BlockSource, root: Block) throws(UnixFSDirectoryError) {
        do {
            self.init(source: source, root: root, node: try DirectoryNode(root))
        } catch {
            throw .damagedNode(root.cid, error)
        }
    }

    init(source: any BlockSource, root: Block, node: DirectoryNode) {
        self.source = source
        self.root = root
        self.node = node
        metadata = node.metadata
    }

    /// Whether it is a HAMT.
    public var isSharded: Bool { node.shard != nil }

    /// The entry called `name`, `nil` if there is none. In a HAMT only the shards on the way are read.
    public func entry(named name: [UInt8]) throws -> DirectoryEntry? {
        guard let shard = node.shard else {
            return node.links.first { $0.name == name }.map(DirectoryEntry.init)
        }
        return try HAMTLookup(source: source, shape: shard.shape)
            .entry(named: name, in: node)
    }

    /// Visits all entries.
    public func forEach(_ body: (DirectoryEntry) throws -> Void) throws {
        guard var walk = walk() else {
            for link in node.links { try body(DirectoryEntry(link)) }
            return
        }
        while case .entry(_, let entry)? = try walk.next() { try body(entry) }
    }

    /// Visits the blocks of the directory itself, the root first, parents before children; no entry's.
    public func forEachBlock(_ body: (Block) throws -> Void) throws {
        try body(root)
        try withoutActuallyEscaping(body) { body in
            guard var walk = walk(onShard: body) else { return }
            while try walk.next() != nil {}
        }
    }

    /// Some entries from a place on.
    ///
    /// - Parameters:
    ///   - cursor: where the page before this one ended; `nil` for the first page.
    ///   - limit: the most entries of the page, at least 1.
    public func page(after cursor: DirectoryCursor? = nil, limit: Int) throws -> DirectoryPage {
        let limit = max(1, limit)
        guard var walk = walk() else { return basicPage(after: cursor, limit: limit) }
        var page = DirectoryPage(entries: [])
        var last: UInt64 = 0
        // A shard is passed over unread if it lies before the cursor as a whole.
        while case .entry(let hash, let entry)? = try walk.next({ range in
            if let cursor, range.upperBound <= cursor.position { .pass } else { .enter }
        }) {
            if let cursor, hash <= cursor.position { continue }
            if page.entries.count == limit {
                page.next = DirectoryCursor(position: last)
                break
            }
            page.entries.append(entry)
            last = hash
        }
        return page
    }

    private func basicPage(after cursor: DirectoryCursor?, limit: Int) -> DirectoryPage {
        let count = node.links.count
        let start = Int(clamping: min(cursor?.position ?? 0, UInt64(count)))
        let end = start + min(limit, count - start)
        return DirectoryPage(
            entries: node.links[start..<end].map(DirectoryEntry.init),
            next: end < count ? DirectoryCursor(position: UInt64(end)) : nil)
    }

    /// A walk through the HAMT; `nil` if it is a basic directory.
    func walk(onShard: ((Block) throws -> Void)? = nil) -> HAMTWalk? {
        node.shard.map { shard in
            HAMTWalk(source: source, root: root, links: node.links, shard: shard, onShard: onShard)
        }
    }
}

/// Finds one entry of a HAMT.
struct HAMTLookup {
    let source: any BlockSource
    let shape: HAMTShape

    func entry(named name: [UInt8], in root: DirectoryNode) throws -> DirectoryEntry? {
        let hash = Murmur3.hash64(name)
        var node = root
        var depth = 0
        while let link = node.link(inSlot: shape.slot(of: hash, atDepth: depth)) {
            let linkName = link.name ?? []
            if linkName.count > shape.prefixDigits {
                guard linkName[shape.prefixDigits...] == name[...] else { return nil }
                return DirectoryEntry(name: name, cid: link.cid, dagBytes: link.tsize ?? 0)
            }
            depth += 1
            guard depth < shape.levels else {
                throw UnixFSDirectoryError.damagedNode(link.cid, .tooDeep(maximum: shape.levels))
            }
            node = try source.directoryNode(link.cid, below: shape).node
        }
        return nil
    }
}

extension DirectoryNode {
    fileprivate func link(inSlot slot: Int) -> DAGPBLink? {
        guard let slots = shard?.slots else { return nil }
        var low = 0
        var high = slots.count
        while low < high {
            let middle = (low + high) / 2
            if Int(slots[middle]) < slot { low = middle + 1 } else { high = middle }
        }
        return low < slots.count && Int(slots[low]) == slot ? links[low] : nil
    }
}

extension DirectoryEntry {
    /// An entry of a basic directory.
    init(_ link: DAGPBLink) {
        self.init(name: link.name ?? [], cid: link.cid, dagBytes: link.tsize ?? 0)
    }
}
