public import IPLD
import Multiformats

/// Goes through a range of a file piece by piece: see ``UnixFSFileReader/cursor(_:)``.
///
/// A stack of nodes leads to the next leaf. Neighbouring leaves are fetched together, so that a source can
/// verify them together. After an error the cursor must not be used further.
public struct UnixFSFileCursor {
    private let source: any BlockSource
    private let limits: FileReadLimits
    let range: Range<UInt64>
    var stack: [Level] = []
    /// Content that is ready to be taken.
    var ready: ArraySlice<UInt8>?
    /// Links of all nodes on the stack.
    var links = 0
    /// Bytes of all blocks that were fetched ahead.
    private var aheadBytes = 0

    /// A node whose children are being read.
    struct Level {
        /// The children that have bytes in the range, the next one last.
        var children: [Place]
        /// The blocks of the last few of `children`, the next one last.
        var ahead: [Block] = []
    }

    /// A child and where its bytes begin.
    struct Place {
        let child: FileNode.Child
        let offset: UInt64
    }

    init(_ reader: UnixFSFileReader, _ range: Range<UInt64>) throws(UnixFSFileError) {
        source = reader.source
        limits = reader.limits
        self.range = range
        if range.isEmpty { return }
        try enter(reader.rootNode, of: reader.root, at: 0)
    }

    /// The next bytes of the range, at most a block of them; `nil` at its end.
    ///
    /// - Throws: `UnixFSFileError`, and what the source throws.
    public mutating func next() throws -> ArraySlice<UInt8>? {
        while ready == nil {
            guard try nextBlock() != nil else { return nil }
        }
        defer { ready = nil }
        return ready
    }

    /// Goes on to the next block that the range needs, be it a leaf or not, and returns it; `nil` behind
    /// the last one.
    ///
    /// For who wants blocks, not their content: use it, or ``next()``, throughout.
    public mutating func nextBlock() throws -> Block? {
        while let level = stack.last, level.children.isEmpty {
            stack.removeLast()
        }
        guard !stack.isEmpty else { return nil }
        if stack[stack.count - 1].ahead.isEmpty { try fetch() }
        // Whatever a file says of itself: `fetch` throws for a child that is missing, and frames without
        // children are gone.
        guard let place = stack[stack.count - 1].children.popLast(),
            let block = stack[stack.count - 1].ahead.popLast()
        else { preconditionFailure("a fetch that does not throw brings a block for the next child") }
        links -= 1
        aheadBytes -= block.bytes.count
        let node = try FileNode(block, at: place.offset)
        guard node.size == place.child.size else {
            throw UnixFSFileError.wrongSize(
                block.cid, offset: place.offset, claimed: place.child.size, actual: node.size)
        }
        try enter(node, of: block, at: place.offset)
        return block
    }

    /// Makes the content of a node ready and puts its children on the stack.
    private mutating func enter(_ node: FileNode, of block: Block, at offset: UInt64) throws(UnixFSFileError)
    {
        ready = clip(node.content, at: offset)
        guard !node.children.isEmpty else { return }
        // The sum of all sizes was checked against overflow when the node was decoded, and lies within the
        // file.
        var end = offset &+ UInt64(node.content.count)
        var places: [Place] = []
        for child in node.children {
            let start = end
            end = start &+ child.size
            if child.size > 0 && start < range.upperBound && end > range.lowerBound {
                places.append(Place(child: child, offset: start))
            }
        }
        guard !places.isEmpty else { return }
        guard stack.count < limits.depth else {
            throw .tooDeep(block.cid, offset: offset, maximum: limits.depth)
        }
        links += places.count
        guard links <= limits.links else {
            throw .tooManyLinks(block.cid, offset: offset, maximum: limits.links)
        }
        if aheadBytes > 2 * limits.batchBytes { forgetAhead() }
        places.reverse()
        stack.append(Level(children: places))
    }

    /// Lets go of what was fetched ahead at the deepest level; it is fetched again when its turn comes.
    /// Only trees of many small inner nodes get here.
    private mutating func forgetAhead() {
        guard let last = stack.indices.last else { return }
        aheadBytes -= stack[last].ahead.reduce(0) { $0 + $1.bytes.count }
        stack[last].ahead = []
    }

    /// The part of a node's content that is in the range.
    private func clip(_ content: ArraySlice<UInt8>, at offset: UInt64) -> ArraySlice<UInt8>? {
        let end = offset &+ UInt64(content.count)
        let lower = max(offset, range.lowerBound)
        let upper = min(end, range.upperBound)
        guard lower < upper else { return nil }
        return content[
            (content.startIndex + Int(lower - offset))..<(content.startIndex + Int(upper - offset))]
    }

    /// Fetches the next child of the deepest node, and its neighbours if they may be leaves as well.
    private mutating func fetch() throws {
        let last = stack.count - 1
        let children = stack[last].children
        var count = 0
        var bytes: UInt64 = 0
        for place in children.reversed() {
            // What is larger than any block is no leaf: fetching ahead would only hold memory.
            let (sum, overflow) = bytes.addingReportingOverflow(place.child.size)
            let fits =
                !overflow && sum <= limits.batchBytes && place.child.size <= UInt64(Block.hardMaximumBytes)
            guard count == 0 || (count < limits.batchBlocks && fits) else { break }
            count += 1
            bytes = sum
            if !fits { break }
        }
        let wanted = children.suffix(count).reversed().map(\.child.cid)
        let blocks = count == 1 ? [try source.block(wanted[0])] : try source.blocks(wanted)
        // What comes before a gap is still delivered.
        let ahead = blocks.prefix { $0 != nil }.compactMap { $0 }
        guard !ahead.isEmpty else {
            let next = children[children.count - 1]
            throw UnixFSFileError.missingBlock(next.child.cid, offset: next.offset)
        }
        aheadBytes += ahead.reduce(0) { $0 + $1.bytes.count }
        stack[last].ahead = ahead.reversed()
    }
}
