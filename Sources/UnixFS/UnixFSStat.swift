public import IPLD
public import Multiformats

/// What one block says of the file, directory or symlink that it is the root of.
public struct UnixFSStat: Hashable, Sendable {
    public let kind: Kind
    /// Claimed bytes of a file, bytes of a symlink's target, 0 for a directory.
    public let size: UInt64
    /// Bytes of the block.
    public let blockBytes: Int
    /// Bytes of the block and what its links claim (`Tsize`), at most `UInt64.max`.
    public let dagBytes: UInt64
    /// Links in the block: the entries of a basic directory.
    public let links: Int
    /// Mode and mtime, where they are recorded.
    public let metadata: UnixFSMetadata

    /// What a root can be.
    public enum Kind: Hashable, Sendable {
        /// A block without UnixFS around the content.
        case raw
        case file
        case directory
        /// A directory that is a HAMT.
        case shardedDirectory
        case symlink(target: [UInt8])

        /// Whether it has entries.
        public var isDirectory: Bool { self == .directory || self == .shardedDirectory }
    }

    /// Looks at a block; nothing below it is read.
    ///
    /// - Throws: `UnixFSStatError`, for a block that is not UnixFS too.
    public init(_ block: Block) throws(UnixFSStatError) {
        blockBytes = block.bytes.count
        guard block.cid.codec != .raw else {
            kind = .raw
            size = UInt64(block.bytes.count)
            dagBytes = size
            links = 0
            metadata = UnixFSMetadata()
            return
        }
        let node: DAGPBNode
        let data: UnixFSData
        do throws(DamagedDirectoryNode) {
            (node, data) = try Self.decode(block)
        } catch {
            throw UnixFSStatError(cid: block.cid, reason: error)
        }
        links = node.links.count
        metadata = data.metadata
        var total = UInt64(block.bytes.count)
        for link in node.links {
            let (sum, overflow) = total.addingReportingOverflow(link.tsize ?? 0)
            total = overflow ? .max : sum
        }
        dagBytes = total
        let content = data.content ?? []
        switch data.kind {
        case .raw, .file:
            kind = .file
            size = data.fileSize ?? UInt64(content.count)
        case .directory:
            kind = .directory
            size = 0
        case .hamtShard:
            kind = .shardedDirectory
            size = 0
        case .symlink:
            kind = .symlink(target: content)
            size = UInt64(content.count)
        case .metadata: throw UnixFSStatError(cid: block.cid, reason: .wrongKind(.metadata))
        }
    }

    private static func decode(_ block: Block) throws(DamagedDirectoryNode) -> (DAGPBNode, UnixFSData) {
        guard block.cid.codec == .dagPB else { throw .wrongCodec(block.cid.codec) }
        let node: DAGPBNode
        do { node = try DAGPBNode(decoding: block.bytes) } catch { throw .dagPB(error) }
        guard let bytes = node.data else { throw .noData }
        let data: UnixFSData
        do { data = try UnixFSData(decoding: bytes) } catch { throw .data(error) }
        if data.kind == .symlink, let target = data.content {
            let maximum = UnixFSSymlink.maximumTargetBytes
            guard target.count <= maximum else {
                throw .data(.tooLarge(bytes: target.count, maximum: maximum))
            }
        }
        return (node, data)
    }
}

/// A block is not the root of a file, directory or symlink.
public struct UnixFSStatError: Error, Equatable, Sendable {
    public let cid: CID
    public let reason: DamagedDirectoryNode
}

extension UnixFSStatError: CustomStringConvertible {
    public var description: String { "block \(cid) is not UnixFS: \(reason)" }
}
