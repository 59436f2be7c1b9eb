/// The fields of one protobuf message, in the order of the bytes.
///
/// Strict: varints are minimal, groups do not exist, a field that is looked for stands there at most once.
/// Fields of other numbers are passed over, so that later versions can add some.
struct ProtobufMessage {
    struct Field {
        let number: UInt64
        let content: Content
    }

    enum Content {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
        /// Wire types 1 and 5, which nothing here uses.
        case fixed
    }

    let fields: [Field]

    /// The most fields of a message: all that are defined, and room for others.
    static let maximumFields = 64

    init(_ bytes: [UInt8]) throws(ProtobufError) {
        var fields: [Field] = []
        var offset = 0
        while offset < bytes.count {
            guard fields.count < Self.maximumFields else { throw .tooManyFields(maximum: Self.maximumFields) }
            let start = offset
            let key = try Self.varint(bytes, at: &offset)
            let number = key >> 3
            guard number > 0, number <= 0x1FFF_FFFF else { throw .badFieldNumber(offset: start) }
            switch key & 7 {
            case 0:
                fields.append(Field(number: number, content: .number(try Self.varint(bytes, at: &offset))))
            case 1: try Self.skip(8, bytes, &offset, number, &fields)
            case 5: try Self.skip(4, bytes, &offset, number, &fields)
            case 2:
                let length = try Self.varint(bytes, at: &offset)
                guard length <= UInt64(bytes.count - offset) else { throw .truncated(offset: start) }
                let end = offset + Int(length)
                fields.append(Field(number: number, content: .bytes(bytes[offset..<end])))
                offset = end
            case let wireType: throw .badWireType(UInt8(wireType), offset: start)
            }
        }
        self.fields = fields
    }

    /// The bytes of a field; `nil` if it is absent.
    func bytes(_ number: UInt64) throws(ProtobufError) -> [UInt8]? {
        guard let content = try content(number) else { return nil }
        guard case .bytes(let bytes) = content else { throw .wrongWireType(field: number) }
        return Array(bytes)
    }

    /// The number in a field; `nil` if it is absent.
    func number(_ number: UInt64) throws(ProtobufError) -> UInt64? {
        guard let content = try content(number) else { return nil }
        guard case .number(let value) = content else { throw .wrongWireType(field: number) }
        return value
    }

    private func content(_ number: UInt64) throws(ProtobufError) -> Content? {
        var found: Content?
        for field in fields where field.number == number {
            guard found == nil else { throw .repeatedField(number) }
            found = field.content
        }
        return found
    }

    private static func skip(
        _ count: Int, _ bytes: [UInt8], _ offset: inout Int, _ number: UInt64, _ fields: inout [Field]
    ) throws(ProtobufError) {
        guard bytes.count - offset >= count else { throw .truncated(offset: offset) }
        offset += count
        fields.append(Field(number: number, content: .fixed))
    }

    /// 64 bits, one more than varints of multiformats carry.
    private static func varint(_ bytes: [UInt8], at offset: inout Int) throws(ProtobufError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if shift == 63 && byte > 1 { throw .badVarint(offset: start) }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                if byte == 0 && shift > 0 { throw .badVarint(offset: start) }
                return value
            }
            shift += 7
            if shift > 63 { throw .badVarint(offset: start) }
        }
        throw .truncated(offset: start)
    }

    // Writing.

    static func append(_ number: UInt64, _ value: UInt64, to bytes: inout [UInt8]) {
        appendVarint(number << 3, to: &bytes)
        appendVarint(value, to: &bytes)
    }

    static func append(_ number: UInt64, _ content: [UInt8], to bytes: inout [UInt8]) {
        appendVarint(number << 3 | 2, to: &bytes)
        appendVarint(UInt64(content.count), to: &bytes)
        bytes += content
    }

    private static func appendVarint(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// Why bytes are not a protobuf message as keys and records are. Offsets count bytes of the message.
public enum ProtobufError: Error, Equatable, Sendable {
    case truncated(offset: Int)
    case badVarint(offset: Int)
    case badFieldNumber(offset: Int)
    case badWireType(UInt8, offset: Int)
    case wrongWireType(field: UInt64)
    case repeatedField(UInt64)
    case tooManyFields(maximum: Int)
}

extension ProtobufError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let offset): "the bytes end within the field at byte \(offset)"
        case .badVarint(let offset): "the varint at byte \(offset) is too long or not minimal"
        case .badFieldNumber(let offset): "the field at byte \(offset) has a number that no field has"
        case .badWireType(let type, let offset): "the field at byte \(offset) has wire type \(type)"
        case .wrongWireType(let field): "field \(field) has the wrong wire type"
        case .repeatedField(let field): "field \(field) is there twice"
        case .tooManyFields(let maximum): "the message has more than \(maximum) fields"
        }
    }
}
