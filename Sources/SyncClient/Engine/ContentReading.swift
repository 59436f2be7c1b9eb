public import Multiformats
public import SyncProtocol
public import TreeValues

/// Knows how the files of a folder are cut into leaves.
public protocol ContentReading: Sendable {
    /// The leaves of a file as it is on the disk, or of any file that was read or written lately: from a
    /// cache, or by cutting and hashing the file, with a `stat` before and after.
    ///
    /// - Returns: `nil` if the file does not have that root any more.
    func leaves(of root: CID, at path: String) throws(FileError) -> [Leaf]?
    /// The leaves of a root from the cache alone; `nil` if they are not in it.
    func cachedLeaves(of root: CID) -> [Leaf]?
    /// Keeps the leaves of a file that was written here.
    func remember(_ leaves: [Leaf], of root: CID)
    /// The bytes of a small file that was read a moment ago, which are given once.
    func takeContent(of root: CID) -> [UInt8]?
    /// Lets go of the bytes that nobody took.
    func forgetContents()
}

extension ContentReading {
    public func takeContent(of root: CID) -> [UInt8]? { nil }
    public func forgetContents() {}
}

/// Finds leaves in the files of the folder, so that they need not be fetched.
public protocol LocalBlockSource: Sendable {
    /// Where those bytes are said to be. They may have changed since: whoever copies them verifies.
    func find(_ cid: CID) -> LocalBlock?
    /// Those of the leaves whose bytes are at hand outside of the folder's files, verified.
    func contents(of leaves: [Leaf]) -> [CID: [UInt8]]
    /// Notes the leaves of a file that was written here.
    func note(_ leaves: [Leaf], in node: NodeID)
}

extension LocalBlockSource {
    public func contents(of leaves: [Leaf]) -> [CID: [UInt8]] { [:] }
    public func note(_ leaves: [Leaf], in node: NodeID) {}
}

/// A leaf within a local file.
public struct LocalBlock: Hashable, Sendable {
    public var path: String
    public var offset: Int64
    public var bytes: Int

    public init(path: String, offset: Int64, bytes: Int) {
        self.path = path
        self.offset = offset
        self.bytes = bytes
    }
}

/// No local file is looked into.
public struct NoLocalBlocks: LocalBlockSource {
    public init() {}
    public func find(_ cid: CID) -> LocalBlock? { nil }
}
