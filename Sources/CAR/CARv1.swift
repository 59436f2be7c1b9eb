public import Multiformats

/// The bytes of a CARv1: a header, then sections of `varint(length) | CID | block`, until the end.
///
/// These functions see bytes in memory and keep nothing; ``CARReader`` and ``CARWriter`` make streams of
/// them, packs use them directly.
///
/// Spec: ipld, "CARv1 Specification".
public enum CARv1 {
    /// The bytes of a header, its length in front.
    public static func header(roots: [CID] = []) -> [UInt8] { CARHeader(roots: roots).bytes }

    /// Decodes the header at `offset` and moves `offset` behind it.
    ///
    /// - Parameter base: the offset of the span in the file; errors say where in the file they are.
    /// - Throws: `CARError`, also for a header of version 2; `offset` does not move then.
    public static func decodeHeader(
        _ bytes: RawSpan, at offset: inout Int, limits: CARLimits = .standard, base: UInt64 = 0
    ) throws(CARError) -> CARHeader {
        var index = offset
        let header = try decodeHeaderOfAnyVersion(bytes, at: &index, limits: limits, base: base)
        guard header.version == 1 else {
            throw .unknownVersion(header.version, at: base &+ UInt64(offset))
        }
        offset = index
        return header
    }

    /// Appends what stands before the bytes of a block: the length, and the CID.
    @inlinable
    public static func appendSectionHead(_ cid: CID, blockBytes: Int, to bytes: inout [UInt8]) {
        Varint.append(UInt64(cid.byteCount + blockBytes), to: &bytes)
        cid.append(to: &bytes)
    }

    /// How many bytes a section takes, its length included.
    @inlinable
    public static func sectionBytes(_ cid: CID, blockBytes: Int) -> Int {
        let length = cid.byteCount + blockBytes
        return Varint.size(of: UInt64(length)) + length
    }

    /// Reads length and CID of the section at `offset`. The block itself need not be in the span yet.
    ///
    /// - Parameter base: the offset of the span in the file; errors say where in the file they are.
    /// - Throws: `truncated` if length and CID are not there in full; `zeroLengthSection`, `invalidLength`,
    ///   `sectionTooLarge`, `blockTooLarge`, `invalidCID`.
    public static func sectionHead(
        _ bytes: RawSpan, at offset: Int, limits: CARLimits = .standard, base: UInt64 = 0
    ) throws(CARError) -> CARSectionHead {
        let place = base &+ UInt64(offset)
        let (length, start) = try sectionLength(bytes, at: offset, limits: limits, base: base)
        guard length > 0 else { throw .zeroLengthSection(at: place) }
        let available = bytes.byteCount - start
        let cid: CID
        var end = start
        do {
            cid = try CID.decode(bytes.extracting(0..<(start + min(length, available))), at: &end)
        } catch {
            if available < min(length, CID.maximumBytes) {
                throw .truncated(
                    .section, at: place, needed: UInt64(start - offset + length),
                    available: UInt64(bytes.byteCount - offset))
            }
            throw .invalidCID(at: place, error)
        }
        let block = end..<(start + length)
        guard block.count <= limits.maximumBlockBytes else {
            throw .blockTooLarge(
                cid, at: place, bytes: UInt64(block.count), maximum: limits.maximumBlockBytes)
        }
        return CARSectionHead(cid: cid, offset: offset, block: block)
    }

    /// Reads the section at `offset`, which must be in the span in full.
    ///
    /// - Throws: what `sectionHead` throws; `truncated` also if bytes of the block are missing.
    public static func section(
        _ bytes: RawSpan, at offset: Int, limits: CARLimits = .standard, base: UInt64 = 0
    ) throws(CARError) -> CARSectionHead {
        let head = try sectionHead(bytes, at: offset, limits: limits, base: base)
        guard head.end <= bytes.byteCount else {
            throw .truncated(
                .section, at: base &+ UInt64(offset), needed: UInt64(head.end - offset),
                available: UInt64(bytes.byteCount - offset))
        }
        return head
    }
}

/// Where the parts of a section are, as offsets into the span that it was read from.
public struct CARSectionHead: Hashable, Sendable {
    public let cid: CID
    /// Where the length begins.
    public let offset: Int
    /// The bytes of the block.
    public let block: Range<Int>

    /// Where the next section begins.
    public var end: Int { block.upperBound }
    /// How many bytes stand before the block: length and CID.
    public var headBytes: Int { block.lowerBound - offset }
}

extension CARv1 {
    static func decodeHeaderOfAnyVersion(
        _ bytes: RawSpan, at offset: inout Int, limits: CARLimits, base: UInt64
    ) throws(CARError) -> CARHeader {
        let place = base &+ UInt64(offset)
        var index = offset
        let length = try claimedLength(of: .header, bytes, at: &index, base: base)
        guard length <= UInt64(limits.maximumHeaderBytes) else {
            throw .headerTooLarge(at: place, bytes: length, maximum: limits.maximumHeaderBytes)
        }
        guard length <= UInt64(bytes.byteCount - index) else {
            throw .truncated(
                .header, at: place, needed: UInt64(index - offset) &+ length,
                available: UInt64(bytes.byteCount - offset))
        }
        let end = index + Int(length)
        let header = try CARHeader(decoding: bytes.extracting(index..<end), base: base &+ UInt64(index))
        offset = end
        return header
    }

    /// The length of the section at `offset`, within limits, and where CID and block begin.
    static func sectionLength(
        _ bytes: RawSpan, at offset: Int, limits: CARLimits, base: UInt64
    ) throws(CARError) -> (length: Int, start: Int) {
        var start = offset
        let length = try claimedLength(of: .section, bytes, at: &start, base: base)
        guard length <= UInt64(limits.maximumSectionBytes) else {
            throw .sectionTooLarge(
                at: base &+ UInt64(offset), bytes: length, maximum: limits.maximumSectionBytes)
        }
        return (Int(length), start)
    }

    private static func claimedLength(
        of part: CARPart, _ bytes: RawSpan, at offset: inout Int, base: UInt64
    ) throws(CARError) -> UInt64 {
        do {
            return try Varint.decode(bytes, at: &offset)
        } catch VarintError.truncated {
            let available = UInt64(bytes.byteCount - offset)
            throw .truncated(
                part, at: base &+ UInt64(offset), needed: available &+ 1, available: available)
        } catch {
            throw .invalidLength(part, at: base &+ UInt64(offset), error)
        }
    }
}
