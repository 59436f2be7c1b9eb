import Digests
import IPLD
import Multiformats
import SyncProtocol
import TreeValues

/// A file or a symlink that is being fetched.
struct FetchJob: Sendable {
    let remote: SyncNode
    /// Where it is to be.
    let path: String
    /// Where it is in the making.
    let temporary: String
    /// The content that is here.
    let base: CID?
    /// Whether nothing of that id is here: then what is under the temporary name is only ever what was made.
    var isNew = false
    var leaves: [Leaf] = []
    /// All of its content, if that is at hand.
    var whole: [UInt8]?
    var failure: StepFailure?
}

/// A leaf that one of the jobs of a batch is to write.
struct FetchPiece: Sendable {
    let job: Int
    let leaf: Leaf
    let offset: Int64
}

/// Writes files in the making.
struct FetchWriter: Sendable {
    let disk: any FolderFileSystem
    let blocks: any LocalBlockSource

    /// Copies a leaf from a local file, if there is one that still has it.
    func reuse(_ piece: FetchPiece, in path: String) -> Bool {
        guard piece.leaf.bytes > 0, let block = blocks.find(piece.leaf.cid), block.bytes == piece.leaf.bytes
        else { return false }
        do throws(FileError) {
            try disk.copy(
                block.path, at: block.offset, to: path, at: piece.offset, count: Int64(block.bytes))
            // The file may have changed since it was looked at: what counts is what was copied.
            return try verify(piece, in: path)
        } catch {
            return false
        }
    }

    private func verify(_ piece: FetchPiece, in path: String) throws(FileError) -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.leaf.bytes, alignment: 16)
        defer { buffer.deallocate() }
        guard try disk.read(path, at: piece.offset, into: buffer) == piece.leaf.bytes else { return false }
        return (try? piece.leaf.cid.verify(UnsafeRawBufferPointer(buffer))) != nil
    }

    /// Writes a leaf's bytes, which were verified.
    func write(_ bytes: [UInt8], _ piece: FetchPiece, in path: String) throws(FileError) {
        try bytes.span.bytes.withUnsafeBytes { (bytes) throws(FileError) in
            try disk.write(bytes, to: path, at: piece.offset)
        }
    }
}
