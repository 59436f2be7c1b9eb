public import IPLD
public import Multiformats

/// For who can hand raw leaves on without seeing their bytes: they are named, not fetched.
///
/// Whoever takes a leaf has to check that the block is there and has the size that is claimed.
extension UnixFSFileCursor {
    /// A raw block that the range needs.
    public struct Leaf: Sendable {
        public let cid: CID
        /// Bytes of the block, as the node above it claims.
        public let size: UInt64
        /// Where it begins in the file.
        public let offset: UInt64
        /// Which of its bytes are in the range.
        public let range: Range<UInt64>
    }

    /// A part of a range.
    public enum Part {
        case content(ArraySlice<UInt8>)
        case leaf(Leaf)
    }

    /// Like ``next()``, with leaves as they are.
    public mutating func nextPart() throws -> Part? {
        while ready == nil {
            if let leaf = takeLeaf() { return .leaf(leaf) }
            guard try nextBlock() != nil else { return nil }
        }
        defer { ready = nil }
        return ready.map(Part.content)
    }

    /// A block that the range needs.
    public enum Step {
        case block(Block)
        case leaf(Leaf)
    }

    /// Like ``nextBlock()``, with leaves as they are.
    public mutating func nextStep() throws -> Step? {
        if let leaf = takeLeaf() { return .leaf(leaf) }
        return try nextBlock().map(Step.block)
    }

    /// The next child, if it is a leaf and was not fetched already.
    private mutating func takeLeaf() -> Leaf? {
        while let level = stack.last, level.children.isEmpty { stack.removeLast() }
        guard let level = stack.last, level.ahead.isEmpty, let place = level.children.last,
            place.child.cid.codec == .raw, !place.child.cid.isIdentity
        else { return nil }
        stack[stack.count - 1].children.removeLast()
        links -= 1
        // Children without bytes in the range were left out when their node was entered.
        let lower = max(range.lowerBound, place.offset) - place.offset
        let upper = min(range.upperBound - place.offset, place.child.size)
        return Leaf(cid: place.child.cid, size: place.child.size, offset: place.offset, range: lower..<upper)
    }
}
