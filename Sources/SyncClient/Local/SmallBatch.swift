import Digests
import Multiformats
import SyncProtocol
import UnixFS

/// The bytes of small files behind one another, so that all their leaves are hashed in one call.
struct SmallBatch: ~Copyable {
    private let arena: UnsafeMutableRawBufferPointer
    private var used = 0
    private var files: [(position: Int, request: ContentRequest, start: Int)] = []

    init(bytes: Int) {
        arena = .allocate(byteCount: bytes, alignment: 64)
    }

    deinit { arena.deallocate() }

    func hasRoom(for bytes: Int) -> Bool { used + bytes <= arena.count }

    /// Where the next file goes; nothing is taken until ``add(_:_:)``.
    func space(_ bytes: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: arena[used..<(used + bytes)])
    }

    mutating func add(_ position: Int, _ request: ContentRequest) {
        files.append((position, request, used))
        used += Int(request.status.size)
    }

    /// Hashes what is there, and is empty again.
    mutating func finish(_ results: inout [ContentResult], _ keepingInline: Bool) {
        guard !files.isEmpty else { return }
        var chunks: [UnsafeRawBufferPointer] = []
        var counts: [Int] = []
        chunks.reserveCapacity(files.count)
        for file in files {
            let before = chunks.count
            Self.cut(bytes(of: file.request, at: file.start), into: &chunks)
            counts.append(chunks.count - before)
        }
        let hashes = Multihash.sha256(of: chunks)
        var next = 0
        for (file, count) in zip(files, counts) {
            var stream = LeafStream()
            for index in next..<(next + count) {
                stream.add(Leaf(cid: CID(codec: .raw, multihash: hashes[index]), bytes: chunks[index].count))
            }
            next += count
            guard var content = stream.finish(size: file.request.status.size) else { continue }
            if keepingInline, content.size <= ContentCut.maximumInlineBytes {
                content.inline = [UInt8](bytes(of: file.request, at: file.start))
            }
            results[file.position] = .content(content)
        }
        files.removeAll(keepingCapacity: true)
        used = 0
    }

    private func bytes(of request: ContentRequest, at start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: arena[start..<(start + Int(request.status.size))])
    }

    private static func cut(_ bytes: UnsafeRawBufferPointer, into chunks: inout [UnsafeRawBufferPointer]) {
        guard !bytes.isEmpty else { return }
        let head = UnsafeRawBufferPointer(rebasing: bytes.prefix(ContentCut.headBytes))
        guard let kind = ContentCut.chunker(size: Int64(bytes.count), head: head) else {
            chunks.append(bytes)
            return
        }
        var chunker = Chunker(kind)
        var rest = bytes
        while let length = chunker.nextChunk(in: rest, isLast: true) {
            chunks.append(UnsafeRawBufferPointer(rebasing: rest[..<length]))
            rest = UnsafeRawBufferPointer(rebasing: rest[length...])
        }
    }
}
