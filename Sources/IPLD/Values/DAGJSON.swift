import Multiformats

/// The codec DAG-JSON, and reading of plain JSON.
///
/// DAG-JSON writes links as `{"/": "CID"}` and bytes as `{"/": {"bytes": "BASE64"}}`, keys sorted by their
/// bytes, no white space. Spec: ipld.io/specs/codecs/dag-json, RFC 8259.
public enum DAGJSON {
    /// What a decoder accepts.
    public enum Dialect: Sendable {
        /// Keys sorted and unique; the key `/` is reserved.
        case dagJSON
        /// Any JSON; `/` is a key like others, numbers beyond 64 bits read as floats.
        case plainJSON
    }

    /// Decodes a block, without recursion.
    public static func decode(
        _ bytes: [UInt8], dialect: Dialect = .dagJSON, limits: IPLDLimits = IPLDLimits()
    ) throws(IPLDCodecError) -> IPLDValue {
        guard bytes.count <= limits.blockBytes else {
            throw .blockTooLarge(bytes: bytes.count, maximum: limits.blockBytes)
        }
        var decoder = JSONDecoder(bytes, isStrict: dialect == .dagJSON, limits: limits)
        return try decoder.decode()
    }

    /// Encodes a value in its one form.
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
        case .null: bytes += Array("null".utf8)
        case .bool(let bool): bytes += Array((bool ? "true" : "false").utf8)
        case .integer(let integer):
            guard IPLDValue.integerRange.contains(integer) else {
                throw .cannotEncode("the integer \(integer)")
            }
            bytes += Array(String(integer).utf8)
        case .float(let float):
            guard float.isFinite else { throw .cannotEncode("the float \(float)") }
            bytes += floatText(float)
        case .string(let string): append(string, to: &bytes)
        case .bytes(let content):
            bytes += Array("{\"/\":{\"bytes\":\"".utf8)
            bytes += Array(Multibase.encode(content, .base64).utf8.dropFirst())
            bytes += Array("\"}}".utf8)
        case .link(let cid): bytes += Array("{\"/\":\"\(cid)\"}".utf8)
        case .list(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                try append(value, to: &bytes, depth: depth - 1, limits)
            }
            bytes.append(UInt8(ascii: "]"))
        case .map(let entries):
            let sorted = entries.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (a, b) in zip(sorted, sorted.dropFirst()) where a.key.hasSameBytes(as: b.key) {
                throw .cannotEncode("the key \(String(reflecting: a.key)), which is there twice,")
            }
            // A reader would take it for a link or bytes, or refuse it.
            if sorted.first?.key == "/" { throw .cannotEncode("a map with the reserved key \"/\"") }
            bytes.append(UInt8(ascii: "{"))
            for (index, entry) in sorted.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                append(entry.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                try append(entry.value, to: &bytes, depth: depth - 1, limits)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// The shortest digits that read back the same, with a point or an exponent, so that it stays a float.
    private static func floatText(_ float: Double) -> [UInt8] {
        var text = Array(float.description.utf8)
        if let exponent = text.firstIndex(of: UInt8(ascii: "e")) {
            var digits = text[(exponent + 1)...]
            let sign =
                digits.first == UInt8(ascii: "-") || digits.first == UInt8(ascii: "+")
                ? [digits.removeFirst()] : []
            while digits.count > 1, digits.first == UInt8(ascii: "0") { digits = digits.dropFirst() }
            text = text[...exponent] + sign + digits
        }
        return text
    }

    private static func append(_ string: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes += Array("\\\"".utf8)
            case UInt8(ascii: "\\"): bytes += Array("\\\\".utf8)
            case 0x08: bytes += Array("\\b".utf8)
            case 0x09: bytes += Array("\\t".utf8)
            case 0x0A: bytes += Array("\\n".utf8)
            case 0x0C: bytes += Array("\\f".utf8)
            case 0x0D: bytes += Array("\\r".utf8)
            case ..<0x20:
                let hex = String(byte, radix: 16)
                bytes += Array(("\\u00" + (hex.count == 1 ? "0" : "") + hex).utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// Goes through JSON tokens one by one.
private struct JSONDecoder {
    private let bytes: [UInt8]
    private let isStrict: Bool
    private var offset = 0
    private var stack: ValueStack

    init(_ bytes: [UInt8], isStrict: Bool, limits: IPLDLimits) {
        self.bytes = bytes
        self.isStrict = isStrict
        stack = ValueStack(limits: limits, refusesRepeatedKeys: !isStrict)
    }

    mutating func decode() throws(IPLDCodecError) -> IPLDValue {
        repeat { try step() } while stack.result == nil
        skipSpace()
        guard offset == bytes.count else { throw .trailingBytes(offset: offset) }
        return stack.result ?? .null
    }

    /// A value with what stands before it, or the end of a list or map.
    private mutating func step() throws(IPLDCodecError) {
        skipSpace()
        guard let kind = stack.kind else { return try value() }
        let end = kind == .list ? UInt8(ascii: "]") : UInt8(ascii: "}")
        if try peek() == end {
            offset += 1
            return try close()
        }
        if stack.entries > 0 {
            try expect(UInt8(ascii: ","))
            skipSpace()
        }
        if kind == .map {
            let start = offset
            guard try peek() == UInt8(ascii: "\"") else { throw .keyNotAString(offset: offset) }
            let key = try string()
            if isStrict, let last = stack.lastKey, !last.utf8.lexicographicallyPrecedes(key.utf8) {
                throw last.hasSameBytes(as: key)
                    ? .duplicateKey(key, offset: start) : .keysOutOfOrder(offset: start)
            }
            try stack.add(key: key, offset: start)
            skipSpace()
            try expect(UInt8(ascii: ":"))
            skipSpace()
        }
        try value()
    }

    private mutating func value() throws(IPLDCodecError) {
        let start = offset
        switch try peek() {
        case UInt8(ascii: "{"):
            offset += 1
            try stack.open(.map, count: nil)
        case UInt8(ascii: "["):
            offset += 1
            try stack.open(.list, count: nil)
        case UInt8(ascii: "\""): try stack.add(.string(try string()))
        case UInt8(ascii: "t"): try literal("true", .bool(true))
        case UInt8(ascii: "f"): try literal("false", .bool(false))
        case UInt8(ascii: "n"): try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try stack.add(try number())
        case let byte: throw .unexpected(byte, offset: start)
        }
    }

    private mutating func close() throws(IPLDCodecError) {
        guard isStrict else { return try stack.close() }
        let end = offset
        try stack.close { (value: IPLDValue) throws(IPLDCodecError) -> IPLDValue in
            guard case .map(let entries) = value, entries.first?.key == "/" else { return value }
            guard entries.count == 1 else { throw .reservedKey(offset: end) }
            switch entries[0].value {
            case .string(let text):
                guard let cid = try? CID(text: text) else { throw .badLink(offset: end) }
                return .link(cid)
            case .map(let inner) where inner.count == 1 && inner[0].key == "bytes":
                guard case .string(let text) = inner[0].value,
                    let content = try? Multibase.decode("m" + text).bytes
                else {
                    throw .reservedKey(offset: end)
                }
                return .bytes(content)
            default:
                throw .reservedKey(offset: end)
            }
        }
    }

    // MARK: Tokens

    private mutating func skipSpace() {
        while offset < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[offset]) { offset += 1 }
    }

    private func peek() throws(IPLDCodecError) -> UInt8 {
        guard offset < bytes.count else { throw .truncated(offset: offset) }
        return bytes[offset]
    }

    private mutating func expect(_ byte: UInt8) throws(IPLDCodecError) {
        let found = try peek()
        guard found == byte else { throw .unexpected(found, offset: offset) }
        offset += 1
    }

    private mutating func literal(_ text: StaticString, _ value: IPLDValue) throws(IPLDCodecError) {
        let start = offset
        for byte in Array(text.description.utf8) {
            guard try peek() == byte else { throw .unexpected(bytes[start], offset: start) }
            offset += 1
        }
        try stack.add(value)
    }

    private mutating func number() throws(IPLDCodecError) -> IPLDValue {
        let start = offset
        var isFloat = false
        if try peek() == UInt8(ascii: "-") { offset += 1 }
        let firstDigit = offset
        try digits(start)
        if offset - firstDigit > 1, bytes[firstDigit] == UInt8(ascii: "0") { throw .badNumber(offset: start) }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            isFloat = true
            offset += 1
            try digits(start)
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            isFloat = true
            offset += 1
            if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-")
            {
                offset += 1
            }
            try digits(start)
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if !isFloat, let integer = Int128(text), IPLDValue.integerRange.contains(integer) {
            return .integer(integer)
        }
        guard isFloat || !isStrict, let float = Double(text), float.isFinite else {
            throw .badNumber(offset: start)
        }
        return .float(float)
    }

    private mutating func digits(_ start: Int) throws(IPLDCodecError) {
        let first = offset
        while offset < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[offset]) {
            offset += 1
        }
        guard offset > first else { throw .badNumber(offset: start) }
    }

    private mutating func string() throws(IPLDCodecError) -> String {
        let start = offset
        offset += 1
        var utf8: [UInt8] = []
        while true {
            let byte = try peek()
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: utf8, as: UTF8.self) else {
                    throw .badString(offset: start)
                }
                return string
            case UInt8(ascii: "\\"): try escape(into: &utf8, start)
            case ..<0x20: throw .badString(offset: start)
            default: utf8.append(byte)
            }
        }
    }

    private mutating func escape(into utf8: inout [UInt8], _ start: Int) throws(IPLDCodecError) {
        let byte = try peek()
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): utf8.append(byte)
        case UInt8(ascii: "b"): utf8.append(0x08)
        case UInt8(ascii: "f"): utf8.append(0x0C)
        case UInt8(ascii: "n"): utf8.append(0x0A)
        case UInt8(ascii: "r"): utf8.append(0x0D)
        case UInt8(ascii: "t"): utf8.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try hex4(start))
            if (0xD800..<0xDC00).contains(code) {
                // The first half of a pair: the second must follow.
                guard try peek() == UInt8(ascii: "\\") else { throw .badString(offset: start) }
                offset += 1
                guard try peek() == UInt8(ascii: "u") else { throw .badString(offset: start) }
                offset += 1
                let low = UInt32(try hex4(start))
                guard (0xDC00..<0xE000).contains(low) else { throw .badString(offset: start) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw .badString(offset: start) }
            utf8 += Array(String(Character(scalar)).utf8)
        default: throw .badString(offset: start)
        }
    }

    private mutating func hex4(_ start: Int) throws(IPLDCodecError) -> UInt16 {
        guard bytes.count - offset >= 4,
            bytes[offset..<(offset + 4)].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt16(String(decoding: bytes[offset..<(offset + 4)], as: UTF8.self), radix: 16)
        else { throw .badString(offset: start) }
        offset += 4
        return value
    }
}
