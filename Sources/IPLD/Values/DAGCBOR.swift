import Multiformats

/// The codec DAG-CBOR, and reading of plain CBOR.
///
/// DAG-CBOR is CBOR with one way to write each value: minimal numbers, no open-ended lengths, string keys
/// sorted by length and then bytes, floats of 64 bits, only tag 42 (a link). Spec:
/// ipld.io/specs/codecs/dag-cbor, RFC 8949.
public enum DAGCBOR {
    /// What a decoder accepts.
    public enum Dialect: Sendable {
        case dagCBOR
        /// Any CBOR with string or integer keys; tags are passed over, `undefined` reads as null.
        case plainCBOR
        /// Whatever has the structure of CBOR, strings of any bytes too: for finding links. Blocks that were
        /// written with fewer scruples (Filecoin's chain has such strings) must be walked and kept like others.
        case links
    }

    /// Decodes a block, without recursion and without allocating by claim.
    public static func decode(
        _ bytes: [UInt8], dialect: Dialect = .dagCBOR, limits: IPLDLimits = IPLDLimits()
    ) throws(IPLDCodecError) -> IPLDValue {
        guard bytes.count <= limits.blockBytes else {
            throw .blockTooLarge(bytes: bytes.count, maximum: limits.blockBytes)
        }
        var decoder = CBORDecoder(bytes, dialect: dialect, limits: limits)
        return try decoder.decode()
    }

    /// Encodes a value in its one form.
    ///
    /// - Throws: `cannotEncode` for floats that are no numbers, integers out of range and duplicate keys;
    /// `tooDeep`.
    public static func encode(_ value: IPLDValue, limits: IPLDLimits = IPLDLimits()) throws(IPLDCodecError)
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        try append(value, to: &bytes, depth: limits.depth, limits)
        return bytes
    }

    private static func append(
        _ value: IPLDValue, to bytes: inout [UInt8], depth: Int, _ limits: IPLDLimits
    ) throws(IPLDCodecError) {
        guard depth >= 0 else { throw .tooDeep(maximum: limits.depth) }
        switch value {
        case .null: bytes.append(0xF6)
        case .bool(let bool): bytes.append(bool ? 0xF5 : 0xF4)
        case .integer(let integer):
            guard IPLDValue.integerRange.contains(integer) else {
                throw .cannotEncode("the integer \(integer)")
            }
            if integer >= 0 {
                appendHead(0, UInt64(integer), to: &bytes)
            } else {
                appendHead(1, UInt64(-1 - integer), to: &bytes)
            }
        case .float(let float):
            guard float.isFinite else { throw .cannotEncode("the float \(float)") }
            bytes.append(0xFB)
            withUnsafeBytes(of: float.bitPattern.bigEndian) { bytes.append(contentsOf: $0) }
        case .string(let string):
            appendText(string, to: &bytes)
        case .bytes(let content):
            appendHead(2, UInt64(content.count), to: &bytes)
            bytes += content
        case .link(let cid):
            bytes += [0xD8, 0x2A]
            appendHead(2, UInt64(cid.byteCount + 1), to: &bytes)
            bytes.append(0)
            cid.append(to: &bytes)
        case .list(let values):
            appendHead(4, UInt64(values.count), to: &bytes)
            for value in values { try append(value, to: &bytes, depth: depth - 1, limits) }
        case .map(let entries):
            appendHead(5, UInt64(entries.count), to: &bytes)
            if isInOrder(entries) {
                for entry in entries {
                    appendText(entry.key, to: &bytes)
                    try append(entry.value, to: &bytes, depth: depth - 1, limits)
                }
                return
            }
            // Sorted are places, not entries: those are large.
            let order = entries.indices.sorted { isKey(entries[$0].key, before: entries[$1].key) }
            for index in order.indices {
                let key = entries[order[index]].key
                if index > 0, key.hasSameBytes(as: entries[order[index - 1]].key) {
                    throw .cannotEncode("the key \(String(reflecting: key)), which is there twice,")
                }
                appendText(key, to: &bytes)
                try append(entries[order[index]].value, to: &bytes, depth: depth - 1, limits)
            }
        }
    }

    /// Whether each key comes before the next, and so none is there twice: messages are put together so.
    private static func isInOrder(_ entries: [IPLDEntry]) -> Bool {
        for index in entries.indices.dropFirst()
        where !isKey(entries[index - 1].key, before: entries[index].key) { return false }
        return true
    }

    private static func appendText(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { utf8 in
            appendHead(3, UInt64(utf8.count), to: &bytes)
            bytes.append(contentsOf: utf8)
        }
    }

    private static func appendHead(_ major: UInt8, _ value: UInt64, to bytes: inout [UInt8]) {
        switch value {
        case ..<24: bytes.append(major << 5 | UInt8(value))
        case ..<0x100: bytes += [major << 5 | 24, UInt8(value)]
        case ..<0x1_0000:
            bytes.append(major << 5 | 25)
            withUnsafeBytes(of: UInt16(value).bigEndian) { bytes.append(contentsOf: $0) }
        case ..<0x1_0000_0000:
            bytes.append(major << 5 | 26)
            withUnsafeBytes(of: UInt32(value).bigEndian) { bytes.append(contentsOf: $0) }
        default:
            bytes.append(major << 5 | 27)
            withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
        }
    }

    /// Shorter keys first, keys of one length by their bytes.
    static func isKey(_ a: String, before b: String) -> Bool {
        guard a.utf8.count == b.utf8.count else { return a.utf8.count < b.utf8.count }
        var (a, b) = (a, b)
        return a.withUTF8 { a in b.withUTF8 { b in a.lexicographicallyPrecedes(b) } }
    }
}

/// Goes through CBOR items one by one.
private struct CBORDecoder {
    private let bytes: [UInt8]
    private let isStrict: Bool
    /// Whether only the links matter.
    private let isForLinks: Bool
    private var offset = 0
    private var stack: ValueStack

    init(_ bytes: [UInt8], dialect: DAGCBOR.Dialect, limits: IPLDLimits) {
        self.bytes = bytes
        isStrict = dialect == .dagCBOR
        isForLinks = dialect == .links
        // A block that repeats a key has links all the same.
        stack = ValueStack(limits: limits, refusesRepeatedKeys: dialect == .plainCBOR)
    }

    mutating func decode() throws(IPLDCodecError) -> IPLDValue {
        repeat { try item() } while stack.result == nil
        guard offset == bytes.count else { throw .trailingBytes(offset: offset) }
        return stack.result ?? .null
    }

    private mutating func item() throws(IPLDCodecError) {
        let start = offset
        guard offset < bytes.count else { throw .truncated(offset: start) }
        if bytes[offset] == 0xFF, !isStrict, stack.isOpenEnded, stack.kind == .list || stack.wantsKey {
            offset += 1
            try stack.close()
            return
        }
        let (major, info, value) = try head()
        if stack.wantsKey { return try key(major, info, value, start) }
        switch major {
        case 0: try stack.add(.integer(Int128(value)))
        case 1: try stack.add(.integer(-1 - Int128(value)))
        case 2: try stack.add(.bytes(try content(info, value, start)))
        case 3: try stack.add(.string(try string(info, value, start)))
        case 4, 5:
            // Each item takes a byte at least: a longer claim cannot be true.
            guard info == 31 || value <= UInt64(bytes.count - offset) else { throw .truncated(offset: start) }
            try stack.open(major == 4 ? .list : .map, count: info == 31 ? nil : value)
        case 6: try tag(value, start)
        default: try simple(info, value, start)
        }
    }

    /// Type, additional information and number of the item here.
    private mutating func head() throws(IPLDCodecError) -> (UInt8, UInt8, UInt64) {
        let start = offset
        guard offset < bytes.count else { throw .truncated(offset: start) }
        let (major, info) = (bytes[offset] >> 5, bytes[offset] & 31)
        offset += 1
        switch info {
        case ..<24: return (major, info, UInt64(info))
        case 24...27:
            let count = 1 << Int(info - 24)
            guard bytes.count - offset >= count else { throw .truncated(offset: start) }
            var value: UInt64 = 0
            for index in offset..<(offset + count) { value = value << 8 | UInt64(bytes[index]) }
            offset += count
            let least: UInt64 = info == 24 ? 24 : 1 << UInt64(count * 4)
            if isStrict && major != 7 && value < least { throw .notMinimal(offset: start) }
            return (major, info, value)
        case 31:
            guard !isStrict, (2...5).contains(major) else { throw .indefiniteLength(offset: start) }
            return (major, info, 0)
        default:
            throw .unexpected(bytes[start], offset: start)
        }
    }

    private mutating func content(_ info: UInt8, _ count: UInt64, _ start: Int) throws(IPLDCodecError)
        -> [UInt8]
    {
        guard info == 31 else { return Array(try take(count, start)) }
        // Pieces up to an end mark; plain CBOR only.
        var whole: [UInt8] = []
        while true {
            guard offset < bytes.count else { throw .truncated(offset: start) }
            if bytes[offset] == 0xFF {
                offset += 1
                return whole
            }
            let (major, info, count) = try head()
            guard major == 2 || major == 3, info != 31 else {
                throw .unexpected(bytes[offset - 1], offset: offset - 1)
            }
            whole += try take(count, start)
        }
    }

    private mutating func string(_ info: UInt8, _ count: UInt64, _ start: Int) throws(IPLDCodecError)
        -> String
    {
        let utf8 = info == 31 ? try content(info, count, start)[...] : try take(count, start)
        if let string = utf8.withUnsafeBufferPointer({ String(validating: $0, as: UTF8.self) }) {
            return string
        }
        guard isForLinks else { throw .badString(offset: start) }
        // Byte by byte, so that different keys stay different.
        return String(String.UnicodeScalarView(utf8.map { Unicode.Scalar($0) }))
    }

    private mutating func take(_ count: UInt64, _ start: Int) throws(IPLDCodecError) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count - offset) else { throw .truncated(offset: start) }
        defer { offset += Int(count) }
        return bytes[offset..<(offset + Int(count))]
    }

    private mutating func key(_ major: UInt8, _ info: UInt8, _ value: UInt64, _ start: Int)
        throws(IPLDCodecError)
    {
        let key: String
        switch (major, isStrict) {
        case (3, _): key = try string(info, value, start)
        case (0, false): key = String(value)
        case (1, false): key = String(-1 - Int128(value))
        default: throw .keyNotAString(offset: start)
        }
        if isStrict, let last = stack.lastKey, !DAGCBOR.isKey(last, before: key) {
            throw last.hasSameBytes(as: key)
                ? .duplicateKey(key, offset: start) : .keysOutOfOrder(offset: start)
        }
        try stack.add(key: key, offset: start)
    }

    private mutating func tag(_ tag: UInt64, _ start: Int) throws(IPLDCodecError) {
        guard tag == 42 else {
            if isStrict { throw .unknownTag(tag, offset: start) }
            return  // what it stands before is the next item
        }
        let (major, info, count) = try head()
        guard major == 2 else { throw .badLink(offset: start) }
        let content = try content(info, count, start)
        guard content.first == 0, let cid = try? CID(bytes: Array(content.dropFirst())) else {
            throw .badLink(offset: start)
        }
        try stack.add(.link(cid))
    }

    private mutating func simple(_ info: UInt8, _ value: UInt64, _ start: Int) throws(IPLDCodecError) {
        switch info {
        case 20: try stack.add(.bool(false))
        case 21: try stack.add(.bool(true))
        case 22: try stack.add(.null)
        case 23 where !isStrict: try stack.add(.null)
        case 25 where !isStrict: try add(Double(Float16(bitPattern: UInt16(value))), start)
        case 26 where !isStrict: try add(Double(Float(bitPattern: UInt32(value))), start)
        case 27: try add(Double(bitPattern: value), start)
        default: throw .unexpected(bytes[start], offset: start)
        }
    }

    private mutating func add(_ float: Double, _ start: Int) throws(IPLDCodecError) {
        guard float.isFinite || isForLinks else { throw .badNumber(offset: start) }
        try stack.add(.float(float))
    }
}
