import Digests
import Multiformats
import SyncProtocol
import UnixFS

/// Makes leaves and a root of the bytes of a file, as they come.
struct LeafStream {
    private var chunker: Chunker?
    private(set) var isStarted = false
    private var leaves: [Leaf] = []
    private var layout = FileLayoutBuilder(parameters: .unixfsV1_2025)
    /// Sizes that overflow come from nowhere but a file system that lies; such a file has no content.
    private var hasFailed = false

    /// Chooses how to cut.
    mutating func start(size: Int64, head: UnsafeRawBufferPointer) {
        isStarted = true
        let head = UnsafeRawBufferPointer(rebasing: head.prefix(ContentCut.headBytes))
        chunker = ContentCut.chunker(size: size, head: head).map { Chunker($0) }
    }

    /// Takes what follows, together with what was left before.
    ///
    /// - Parameter isLast: whether the file ends with `bytes`.
    /// - Returns: how many bytes were taken; the rest is to come again, with more.
    mutating func add(_ bytes: UnsafeRawBufferPointer, isLast: Bool) -> Int {
        var chunks: [UnsafeRawBufferPointer] = []
        var start = 0
        while start < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            let length =
                if chunker == nil {
                    isLast ? rest.count : nil
                } else {
                    chunker?.nextChunk(in: rest, isLast: isLast)
                }
            guard let length else { break }
            chunks.append(UnsafeRawBufferPointer(rebasing: rest[..<length]))
            start += length
        }
        for (chunk, hash) in zip(chunks, Multihash.sha256(of: chunks)) {
            add(Leaf(cid: CID(codec: .raw, multihash: hash), bytes: chunk.count))
        }
        return start
    }

    /// Takes a leaf that was hashed elsewhere.
    mutating func add(_ leaf: Leaf) {
        leaves.append(leaf)
        let bytes = UInt64(leaf.bytes)
        do {
            try layout.add(FileLeaf(cid: leaf.cid, contentBytes: bytes, dagBytes: bytes)) { _ in }
        } catch {
            hasFailed = true
        }
    }

    /// The content; `nil` if it has none.
    mutating func finish(size: Int64) -> FileContent? {
        guard !hasFailed, let root = try? layout.finish(emit: { _ in }) else { return nil }
        return FileContent(root: root.cid, size: size, leaves: leaves)
    }

    /// The root of a file with these leaves; `nil` if they cannot be one.
    static func root(of leaves: [Leaf]) -> CID? {
        guard leaves.allSatisfy({ $0.bytes > 0 }) else { return nil }
        var stream = LeafStream()
        for leaf in leaves { stream.add(leaf) }
        return stream.finish(size: 0)?.root
    }
}
