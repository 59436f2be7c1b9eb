public import IPLD
public import Multiformats

/// Reads a file out of blocks, whole or any range of it.
///
/// Only blocks that the range needs are fetched. Each block must hold as many bytes of the file as the node
/// above it claims: what was read before a lie came out is right, then there is an error; a file never just
/// ends early. Digests are the business of the source.
///
/// Understands raw blocks and DAG-PB nodes of the types File and Raw, in any layout, with content in inner
/// nodes too.
public struct UnixFSFileReader: Sendable {
    /// Bytes of the file, as its root claims. Reading finds out whether that is true.
    public let size: UInt64
    /// Mode and mtime, where they are recorded.
    public let metadata: UnixFSMetadata
    /// The root block.
    public let root: Block
    let rootNode: FileNode
    let source: any BlockSource
    let limits: FileReadLimits

    /// Opens the file that `root` names.
    ///
    /// - Throws: `UnixFSFileError`, and what `source` throws.
    public init(source: any BlockSource, root: CID, limits: FileReadLimits = FileReadLimits()) throws {
        guard let block = try source.block(root) else { throw UnixFSFileError.missingBlock(root, offset: 0) }
        try self.init(source: source, root: block, limits: limits)
    }

    /// Opens the file whose root block is at hand.
    public init(
        source: any BlockSource, root: Block, limits: FileReadLimits = FileReadLimits()
    ) throws(UnixFSFileError) {
        self.source = source
        self.root = root
        self.limits = limits
        rootNode = try FileNode(root, at: 0)
        size = rootNode.size
        metadata = rootNode.metadata
    }

    /// Reads a range; everything by default.
    ///
    /// - Parameter body: is given the bytes in order, a leaf or part of one at a time.
    /// - Throws: `rangeOutsideFile` before anything is read; other `UnixFSFileError`s when they are met;
    ///   what the source and `body` throw.
    public func read(
        _ range: Range<UInt64>? = nil, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var cursor = try cursor(range)
        while let piece = try cursor.next() { try piece.withUnsafeBytes(body) }
    }

    /// Reads a range in the reader's own time: ask the cursor for one piece after the other.
    ///
    /// - Throws: `rangeOutsideFile`.
    public func cursor(_ range: Range<UInt64>? = nil) throws(UnixFSFileError) -> UnixFSFileCursor {
        let range = range ?? 0..<size
        guard range.upperBound <= size else { throw .rangeOutsideFile(range, size: size) }
        return try UnixFSFileCursor(self, range)
    }

    /// Visits every block that a range needs, parents before children, in the order of the file: what a CAR
    /// with these bytes of the file contains. A block that stands in the file twice is visited twice.
    public func forEachBlock(_ range: Range<UInt64>? = nil, _ body: (Block) throws -> Void) throws {
        try body(root)
        var cursor = try cursor(range)
        while let block = try cursor.nextBlock() { try body(block) }
    }
}

/// How much of a file a reader holds in memory.
public struct FileReadLimits: Hashable, Sendable {
    /// The most nodes from the root to a leaf.
    public var depth = 1024
    /// The most links of all nodes from the root to a leaf: 16 MiB of memory. A block of 2 MiB has some
    /// 50,000.
    public var links = 256 * 1024
    /// The most blocks that are fetched at a time.
    public var batchBlocks = 16
    /// The most bytes of the file that are fetched at a time.
    public var batchBytes: UInt64 = 16 * 1024 * 1024

    public init() {}
}
