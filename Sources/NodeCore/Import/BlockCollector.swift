import BlockStorage
import IPLD

/// Gathers small blocks (inner nodes, directories) and puts many in one call.
struct BlockCollector {
    private let store: any BlockStore
    private let scope: ScopeMarks
    private var blocks: [Block] = []
    private var bytes = 0
    /// What has been put so far.
    private(set) var summary = PutSummary()

    /// Put when this much has gathered.
    private static let flushBytes = 1024 * 1024
    private static let flushBlocks = 256

    init(store: any BlockStore, scope: ScopeMarks) {
        self.store = store
        self.scope = scope
    }

    mutating func add(_ block: Block) throws {
        blocks.append(block)
        bytes += block.bytes.count
        if bytes >= Self.flushBytes || blocks.count >= Self.flushBlocks { try flush() }
    }

    /// Puts what has gathered.
    mutating func flush() throws {
        guard !blocks.isEmpty else { return }
        summary.add(try store.put(blocks, scope: scope))
        blocks.removeAll(keepingCapacity: true)
        bytes = 0
    }
}

extension BlockStore {
    /// Puts blocks that own their bytes, in one call.
    @discardableResult
    func put(_ blocks: [Block], scope: ScopeMarks) throws -> PutSummary {
        var views: [BlockView] = []
        views.reserveCapacity(blocks.count)
        return try Self.withViews(of: blocks[...], &views) { try put($0, scope: scope) }
    }

    /// Copies the blocks behind one another, so that pointers to all of them are valid at the same time.
    private static func withViews<R>(
        of blocks: ArraySlice<Block>, _ views: inout [BlockView], _ body: ([BlockView]) throws -> R
    ) throws -> R {
        let arena = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, blocks.reduce(0) { $0 + $1.bytes.count }), alignment: 16)
        defer { arena.deallocate() }
        var offset = 0
        for block in blocks {
            let target = UnsafeMutableRawBufferPointer(rebasing: arena[offset..<(offset + block.bytes.count)])
            target.copyBytes(from: block.bytes)
            views.append(BlockView(cid: block.cid, bytes: UnsafeRawBufferPointer(target)))
            offset += block.bytes.count
        }
        return try body(views)
    }
}

extension PutSummary {
    fileprivate mutating func add(_ other: PutSummary) {
        newBlocks += other.newBlocks
        newBytes += other.newBytes
        knownBlocks += other.knownBlocks
        knownBytes += other.knownBytes
    }
}
