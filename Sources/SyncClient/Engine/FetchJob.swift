import Digests
import IPLD
import Multiformats
import SyncProtocol
import TreeValues

/// A file or a symlink that is being fetched.
///
/// An object, since threads hand it to one another for each thing that is done with it, and a copy of all that
/// it holds takes longer than some of these.
final class FetchFile: Sendable {
    let remote: SyncNode
    /// Where it is to be.
    let path: String
    /// Where it is when it is whole; in the making as well, unless it is a fragment by then.
    let temporary: String
    /// Where a large file is in the making.
    let fragment: Fragment?
    /// Whether something of it was here before.
    let isResumed: Bool
    /// Whether nothing of that id is here: then what is under the temporary name is only ever what was made.
    let isNew: Bool
    let leaves: [Leaf]
    /// All of its content, if that is at hand.
    let whole: [UInt8]?

    init(
        remote: SyncNode, path: String, temporary: String, fragment: Fragment? = nil,
        isResumed: Bool = false, isNew: Bool = false, leaves: [Leaf] = [], whole: [UInt8]? = nil
    ) {
        self.remote = remote
        self.path = path
        self.temporary = temporary
        self.fragment = fragment
        self.isResumed = isResumed
        self.isNew = isNew
        self.leaves = leaves
        self.whole = whole
    }

    /// Where it is written to.
    var making: String { fragment?.path ?? temporary }
}

/// What became of it.
struct FetchJob: Sendable {
    let file: FetchFile
    var failure: StepFailure?
    /// Whether what was a fragment is whole, and has the name of those that are.
    var isNamedWhole = false

    init(_ file: FetchFile) { self.file = file }
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

    /// Whether a file already has a leaf where it belongs.
    func isThere(_ piece: FetchPiece, in path: String) -> Bool {
        // What cannot be read is written.
        (try? verify(piece, in: path)) ?? false
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
