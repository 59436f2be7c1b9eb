import Digests
import IPLD
import Multiformats
import SyncProtocol
import Synchronization
import TreeValues

/// Content of a file that is about to be sent.
struct PreparedContent: Sendable {
    var content: PutContent
    /// All leaves, with where in the file they are: those that the server asks for are read from there.
    var leaves: [Leaf] = []
}

/// Reads what is to be sent.
struct UploadPreparation: Sendable {
    let disk: any FolderFileSystem
    let reader: any ContentReading
    let inlineBytes: Int64
    /// Bytes of the leaves of one file that travel with its operation, where there are few.
    private let editBytes = Int64(SyncLimits.maximumEditBytes)

    /// A file to be sent.
    struct Request: Sendable {
        var node: SyncNode
        var path: String
        /// The content that the server has of it.
        var base: CID?
    }

    /// Prepares contents on several threads; in the order of the requests.
    func prepare(
        _ requests: [Request], parallelForEach: ParallelForEach
    ) -> [Result<PreparedContent, StepFailure>] {
        // All of them have to fit one message.
        let editBytes = requests.count <= 64 ? max(inlineBytes, self.editBytes) : inlineBytes
        let results = Mutex<[Result<PreparedContent, StepFailure>?]>(
            Array(repeating: nil, count: requests.count))
        parallelForEach(requests.count) { index in
            let result = Result { () throws(StepFailure) in try prepare(requests[index], editBytes) }
            results.withLock { $0[index] = result }
        }
        return results.withLock { results in
            zip(results, requests).map { $0 ?? .failure(.changed($1.path)) }
        }
    }

    private func prepare(
        _ request: Request, _ editBytes: Int64
    ) throws(StepFailure) -> PreparedContent {
        let node = request.node
        guard node.kind == .file else { return PreparedContent(content: .none) }
        guard let root = node.content else { throw .changed(request.path) }
        if node.size <= inlineBytes, root.codec == .raw {
            // Its root was made of these bytes.
            if let bytes = reader.takeContent(of: root) { return PreparedContent(content: .inline(bytes)) }
            let bytes = try read(request.path, at: 0, count: Int(node.size) + 1)
            guard (try? root.verify(bytes)) != nil else { throw .changed(request.path) }
            return PreparedContent(content: .inline(bytes))
        }
        let leaves: [Leaf]
        if root.codec == .raw {
            leaves = [Leaf(cid: root, bytes: Int(clamping: node.size))]
        } else {
            do {
                guard let found = try reader.leaves(of: root, at: request.path) else {
                    throw StepFailure.changed(request.path)
                }
                leaves = found
            } catch let error as FileError {
                throw StepFailure(reason: .file(error), rescan: request.path)
            } catch let error as StepFailure {
                throw error
            } catch { throw .changed(request.path) }
        }
        if let base = request.base, let known = reader.cachedLeaves(of: base) {
            let edit = LeafLists.edit(from: known, root: base, to: leaves)
            let blocks = try fewBlocks(of: leaves, notIn: known, at: request.path, maximumBytes: editBytes)
            return PreparedContent(content: .leaves(edit, blocks: blocks), leaves: leaves)
        }
        let all = LeafEdit.Splice(start: 0, remove: 0, insert: leaves)
        return PreparedContent(content: .leaves(LeafEdit(splices: [all])), leaves: leaves)
    }

    /// The leaves that an edit brings in, if they are so few that they travel with it: the server would ask
    /// for them, and be asked again.
    private func fewBlocks(
        of leaves: [Leaf], notIn known: [Leaf], at path: String, maximumBytes: Int64
    ) throws(StepFailure) -> [[UInt8]] {
        let old = Set(known.map(\.cid))
        var wanted: [(leaf: Leaf, offset: Int64)] = []
        var offset: Int64 = 0
        var bytes: Int64 = 0
        for leaf in leaves {
            if !old.contains(leaf.cid), leaf.bytes > 0 {
                bytes += Int64(leaf.bytes)
                guard bytes <= maximumBytes else { return [] }
                wanted.append((leaf, offset))
            }
            offset += Int64(leaf.bytes)
        }
        var blocks: [[UInt8]] = []
        for (leaf, offset) in wanted {
            let content = try read(path, at: offset, count: leaf.bytes)
            guard (try? leaf.cid.verify(content)) != nil else { throw .changed(path) }
            blocks.append(content)
        }
        return blocks
    }

    /// Reads up to so many bytes.
    func read(_ path: String, at offset: Int64, count: Int) throws(StepFailure) -> [UInt8] {
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(FileError) {
                let part = try disk.read(path, at: offset, into: UnsafeMutableRawBufferPointer(buffer))
                initialized = min(part, count)
            } catch {
                failure = error
            }
        }
        if let failure { throw StepFailure(reason: .file(failure), rescan: path) }
        return bytes
    }
}
