import Multiformats

/// The little of DAG-CBOR that a CAR header can hold, and a place in it.
///
/// Lengths must be definite; a number in a longer form than needed is let pass, as other readers do.
struct CARHeaderCBOR {
    /// The offset of the header in the file.
    let base: UInt64
    private(set) var offset = 0

    init(base: UInt64) { self.base = base }

    /// The offset in the file.
    var place: UInt64 { base &+ UInt64(offset) }

    /// Kind and number of the item here.
    mutating func head(_ bytes: RawSpan) throws(CARError) -> (major: UInt8, value: UInt64) {
        guard offset < bytes.byteCount else { throw .invalidHeader(at: place, .notCBOR) }
        let first = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
        let extra =
            switch first & 0x1F {
            case 0..<24: 0
            case 24: 1
            case 25: 2
            case 26: 4
            case 27: 8
            default: -1
            }
        guard extra >= 0, bytes.byteCount - offset > extra else {
            throw .invalidHeader(at: place, .notCBOR)
        }
        var value = extra == 0 ? UInt64(first & 0x1F) : 0
        for index in 0..<extra {
            value = value << 8 | UInt64(bytes.unsafeLoad(fromByteOffset: offset + 1 + index, as: UInt8.self))
        }
        offset += 1 + extra
        return (first >> 5, value)
    }

    /// A key of the map: a string as short as those that exist.
    mutating func key(_ bytes: RawSpan) throws(CARError) -> String {
        let start = place
        let head = try head(bytes)
        guard head.major == 3, head.value <= 16, head.value <= UInt64(bytes.byteCount - offset) else {
            throw .invalidHeader(at: start, .unknownKey)
        }
        let range = offset..<(offset + Int(head.value))
        offset = range.upperBound
        return bytes.extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// A list of links, or null.
    mutating func roots(_ bytes: RawSpan) throws(CARError) -> [CID] {
        let start = place
        let head = try head(bytes)
        if head.major == 7 && head.value == 22 { return [] }
        guard head.major == 4 else { throw .invalidHeader(at: start, .rootsAreNoList) }
        var result: [CID] = []
        // The count is a claim: each root takes bytes, and these run out first.
        while UInt64(result.count) < head.value {
            result.append(try root(bytes, index: result.count))
        }
        return result
    }

    private mutating func root(_ bytes: RawSpan, index: Int) throws(CARError) -> CID {
        let start = place
        let tag = try head(bytes)
        guard tag.major == 6, tag.value == 42 else {
            throw .invalidHeader(at: start, .rootIsNoLink(index: index))
        }
        let string = try head(bytes)
        guard string.major == 2, string.value > 0, string.value <= UInt64(bytes.byteCount - offset),
            bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self) == 0
        else { throw .invalidHeader(at: start, .rootIsNoLink(index: index)) }
        let range = (offset + 1)..<(offset + Int(string.value))
        let cid: CID
        do {
            cid = try CID(bytes.extracting(range))
        } catch {
            throw .invalidHeader(at: base &+ UInt64(range.lowerBound), .invalidRoot(index: index, error))
        }
        offset = range.upperBound
        return cid
    }

    /// Appends the first bytes of an item, in the shortest form.
    static func appendHead(major: UInt8, _ value: UInt64, to bytes: inout [UInt8]) {
        let kind = major << 5
        switch value {
        case 0..<24:
            bytes.append(kind | UInt8(value))
        case 24...0xFF:
            bytes += [kind | 24, UInt8(value)]
        case 0x100...0xFFFF:
            bytes += [kind | 25, UInt8(value >> 8), UInt8(value & 0xFF)]
        case 0x1_0000...0xFFFF_FFFF:
            bytes.append(kind | 26)
            withUnsafeBytes(of: UInt32(value).bigEndian) { bytes.append(contentsOf: $0) }
        default:
            bytes.append(kind | 27)
            withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
        }
    }
}
