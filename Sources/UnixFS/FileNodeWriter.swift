import Digests
import IPLD
import Multiformats

/// Makes blocks of finished nodes.
struct FileNodeWriter: Sendable {
    let cidVersion: UInt8
    let hash: MultihashCode

    /// The block of a node, and what its parent needs to know of it.
    func write(_ node: PendingFileNode, metadata: UnixFSMetadata? = nil) throws -> (
        block: Block, leaf: FileLeaf
    ) {
        let bytes = node.encoded(metadata: metadata)
        let multihash = try Multihash(hashing: bytes, with: hash)
        let cid = cidVersion == 0 ? try CID(version0: multihash) : CID(codec: .dagPB, multihash: multihash)
        let (dagBytes, overflow) = node.dagBytes.addingReportingOverflow(UInt64(bytes.count))
        if overflow { throw UnixFSFileError.fileTooLarge }
        return (
            Block(cid: cid, bytes: bytes),
            FileLeaf(cid: cid, contentBytes: node.contentBytes, dagBytes: dagBytes)
        )
    }
}

/// A node above leaves or nodes, whose children are still coming.
///
/// The children are kept as the bytes that they take in the block: nothing is encoded twice.
struct PendingFileNode: Sendable {
    private(set) var count = 0
    private(set) var contentBytes: UInt64 = 0
    /// Bytes of all blocks below.
    private(set) var dagBytes: UInt64 = 0
    private var links: [UInt8] = []
    private var blockSizes: [UInt8] = []

    mutating func append(_ child: FileLeaf) throws(UnixFSFileError) {
        let (content, contentOverflow) = contentBytes.addingReportingOverflow(child.contentBytes)
        let (dag, dagOverflow) = dagBytes.addingReportingOverflow(child.dagBytes)
        guard !contentOverflow, !dagOverflow else { throw .fileTooLarge }
        (contentBytes, dagBytes) = (content, dag)
        count += 1

        // PBLink: Hash, Name (empty, but there), Tsize.
        let cidBytes = child.cid.byteCount
        let size =
            1 + Varint.size(of: UInt64(cidBytes)) + cidBytes + 2 + 1
            + UnixFSFileEncoding.varintSize(child.dagBytes)
        links.append(2 << 3 | 2)
        UnixFSFileEncoding.appendVarint(UInt64(size), to: &links)
        links.append(1 << 3 | 2)
        UnixFSFileEncoding.appendVarint(UInt64(cidBytes), to: &links)
        child.cid.append(to: &links)
        links.append(2 << 3 | 2)
        links.append(0)
        links.append(3 << 3)
        UnixFSFileEncoding.appendVarint(child.dagBytes, to: &links)

        blockSizes.append(4 << 3)
        UnixFSFileEncoding.appendVarint(child.contentBytes, to: &blockSizes)
    }

    /// Begins another node, in the same memory.
    mutating func removeAll() {
        count = 0
        contentBytes = 0
        dagBytes = 0
        links.removeAll(keepingCapacity: true)
        blockSizes.removeAll(keepingCapacity: true)
    }

    /// The bytes of the block.
    func encoded(metadata: UnixFSMetadata?) -> [UInt8] {
        var head: [UInt8] = [1 << 3, UnixFSData.Kind.file.rawValue, 3 << 3]
        UnixFSFileEncoding.appendVarint(contentBytes, to: &head)
        var tail: [UInt8] = []
        if let metadata { UnixFSFileEncoding.appendMetadata(metadata, to: &tail) }
        let dataBytes = head.count + blockSizes.count + tail.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(links.count + 6 + dataBytes)
        bytes += links
        bytes.append(1 << 3 | 2)
        UnixFSFileEncoding.appendVarint(UInt64(dataBytes), to: &bytes)
        bytes += head
        bytes += blockSizes
        bytes += tail
        return bytes
    }
}
