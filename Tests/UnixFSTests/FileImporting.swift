import Digests
import IPLD
import Multiformats
import TestKit
import UnixFS

/// Imports a file as a node does: cuts, hashes leaves together, builds the layout.
///
/// - Parameter emit: is given every block, leaves before what stands above them.
func importFile(
    _ content: ContentStream, _ parameters: ImportParameters, metadata: UnixFSMetadata? = nil,
    emit: (Block) throws -> Void = { _ in }
) throws -> FileRoot {
    var chunker = Chunker(parameters.chunker)
    var layout = FileLayoutBuilder(parameters: parameters, metadata: metadata)
    let capacity = max(16 * chunker.maximumChunkBytes, 64 * 1024)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 64)
    defer { buffer.deallocate() }
    var carried = 0
    var isFirst = true
    while true {
        let count = content.read(UnsafeMutableRawBufferPointer(rebasing: buffer[carried...])) + carried
        let isLast = count < capacity
        var chunks: [UnsafeRawBufferPointer] = []
        var offset = 0
        while offset < count {
            let rest = UnsafeRawBufferPointer(rebasing: buffer[offset..<count])
            guard let length = chunker.nextChunk(in: rest, isLast: isLast) else { break }
            chunks.append(UnsafeRawBufferPointer(rebasing: rest[..<length]))
            offset += length
        }
        let isOnly = isFirst && isLast && chunks.count <= 1
        if isOnly && chunks.isEmpty { chunks.append(UnsafeRawBufferPointer(rebasing: buffer[..<0])) }
        let isSoleLeaf = isOnly && parameters.layout == .balanced && !parameters.rawLeaves
        let encoder = LeafEncoder(parameters, soleLeafMetadata: isSoleLeaf ? metadata : nil)
        for leaf in try storeLeaves(chunks, encoder, parameters.hash, carriesMetadata: isSoleLeaf, emit: emit)
        {
            try layout.add(leaf, emit: emit)
        }
        if isLast { return try layout.finish(emit: emit) }
        isFirst = false
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[offset..<count]))
        carried = count - offset
    }
}

private func storeLeaves(
    _ chunks: [UnsafeRawBufferPointer], _ encoder: LeafEncoder, _ hash: MultihashCode, carriesMetadata: Bool,
    emit: (Block) throws -> Void
) throws -> [FileLeaf] {
    let encoded = chunks.map { chunk in
        let target = UnsafeMutableRawBufferPointer.allocate(
            byteCount: encoder.encodedSize(contentBytes: chunk.count), alignment: 64)
        encoder.encode(chunk, into: target)
        return UnsafeRawBufferPointer(target)
    }
    defer { encoded.forEach { $0.deallocate() } }
    let multihashes =
        hash == .sha2_256
        ? Multihash.sha256(of: encoded) : try encoded.map { try Multihash(hashing: $0, with: hash) }
    return try chunks.indices.map { index in
        let cid = encoder.cid(of: multihashes[index])
        try emit(Block(cid: cid, bytes: [UInt8](encoded[index])))
        return FileLeaf(
            cid: cid, contentBytes: UInt64(chunks[index].count), dagBytes: UInt64(encoded[index].count),
            carriesMetadata: carriesMetadata)
    }
}

/// Imports a file into a dictionary.
func importFile(
    _ content: [UInt8], _ parameters: ImportParameters, metadata: UnixFSMetadata? = nil,
    into source: DictionaryBlockSource
) throws -> FileRoot {
    try importFile(ContentStream(content), parameters, metadata: metadata) { source.insert($0) }
}
