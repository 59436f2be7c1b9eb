public import Multiformats

/// A value of the IPLD data model, which every structured codec carries.
///
/// Spec: ipld.io/docs/data-model.
public enum IPLDValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// From -2^64 to 2^64 - 1, the range of CBOR.
    case integer(Int128)
    /// Never NaN or infinite.
    case float(Double)
    case string(String)
    case bytes([UInt8])
    case list([IPLDValue])
    /// In the order of the block; encoders bring entries into the order of their codec.
    case map([IPLDEntry])
    case link(CID)

    /// Strings are equal byte by byte: those that Unicode holds equivalent are different blocks.
    public static func == (a: IPLDValue, b: IPLDValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.float(let a), .float(let b)): a == b
        case (.string(let a), .string(let b)): a.hasSameBytes(as: b)
        case (.bytes(let a), .bytes(let b)): a == b
        case (.list(let a), .list(let b)): a == b
        case (.map(let a), .map(let b)): a == b
        case (.link(let a), .link(let b)): a == b
        default: false
        }
    }

    /// The value of a key of a map.
    public subscript(key key: String) -> IPLDValue? {
        guard case .map(let entries) = self else { return nil }
        return entries.first { $0.key.hasSameBytes(as: key) }?.value
    }

    /// The integers that codecs carry.
    public static let integerRange: ClosedRange<Int128> = -(1 << 64)...(1 << 64) - 1

    /// Appends every link within the value, in order. The depth is bounded by the decoder that made it.
    func appendLinks(to links: inout [CID]) {
        switch self {
        case .link(let cid): links.append(cid)
        case .list(let values): for value in values { value.appendLinks(to: &links) }
        case .map(let entries): for entry in entries { entry.value.appendLinks(to: &links) }
        default: break
        }
    }
}

extension String {
    /// Whether the UTF-8 is the same. An accented letter can be one scalar or two: those are equal strings, but
    /// different keys.
    func hasSameBytes(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}

/// A key of a map with its value.
public struct IPLDEntry: Hashable, Sendable {
    public var key: String
    public var value: IPLDValue

    public init(key: String, value: IPLDValue) {
        self.key = key
        self.value = value
    }

    public static func == (a: IPLDEntry, b: IPLDEntry) -> Bool {
        a.key.hasSameBytes(as: b.key) && a.value == b.value
    }
}

/// How much a decoder of structured blocks takes.
public struct IPLDLimits: Hashable, Sendable {
    public var blockBytes = Block.hardMaximumBytes
    /// Lists and maps within one another.
    public var depth = 1024
    /// Values in all: each takes some 40 bytes of memory.
    public var values = 1_000_000

    public init() {}
}

/// Why bytes are not a block of a structured codec, or a value cannot be one. Offsets count bytes of the
/// block.
public enum IPLDCodecError: Error, Equatable, Sendable {
    case blockTooLarge(bytes: Int, maximum: Int)
    case tooDeep(maximum: Int)
    case tooManyValues(maximum: Int)
    case truncated(offset: Int)
    case trailingBytes(offset: Int)
    case notMinimal(offset: Int)
    case indefiniteLength(offset: Int)
    case unknownTag(UInt64, offset: Int)
    case badLink(offset: Int)
    case keyNotAString(offset: Int)
    case keysOutOfOrder(offset: Int)
    case duplicateKey(String, offset: Int)
    case badString(offset: Int)
    case badNumber(offset: Int)
    case unexpected(UInt8, offset: Int)
    case reservedKey(offset: Int)
    /// A value that the codec cannot carry.
    case cannotEncode(String)
}

extension IPLDCodecError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .blockTooLarge(let bytes, let maximum): "a block of \(bytes) bytes; at most \(maximum) are read"
        case .tooDeep(let maximum): "more than \(maximum) lists and maps within one another"
        case .tooManyValues(let maximum): "more than \(maximum) values in one block"
        case .truncated(let offset): "the block ends within the value at byte \(offset)"
        case .trailingBytes(let offset): "bytes follow the value, from byte \(offset) on"
        case .notMinimal(let offset): "the number at byte \(offset) is longer than it need be"
        case .indefiniteLength(let offset): "the length at byte \(offset) is left open, which is not allowed"
        case .unknownTag(let tag, let offset): "tag \(tag) at byte \(offset); only 42, a link, is allowed"
        case .badLink(let offset): "the link at byte \(offset) is not a CID that can be used"
        case .keyNotAString(let offset): "the key at byte \(offset) is not a string"
        case .keysOutOfOrder(let offset): "the key at byte \(offset) is out of order"
        case .duplicateKey(let key, let offset):
            "the key \(String(reflecting: key)) at byte \(offset) is there twice"
        case .badString(let offset): "the string at byte \(offset) is not UTF-8, or has a bad escape"
        case .badNumber(let offset):
            "the number at byte \(offset) cannot be carried: NaN, infinite, out of range or misspelt"
        case .unexpected(let byte, let offset):
            "byte 0x\(String(byte, radix: 16)) at \(offset) does not belong there"
        case .reservedKey(let offset):
            "the map that ends at byte \(offset) has the reserved key \"/\" and is no link or bytes"
        case .cannotEncode(let what): "\(what) cannot be encoded"
        }
    }
}
