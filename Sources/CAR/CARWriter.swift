public import IPLD
public import Multiformats

/// Where bytes of a file, a pipe or a socket go to. May block.
public typealias CARByteSink = (UnsafeRawBufferPointer) throws -> Void

/// What is written.
public enum CARWritingFormat: Hashable, Sendable {
    /// A header and sections.
    case version1
    /// A CARv1 within a container that says where it ends, with an index behind it unless `nil`.
    ///
    /// The header stands before the payload and holds its size. If ``payloadBytes`` is known beforehand
    /// (``CARWriter/payloadBytes(roots:sections:)``), the file can go to a pipe. If it is `nil`, the header
    /// says zero, which no reader accepts, until ``CARWritingResult/patch`` is written over it.
    case version2(index: CARIndexFormat?, payloadBytes: UInt64?)
}

/// What was written.
public struct CARWritingResult: Hashable, Sendable {
    public let blocks: UInt64
    /// Bytes of the CARv1, be it the file or within one.
    public let payloadBytes: UInt64
    public let fileBytes: UInt64
    /// Bytes that must be written over those at an offset to make the file valid; `nil` if it is.
    public let patch: Patch?

    /// Bytes that belong at an offset.
    public struct Patch: Hashable, Sendable {
        public let offset: UInt64
        public let bytes: [UInt8]
    }
}

/// Writes a CARv1 or CARv2, block by block, front to back.
///
/// Blocks are written as they come: in this order, repeated ones too, and unverified.
///
/// Memory: a buffer, and for an index the digest and eight bytes of each block.
public struct CARWriter {
    private let format: CARWritingFormat
    private let sink: CARByteSink
    private var buffer: [UInt8] = []
    private var index: CARIndexBuilder?
    private var blocks: UInt64 = 0
    /// Bytes of the payload so far.
    private var payloadBytes: UInt64 = 0

    /// Small sections are collected up to here; larger blocks go to the sink as they are.
    private static let bufferBytes = 64 * 1024

    /// Begins a file with its headers.
    ///
    /// - Throws: what the sink throws.
    public init(roots: [CID], format: CARWritingFormat = .version1, sink: @escaping CARByteSink) throws {
        self.format = format
        self.sink = sink
        if case .version2(let indexFormat, let known) = format {
            buffer += CARv2Header.pragma
            buffer +=
                Self.version2Header(payloadBytes: known ?? 0, index: indexFormat, isFullyIndexed: false).bytes
            if indexFormat != nil { index = CARIndexBuilder() }
        }
        let header = CARv1.header(roots: roots)
        payloadBytes = UInt64(header.count)
        buffer += header
    }

    /// How many bytes the payload of a file takes.
    ///
    /// - Parameter sections: the CIDs of the blocks, and how many bytes each block has.
    public static func payloadBytes(
        roots: [CID], sections: some Sequence<(cid: CID, blockBytes: Int)>
    ) -> UInt64 {
        sections.reduce(UInt64(CARv1.header(roots: roots).count)) { sum, section in
            sum + UInt64(CARv1.sectionBytes(section.cid, blockBytes: section.blockBytes))
        }
    }

    /// Appends a block.
    ///
    /// - Throws: `CARError.blockTooLarge` above `Block.hardMaximumBytes`, `payloadSizeDiffers` as soon as
    ///   more is written than was promised; what the sink throws.
    public mutating func append(_ block: Block) throws {
        try block.bytes.withUnsafeBytes { try append(block.cid, $0) }
    }

    /// Appends a block: see ``append(_:)``.
    public mutating func append(_ cid: CID, _ bytes: UnsafeRawBufferPointer) throws {
        guard bytes.count <= Block.hardMaximumBytes else {
            throw CARError.blockTooLarge(
                cid, at: payloadBytes, bytes: UInt64(bytes.count), maximum: Block.hardMaximumBytes)
        }
        let end = payloadBytes + UInt64(CARv1.sectionBytes(cid, blockBytes: bytes.count))
        if case .version2(_, .some(let promised)) = format, end > promised {
            throw CARError.payloadSizeDiffers(promised: promised, actual: end)
        }
        index?.add(cid.multihash, at: payloadBytes)
        CARv1.appendSectionHead(cid, blockBytes: bytes.count, to: &buffer)
        if buffer.count + bytes.count <= Self.bufferBytes {
            buffer.append(contentsOf: bytes)
        } else {
            try flush()
            try sink(bytes)
        }
        payloadBytes = end
        blocks += 1
    }

    /// Ends the file.
    ///
    /// - Throws: `CARError.payloadSizeDiffers` if less was written than was promised; what the sink throws.
    public mutating func finish() throws -> CARWritingResult {
        guard case .version2(let indexFormat, let promised) = format else {
            try flush()
            return CARWritingResult(
                blocks: blocks, payloadBytes: payloadBytes, fileBytes: payloadBytes, patch: nil)
        }
        if let promised, promised != payloadBytes {
            throw CARError.payloadSizeDiffers(promised: promised, actual: payloadBytes)
        }
        try flush()
        var fileBytes = CARv2Header.minimumDataOffset + payloadBytes
        let isComplete = index?.isComplete ?? false
        if let indexFormat, let built = index?.finish().encoded(as: indexFormat) {
            try built.withUnsafeBytes(sink)
            fileBytes += UInt64(built.count)
        }
        index = nil
        let patch = CARWritingResult.Patch(
            offset: UInt64(CARv2Header.pragma.count),
            bytes: Self.version2Header(
                payloadBytes: payloadBytes, index: indexFormat, isFullyIndexed: isComplete
            ).bytes)
        return CARWritingResult(
            blocks: blocks, payloadBytes: payloadBytes, fileBytes: fileBytes,
            patch: promised == nil ? patch : nil)
    }

    private mutating func flush() throws {
        guard !buffer.isEmpty else { return }
        try buffer.withUnsafeBytes(sink)
        buffer.removeAll(keepingCapacity: true)
    }

    private static func version2Header(
        payloadBytes: UInt64, index: CARIndexFormat?, isFullyIndexed: Bool
    ) -> CARv2Header {
        let end = CARv2Header.minimumDataOffset + payloadBytes
        return CARv2Header(
            dataBytes: payloadBytes, indexOffset: index != nil && payloadBytes > 0 ? end : nil,
            isFullyIndexed: isFullyIndexed)
    }
}
