public import Multiformats

/// Makes leaf blocks of chunks.
///
/// A raw leaf is the chunk. A DAG-PB leaf is a few bytes, the chunk, and a few bytes more:
/// ``encode(_:into:)`` copies the content once, and ``frame(contentBytes:)`` lets a writer that gathers
/// pieces copy nothing.
public struct LeafEncoder: Sendable {
    /// Whether a leaf is the chunk and nothing else.
    public let isRaw: Bool
    private let version: UInt8
    private let kind: UnixFSData.Kind
    private let metadata: [UInt8]

    /// What comes before and behind the content in a block.
    public struct Frame: Hashable, Sendable {
        public var prefix: [UInt8] = []
        public var suffix: [UInt8] = []
    }

    /// An encoder of the leaves of any file.
    ///
    /// - Parameters:
    ///   - parameters: how files are imported.
    ///   - metadata: of a file that is known to be one DAG-PB leaf in a balanced layout: the leaf is the
    ///     root then and carries them (say so in ``FileLeaf/carriesMetadata``). Raw leaves cannot; they get
    ///     a node above.
    public init(_ parameters: ImportParameters, soleLeafMetadata metadata: UnixFSMetadata? = nil) {
        isRaw = parameters.rawLeaves
        version = parameters.nodeCIDVersion
        kind = parameters.layout == .trickle ? .raw : .file
        var bytes: [UInt8] = []
        if let metadata, !isRaw { UnixFSFileEncoding.appendMetadata(metadata, to: &bytes) }
        self.metadata = bytes
    }

    /// The size of the block for a chunk.
    public func encodedSize(contentBytes: Int) -> Int {
        guard !isRaw else { return contentBytes }
        let frame = frame(contentBytes: contentBytes)
        return frame.prefix.count + contentBytes + frame.suffix.count
    }

    /// What surrounds a chunk of this length; nothing for a raw leaf.
    public func frame(contentBytes: Int) -> Frame {
        guard !isRaw else { return Frame() }
        let length = UInt64(contentBytes)
        var head: [UInt8] = [1 << 3, kind.rawValue]
        if contentBytes > 0 {
            head.append(2 << 3 | 2)
            UnixFSFileEncoding.appendVarint(length, to: &head)
        }
        var frame = Frame()
        frame.suffix.append(3 << 3)
        UnixFSFileEncoding.appendVarint(length, to: &frame.suffix)
        frame.suffix += metadata
        frame.prefix.append(1 << 3 | 2)
        UnixFSFileEncoding.appendVarint(
            UInt64(head.count + contentBytes + frame.suffix.count), to: &frame.prefix)
        frame.prefix += head
        return frame
    }

    /// Writes the block for a chunk.
    ///
    /// - Precondition: `target` has ``encodedSize(contentBytes:)`` bytes.
    public func encode(_ content: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
        let frame = frame(contentBytes: content.count)
        let suffixStart = frame.prefix.count + content.count
        precondition(target.count == suffixStart + frame.suffix.count, "the target has the size of the block")
        target.copyBytes(from: frame.prefix)
        UnsafeMutableRawBufferPointer(rebasing: target[frame.prefix.count...]).copyBytes(from: content)
        UnsafeMutableRawBufferPointer(rebasing: target[suffixStart...]).copyBytes(from: frame.suffix)
    }

    /// The CID of a leaf whose block hashes to `multihash`.
    public func cid(of multihash: Multihash) -> CID {
        if isRaw { return CID(codec: .raw, multihash: multihash) }
        if version == 0, let cid = try? CID(version0: multihash) { return cid }
        return CID(codec: .dagPB, multihash: multihash)
    }
}
