public import Multiformats
public import SyncProtocol
import UnixFS

/// Cuts and hashes files of a folder.
///
/// A file is looked at before and after: what was written to meanwhile gives no content. Memory: 8 MiB for
/// a large file, and the list of its leaves; up to 2 MiB for a batch of small ones. Thread-safe.
public struct ContentReader: Sendable {
    let fileSystem: any FolderFileSystem
    /// Keeps lists of leaves; `nil` to keep none.
    let index: BlockIndex?
    /// Keeps the bytes of small files until they are sent; `nil` to keep none.
    let recent: RecentContents?

    /// So much is read of a large file at a time: several of the longest chunks, to be hashed side by side.
    private static let bufferBytes = 8 * 1024 * 1024
    /// Files up to this size are read together with others.
    static let smallBytes: Int64 = 64 * 1024
    private static let batchBytes = 2 * 1024 * 1024

    public init(
        fileSystem: any FolderFileSystem, index: BlockIndex? = nil, recent: RecentContents? = nil
    ) {
        self.fileSystem = fileSystem
        self.index = index
        self.recent = recent
    }

    /// Reads files, small ones together: many leaves are hashed side by side.
    ///
    /// - Parameter keepingInline: whether the bytes of files up to 4 KiB come along.
    /// - Returns: a result for each request, in order.
    public func read(_ requests: [ContentRequest], keepingInline: Bool = false) -> [ContentResult] {
        var results = [ContentResult](repeating: .changed, count: requests.count)
        let keepingInline = keepingInline || recent != nil
        var batch = SmallBatch(bytes: Self.batchBytes)
        for (position, request) in requests.enumerated() {
            guard request.status.size <= Self.smallBytes, request.status.size >= 0 else {
                results[position] = readLarge(request)
                continue
            }
            if !batch.hasRoom(for: Int(request.status.size)) { batch.finish(&results, keepingInline) }
            do throws(FileError) {
                if try readSmall(request, into: &batch) { batch.add(position, request) }
            } catch {
                results[position] = .failed(error)
            }
        }
        batch.finish(&results, keepingInline)
        remember(results)
        return results
    }

    /// Reads one file.
    ///
    /// - Parameter keepingInline: whether the bytes of a file up to 4 KiB come along.
    /// - Returns: `nil` if it is no file, or changed meanwhile.
    public func read(_ path: String, keepingInline: Bool = true) throws(FileError) -> FileContent? {
        guard let status = try fileSystem.status(path) else { throw .notFound(path) }
        guard status.kind == .file else { return nil }
        switch read([ContentRequest(path: path, status: status)], keepingInline: keepingInline)[0] {
        case .content(let content): return content
        case .changed: return nil
        case .failed(let error): throw error
        }
    }

    private func remember(_ results: [ContentResult]) {
        recent?.insert(results)
        let cut: [FileContent] = results.compactMap { result in
            guard case .content(let content) = result, content.leaves.count > 1 else { return nil }
            return content
        }
        guard let index, !cut.isEmpty else { return }
        index.together {
            for content in cut { index.remember(content.leaves, of: content.root) }
        }
    }

    /// Whether the file is still what was read.
    private func isUnchanged(_ request: ContentRequest) throws(FileError) -> Bool {
        guard let status = try fileSystem.status(request.path) else { return false }
        let before = request.status
        return status.kind == .file && status.identity == before.identity && status.size == before.size
            && status.modified == before.modified && status.changed == before.changed
    }

    private func readSmall(_ request: ContentRequest, into batch: inout SmallBatch) throws(FileError) -> Bool
    {
        let size = Int(request.status.size)
        let target = batch.space(size)
        let count = size == 0 ? 0 : try fileSystem.read(request.path, at: 0, into: target)
        guard count == size else { return false }
        return try isUnchanged(request)
    }

    private func readLarge(_ request: ContentRequest) -> ContentResult {
        do throws(FileError) {
            guard let content = try cut(request), try isUnchanged(request) else { return .changed }
            return .content(content)
        } catch {
            return .failed(error)
        }
    }

    /// Reads a file from end to end; `nil` if it is shorter than it should be.
    private func cut(_ request: ContentRequest) throws(FileError) -> FileContent? {
        let size = request.status.size
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(min(size, Int64(Self.bufferBytes))), alignment: 64)
        defer { buffer.deallocate() }
        var stream = LeafStream()
        var offset: Int64 = 0
        var filled = 0
        repeat {
            let wanted = Int(min(Int64(buffer.count - filled), size - offset))
            let free = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<(filled + wanted)])
            guard try fileSystem.read(request.path, at: offset, into: free) == wanted else { return nil }
            offset += Int64(wanted)
            filled += wanted
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<filled])
            if !stream.isStarted { stream.start(size: size, head: bytes) }
            let used = stream.add(bytes, isLast: offset == size)
            // What is left is the beginning of a chunk.
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(filled - used)])
            rest.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[used..<filled]))
            filled -= used
        } while offset < size
        return stream.finish(size: size)
    }
}

extension ContentReader: ContentReading {
    public func leaves(of root: CID, at path: String) throws(FileError) -> [Leaf]? {
        if let known = cachedLeaves(of: root) { return known }
        guard let content = try read(path, keepingInline: false), content.root == root else { return nil }
        return content.leaves
    }

    /// A root that is a raw leaf is a file of one leaf, whose length only the file tells: it is not in the
    /// cache.
    public func cachedLeaves(of root: CID) -> [Leaf]? { index?.leaves(of: root) }

    public func takeContent(of root: CID) -> [UInt8]? { recent?.take(root) }

    public func forgetContents() { recent?.removeAll() }

    public func remember(_ leaves: [Leaf], of root: CID) {
        // A file of one leaf is read as fast as the list of its leaves.
        if leaves.count > 1 { index?.remember(leaves, of: root) }
    }
}
