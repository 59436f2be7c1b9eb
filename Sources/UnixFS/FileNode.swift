import IPLD
import Multiformats

/// A block of a file, taken apart and checked against itself: some content, then children with their sizes.
struct FileNode: Sendable {
    /// Bytes of the file in this block; they come before those of the children.
    let content: ArraySlice<UInt8>
    let children: [Child]
    /// Bytes of the file in this block and below it, as the block claims.
    let size: UInt64
    let metadata: UnixFSMetadata

    struct Child: Sendable {
        let cid: CID
        let size: UInt64
    }

    /// Decodes a raw leaf or a DAG-PB node of type File or Raw.
    ///
    /// - Parameter offset: where in the file the block stands, for errors.
    init(_ block: Block, at offset: UInt64) throws(UnixFSFileError) {
        switch block.cid.codec {
        case .raw:
            content = block.bytes[...]
            children = []
            size = UInt64(block.bytes.count)
            metadata = UnixFSMetadata()
        case .dagPB:
            do { self = try FileNode(dagPB: block.bytes) } catch {
                throw .damagedNode(block.cid, offset: offset, error)
            }
        default:
            throw .damagedNode(block.cid, offset: offset, .wrongCodec(block.cid.codec.rawValue))
        }
    }

    private init(dagPB bytes: [UInt8]) throws(DamagedFileNode) {
        let node: DAGPBNode
        do { node = try DAGPBNode(decoding: bytes) } catch { throw .dagPB(error) }
        guard let data = node.data else { throw .noData }
        let message: UnixFSData
        do { message = try UnixFSData(decoding: data) } catch { throw .unixFS(error) }
        guard message.kind == .file || message.kind == .raw else { throw .wrongKind(message.kind) }
        guard node.links.count == message.blockSizes.count else {
            throw .linksAndSizesDiffer(links: node.links.count, sizes: message.blockSizes.count)
        }
        content = (message.content ?? [])[...]
        var sum = UInt64(content.count)
        for size in message.blockSizes {
            let (next, overflow) = sum.addingReportingOverflow(size)
            guard !overflow else { throw .sizesOverflow }
            sum = next
        }
        if let claimed = message.fileSize, claimed != sum { throw .wrongSum(claimed: claimed, sum: sum) }
        children = zip(node.links, message.blockSizes).map { Child(cid: $0.cid, size: $1) }
        size = sum
        metadata = message.metadata
    }
}
