public import Multiformats

/// A leaf of a file that has been stored, as the layout above it needs to know it.
public struct FileLeaf: Hashable, Sendable {
    public let cid: CID
    /// Bytes of the file in this leaf.
    public let contentBytes: UInt64
    /// Bytes of the block.
    public let dagBytes: UInt64
    /// Whether mode and mtime of the file are in this leaf, because it is the only one: see ``LeafEncoder``.
    public let carriesMetadata: Bool

    public init(cid: CID, contentBytes: UInt64, dagBytes: UInt64, carriesMetadata: Bool = false) {
        self.cid = cid
        self.contentBytes = contentBytes
        self.dagBytes = dagBytes
        self.carriesMetadata = carriesMetadata
    }
}

/// A file that has become blocks.
public struct FileRoot: Hashable, Sendable {
    public let cid: CID
    /// Bytes of the file.
    public let contentBytes: UInt64
    /// Bytes of all blocks below and the root itself, counted once per link (`Tsize`).
    public let dagBytes: UInt64

    public init(cid: CID, contentBytes: UInt64, dagBytes: UInt64) {
        self.cid = cid
        self.contentBytes = contentBytes
        self.dagBytes = dagBytes
    }
}
