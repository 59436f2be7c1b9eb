import BlockStorage
import Digests
import IPLD
import Multiformats
import UnixFS

/// Turns chunks of files into stored leaves: encodes, hashes them together in lanes, puts them in one call.
///
/// Used by all threads at once; each gives chunks that lie in a buffer of its own.
struct LeafStage: Sendable {
    let parameters: ImportParameters
    let store: any BlockStore
    let scope: ScopeMarks

    /// Stores one leaf a chunk, in order.
    ///
    /// - Parameter soleLeafMetadata: of a file that is this one chunk: where the leaf is the root, it carries them.
    func store(
        _ chunks: [UnsafeRawBufferPointer], soleLeafMetadata: UnixFSMetadata? = nil
    ) throws -> [FileLeaf] {
        guard !chunks.isEmpty else { return [] }
        let encoder = LeafEncoder(parameters, soleLeafMetadata: soleLeafMetadata)
        if parameters.rawLeaves { return try storeEncoded(chunks, encoder, contents: chunks) }

        // DAG-PB leaves wrap the content: lay the wrapped forms one behind the other.
        let sizes = chunks.map { encoder.encodedSize(contentBytes: $0.count) }
        let arena = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, sizes.reduce(0, +)), alignment: 64)
        defer { arena.deallocate() }
        var encoded: [UnsafeRawBufferPointer] = []
        encoded.reserveCapacity(chunks.count)
        var offset = 0
        for (chunk, size) in zip(chunks, sizes) {
            let target = UnsafeMutableRawBufferPointer(rebasing: arena[offset..<(offset + size)])
            encoder.encode(chunk, into: target)
            encoded.append(UnsafeRawBufferPointer(target))
            offset += size
        }
        return try storeEncoded(
            encoded, encoder, contents: chunks, carriesMetadata: soleLeafMetadata?.isEmpty == false)
    }

    private func storeEncoded(
        _ blocks: [UnsafeRawBufferPointer], _ encoder: LeafEncoder, contents: [UnsafeRawBufferPointer],
        carriesMetadata: Bool = false
    ) throws -> [FileLeaf] {
        let multihashes =
            parameters.hash == .sha2_256
            ? Multihash.sha256(of: blocks)
            : try blocks.map { try Multihash(hashing: $0, with: parameters.hash) }
        var views: [BlockView] = []
        var leaves: [FileLeaf] = []
        views.reserveCapacity(blocks.count)
        leaves.reserveCapacity(blocks.count)
        for index in blocks.indices {
            let cid = encoder.cid(of: multihashes[index])
            views.append(BlockView(cid: cid, bytes: blocks[index]))
            leaves.append(
                FileLeaf(
                    cid: cid, contentBytes: UInt64(contents[index].count),
                    dagBytes: UInt64(blocks[index].count),
                    carriesMetadata: carriesMetadata))
        }
        try store.put(views, scope: scope)
        return leaves
    }
}
