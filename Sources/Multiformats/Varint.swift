/// Unsigned varints: seven bits a byte, least significant first, the top bit set on all but the last.
///
/// At most nine bytes, so at most 63 bits, and never longer than needed: `81 00` is refused.
///
/// Spec: multiformats/unsigned-varint.
public enum Varint {
    /// The most bytes a varint may take.
    public static let maximumBytes = 9

    /// Decodes one varint at `offset` and moves `offset` behind it.
    ///
    /// - Throws: `truncated` if the bytes end within it, `overflow` beyond 63 bits, `notMinimal` if a
    ///   shorter form exists. `offset` does not move on an error.
    @inlinable
    public static func decode(_ bytes: RawSpan, at offset: inout Int) throws(VarintError) -> UInt64 {
        var value: UInt64 = 0
        var index = offset
        let end = bytes.byteCount
        var shift: UInt64 = 0
        while index < end {
            let byte = bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
            index += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                if byte == 0 && shift > 0 { throw .notMinimal }
                offset = index
                return value
            }
            shift += 7
            if shift == 63 { throw .overflow }
        }
        throw .truncated
    }

    /// Appends the minimal encoding of `value`, which must be below 2^63.
    @inlinable
    public static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        precondition(value < 1 << 63, "a varint carries at most 63 bits")
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// How many bytes the minimal encoding of `value` takes.
    @inlinable
    public static func size(of value: UInt64) -> Int {
        value == 0 ? 1 : (70 - value.leadingZeroBitCount) / 7
    }
}

/// Why bytes are not a varint.
public enum VarintError: Error, Equatable, Sendable {
    case truncated
    case overflow
    case notMinimal
}

extension VarintError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated: "a varint ends before its last byte"
        case .overflow: "a varint is longer than nine bytes (63 bits)"
        case .notMinimal: "a varint has needless zero bytes; only the shortest form is allowed"
        }
    }
}
