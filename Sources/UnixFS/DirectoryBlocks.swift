public import IPLD

/// The blocks of a directory itself, no entry's: the root first, parents before children, one at a time.
///
/// Memory: one shard a level.
public struct DirectoryBlocks {
    private final class Found {
        /// The last is the next.
        var blocks: [Block] = []
    }

    private let found = Found()
    private var walk: HAMTWalk?

    /// - Parameter reader: the directory; its entries are checked on the way.
    public init(_ reader: DirectoryReader) {
        found.blocks = [reader.root]
        walk = reader.walk { [found] in found.blocks.insert($0, at: 0) }
    }

    /// The next block; `nil` at the end.
    ///
    /// - Throws: what ``DirectoryReader`` throws.
    public mutating func next() throws -> Block? {
        while found.blocks.isEmpty {
            // A step goes to the next entry, through at most one shard a level.
            guard try walk?.next() != nil || !found.blocks.isEmpty else { return nil }
        }
        return found.blocks.popLast()
    }
}
