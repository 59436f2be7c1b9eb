public import IPLD

/// A symbolic link: a node of its own, with the target as its data.
///
/// Spec: UnixFS, "Symlink".
public struct UnixFSSymlink: Hashable, Sendable {
    /// Bytes as they were read from the file system; never trusted to stay within a tree.
    public var target: [UInt8]
    public var metadata: UnixFSMetadata

    public init(target: [UInt8], metadata: UnixFSMetadata = UnixFSMetadata()) {
        self.target = target
        self.metadata = metadata
    }

    /// The most bytes of a target: what Linux allows.
    public static let maximumTargetBytes = 4096

    /// The block; its `Tsize` is its size.
    ///
    /// - Parameter parameters: CID version and hash matter here.
    /// - Throws: `MultihashError`.
    public func block(parameters: ImportParameters) throws -> Block {
        let data = UnixFSData(kind: .symlink, content: target, metadata: metadata)
        return try DirectoryBlock.make(links: [], data: data.encoded(), parameters: parameters)
    }
}
