import IPLD
import Multiformats

/// The bytes of a pack: a CARv1 without roots. Format: docs/formats/pack.md.
enum PackFormat {
    /// Length and DAG-CBOR of `{"roots": [], "version": 1}`.
    static let header: [UInt8] =
        [0x11, 0xA2, 0x65] + Array("roots".utf8) + [0x80, 0x67] + Array("version".utf8) + [0x01]

    static func fileName(_ number: UInt64) -> String {
        let hex = String(number, radix: 16)
        return String(repeating: "0", count: 16 - hex.count) + hex + ".car"
    }

    /// The number of a pack by its file name; `nil` for any other file.
    static func number(ofFileNamed name: String) -> UInt64? {
        guard name.utf8.count == 20, name.hasSuffix(".car"), let number = UInt64(name.prefix(16), radix: 16),
            fileName(number) == name
        else { return nil }
        return number
    }

    /// The length varint and CID in front of a payload.
    static func appendSectionHeader(_ cid: CID, payloadBytes: Int, to bytes: inout [UInt8]) -> Int {
        let before = bytes.count
        Varint.append(UInt64(cid.byteCount + payloadBytes), to: &bytes)
        cid.append(to: &bytes)
        return bytes.count - before
    }

    /// The head of a section.
    struct Section {
        let cid: CID
        let headerBytes: Int
        let payloadBytes: Int
        var bytes: Int { headerBytes + payloadBytes }
    }

    enum Parsed {
        case section(Section)
        /// A zero byte: nothing follows in an open pack.
        case end
        /// More bytes are needed to tell.
        case incomplete
        case invalid(String)
    }

    /// Whether bytes begin with a length and a sha2-256 CID of a codec that importers use: a quick look, for finding
    /// sections again behind damage.
    static func looksLikeSection(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var start = 0
        while start < 4, start < bytes.count, bytes[start] & 0x80 != 0 { start += 1 }
        start += 1
        guard bytes.count >= start + 36 else { return false }
        if bytes[start] == 0x12 && bytes[start + 1] == 0x20 { return true }
        return bytes[start] == 0x01 && [0x55, 0x70, 0x71].contains(bytes[start + 1])
            && bytes[start + 2] == 0x12 && bytes[start + 3] == 0x20
    }

    /// The most bytes in front of a payload.
    static let maximumHeaderBytes = Varint.maximumBytes + CID.maximumBytes

    /// Reads the head of the section at the beginning of `bytes`.
    static func parse(_ bytes: UnsafeRawBufferPointer) -> Parsed {
        guard let first = bytes.first else { return .incomplete }
        if first == 0 { return .end }
        let span = RawSpan(_unsafeBytes: bytes)
        var offset = 0
        let length: UInt64
        do {
            length = try Varint.decode(span, at: &offset)
        } catch .truncated {
            return .incomplete
        } catch {
            return .invalid("\(error)")
        }
        let lengthBytes = offset
        guard length <= UInt64(CID.maximumBytes + Block.hardMaximumBytes) else {
            return .invalid("a section of \(length) bytes")
        }
        let available = min(bytes.count, lengthBytes + Int(length))
        do {
            let cid = try CID.decode(span.extracting(0..<available), at: &offset)
            let payload = lengthBytes + Int(length) - offset
            guard payload >= 0, payload <= Block.hardMaximumBytes, !cid.isIdentity else {
                return .invalid("a section that cannot be one")
            }
            return .section(Section(cid: cid, headerBytes: offset, payloadBytes: payload))
        } catch {
            // Cut short by the buffer rather than wrong: the caller has more.
            return available < lengthBytes + Int(length) && bytes.count < maximumHeaderBytes
                ? .incomplete : .invalid("\(error)")
        }
    }
}
