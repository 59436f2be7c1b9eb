public import Multiformats

/// What stands at the start of a CARv1: the roots.
///
/// Bytes: `varint(length) | DAG-CBOR {"roots": [links], "version": 1}`. A header of version 2 has no roots
/// and is the pragma of a CARv2, whose payload has a header of its own.
///
/// Spec: ipld, "CARv1 Specification", section "Header".
public struct CARHeader: Hashable, Sendable {
    /// 1, or 2 in the pragma.
    public let version: UInt64
    /// In the order of the file; may be empty, and may name blocks that the file does not hold.
    public let roots: [CID]

    public init(roots: [CID]) {
        version = 1
        self.roots = roots
    }

    /// The bytes, with the length in front.
    public var bytes: [UInt8] {
        let map = encodedMap
        var result: [UInt8] = []
        result.reserveCapacity(map.count + Varint.maximumBytes)
        Varint.append(UInt64(map.count), to: &result)
        result += map
        return result
    }

    private var encodedMap: [UInt8] {
        var map: [UInt8] = [0xA2, 0x65]
        map += "roots".utf8
        CARHeaderCBOR.appendHead(major: 4, UInt64(roots.count), to: &map)
        for root in roots {
            map += [0xD8, 0x2A]
            CARHeaderCBOR.appendHead(major: 2, UInt64(root.byteCount + 1), to: &map)
            map.append(0)
            root.append(to: &map)
        }
        map.append(0x67)
        map += "version".utf8
        CARHeaderCBOR.appendHead(major: 0, version, to: &map)
        return map
    }

    /// Decodes the map, without the length in front.
    ///
    /// Keys may come in any order, and roots may be missing or null, as old writers left them.
    ///
    /// - Parameter base: the offset of `map` in the file, for errors.
    /// - Throws: `invalidHeader`; `unknownVersion` if it is neither 1 nor 2.
    init(decoding map: RawSpan, base: UInt64) throws(CARError) {
        guard map.byteCount > 0 else { throw .invalidHeader(at: base, .empty) }
        var cbor = CARHeaderCBOR(base: base)
        let head = try cbor.head(map)
        guard head.major == 5 else { throw .invalidHeader(at: base, .notAMap) }
        var version: UInt64?
        var roots: [CID]?
        for _ in 0..<min(head.value, 3) {
            let keyPlace = cbor.place
            switch try cbor.key(map) {
            case "version" where version == nil:
                let place = cbor.place
                let head = try cbor.head(map)
                guard head.major == 0 else { throw .invalidHeader(at: place, .versionIsNoNumber) }
                version = head.value
            case "roots" where roots == nil:
                roots = try cbor.roots(map)
            case "version", "roots":
                throw .invalidHeader(at: keyPlace, .duplicateKey)
            default:
                throw .invalidHeader(at: keyPlace, .unknownKey)
            }
        }
        guard cbor.offset == map.byteCount else {
            throw .invalidHeader(at: cbor.place, .trailingBytes(count: map.byteCount - cbor.offset))
        }
        guard let version else { throw .invalidHeader(at: base, .missingVersion) }
        guard version == 1 || version == 2 else { throw .unknownVersion(version, at: base) }
        self.version = version
        self.roots = roots ?? []
    }
}
