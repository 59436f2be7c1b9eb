/// The UnixFS `Data` message of a file node, as it stands in the data of a DAG-PB node.
///
/// Fields that are not known are skipped, as protobuf wants it; known ones may be there once.
struct FileDataFields {
    private(set) var type: UInt64 = 0
    /// Where in the message the content is.
    private(set) var content: Range<Int> = 0..<0
    private(set) var fileSize: UInt64?
    private(set) var blockSizes: [UInt64] = []
    private(set) var metadata = UnixFSMetadata()

    init(_ bytes: [UInt8]) throws(DamagedFileNode) {
        var scanner = ProtobufScanner(bytes, in: bytes.indices)
        var seen: UInt64 = 0
        while let field = try scanner.next() {
            if field.number < 64 && field.number != 4 {
                guard seen & (1 << field.number) == 0 else { throw .repeatedField(field.number) }
                seen |= 1 << field.number
            }
            switch (field.number, field.value) {
            case (1, .number(let value)): type = value
            case (2, .bytes(let range)): content = range
            case (3, .number(let value)): fileSize = value
            case (4, .number(let value)): blockSizes.append(value)
            case (4, .bytes(let range)):
                var packed = ProtobufScanner(bytes, in: range)
                while !packed.isAtEnd { blockSizes.append(try packed.number()) }
            case (7, .number(let value)): metadata.mode = UInt32(truncatingIfNeeded: value)
            case (8, .bytes(let range)): metadata.mtime = try Self.time(bytes, in: range)
            case (1...4, _), (7...8, _): throw .badProtobuf(offset: scanner.offset)
            default: break
            }
        }
        guard seen & 2 != 0 else { throw .noType }
    }

    private static func time(_ bytes: [UInt8], in range: Range<Int>) throws(DamagedFileNode) -> UnixFSTime {
        var time = UnixFSTime(seconds: 0)
        var scanner = ProtobufScanner(bytes, in: range)
        while let field = try scanner.next() {
            switch (field.number, field.value) {
            case (1, .number(let value)): time.seconds = Int64(bitPattern: value)
            case (2, .fixed32(let value)) where value < 1_000_000_000: time.nanoseconds = value
            case (1...2, _): throw .badProtobuf(offset: scanner.offset)
            default: break
            }
        }
        return time
    }
}

/// Goes over the fields of a protobuf message.
struct ProtobufScanner {
    private let bytes: [UInt8]
    private let end: Int
    private(set) var offset: Int

    enum Value {
        case number(UInt64)
        case fixed32(UInt32)
        case fixed64
        case bytes(Range<Int>)
    }

    init(_ bytes: [UInt8], in range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset == end }

    mutating func next() throws(DamagedFileNode) -> (number: UInt64, value: Value)? {
        guard !isAtEnd else { return nil }
        let start = offset
        let key = try number()
        let value: Value
        switch key & 7 {
        case 0: value = .number(try number())
        case 1:
            _ = try take(8, from: start)
            value = .fixed64
        case 2:
            let length = try number()
            value = .bytes(try take(length, from: start))
        case 5:
            let range = try take(4, from: start)
            value = .fixed32(bytes[range].reversed().reduce(0) { $0 << 8 | UInt32($1) })
        default: throw .badProtobuf(offset: start)
        }
        return (key >> 3, value)
    }

    /// A varint of up to 64 bits.
    mutating func number() throws(DamagedFileNode) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = bytes[offset]
            offset += 1
            guard shift < 63 || byte <= 1 else { throw .badProtobuf(offset: offset) }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .badProtobuf(offset: offset)
    }

    private mutating func take(_ count: UInt64, from start: Int) throws(DamagedFileNode) -> Range<Int> {
        guard count <= UInt64(end - offset) else { throw .badProtobuf(offset: start) }
        defer { offset += Int(count) }
        return offset..<(offset + Int(count))
    }
}
