public import IPLD

extension UnixFSData {
    /// Decodes a message.
    ///
    /// Known fields may be there once, in any order, with the wire type they must have; unknown ones are
    /// passed over, as protobuf wants it. Nothing is allocated by claim.
    ///
    /// - Parameter maximumBytes: the size of message above which nothing is looked at.
    public init(
        decoding bytes: [UInt8], maximumBytes: Int = Block.hardMaximumBytes
    ) throws(UnixFSDataError) {
        guard bytes.count <= maximumBytes else {
            throw .tooLarge(bytes: bytes.count, maximum: maximumBytes)
        }
        var fields = UnixFSFieldScanner(bytes, in: bytes.indices)
        var type: UInt64?
        self.init(kind: .raw)
        while let field = try fields.next(repeated: 4) {
            switch (field.number, field.value) {
            case (1, .number(let value)): type = value
            case (2, .bytes(let range)): content = Array(bytes[range])
            case (3, .number(let value)): fileSize = value
            case (4, .number(let value)): blockSizes.append(value)
            case (4, .bytes(let range)):
                var packed = UnixFSFieldScanner(bytes, in: range)
                while !packed.isAtEnd { blockSizes.append(try packed.number()) }
            case (5, .number(let value)): hashFunction = value
            case (6, .number(let value)): fanout = value
            case (7, .number(let value)): metadata.mode = UInt32(truncatingIfNeeded: value)
            case (8, .bytes(let range)): metadata.mtime = try Self.time(bytes, in: range)
            case (1...8, _): throw field.unexpected
            default: break
            }
        }
        guard let type else { throw .missingType }
        guard let kind = UInt8(exactly: type).flatMap(Kind.init(rawValue:)) else { throw .unknownType(type) }
        self.kind = kind
    }

    private static func time(_ bytes: [UInt8], in range: Range<Int>) throws(UnixFSDataError) -> UnixFSTime {
        var fields = UnixFSFieldScanner(bytes, in: range)
        var seconds: Int64?
        var nanoseconds: UInt32 = 0
        while let field = try fields.next() {
            switch (field.number, field.value) {
            case (1, .number(let value)): seconds = Int64(bitPattern: value)
            case (2, .fixed32(let value)):
                guard value < 1_000_000_000 else { throw .badNanoseconds(value) }
                nanoseconds = value
            case (1...2, _): throw field.unexpected
            default: break
            }
        }
        guard let seconds else { throw .missingSeconds }
        return UnixFSTime(seconds: seconds, nanoseconds: nanoseconds)
    }
}

/// Goes over the fields of a protobuf message.
struct UnixFSFieldScanner {
    struct Field {
        let number: UInt64
        let value: Value
        let wireType: UInt8
        let offset: Int

        var unexpected: UnixFSDataError {
            .badWireType(field: number, wireType: wireType, offset: offset)
        }
    }

    enum Value {
        case number(UInt64)
        case bytes(Range<Int>)
        case fixed32(UInt32)
        case fixed64
    }

    private let bytes: [UInt8]
    private let end: Int
    private var offset: Int
    private var seen: UInt64 = 0

    init(_ bytes: [UInt8], in range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset == end }

    /// The next field.
    ///
    /// - Parameter repeated: the field that may be there any number of times.
    mutating func next(repeated: UInt64? = nil) throws(UnixFSDataError) -> Field? {
        guard !isAtEnd else { return nil }
        let start = offset
        let key = try number()
        let field = key >> 3
        if field <= 8 && field != repeated {
            guard seen & 1 << field == 0 else { throw .repeatedField(field, offset: start) }
            seen |= 1 << field
        }
        let value: Value
        switch key & 7 {
        case 0: value = .number(try number())
        case 1:
            _ = try take(8)
            value = .fixed64
        case 2: value = .bytes(try take(try number()))
        case 5: value = .fixed32(bytes[try take(4)].reversed().reduce(0) { $0 << 8 | UInt32($1) })
        // Groups, wire types 3 and 4, have gone out of use and would nest without a limit.
        case let other: throw .badWireType(field: field, wireType: UInt8(other), offset: start)
        }
        return Field(number: field, value: value, wireType: UInt8(key & 7), offset: start)
    }

    /// A varint of up to 64 bits.
    mutating func number() throws(UnixFSDataError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end, shift <= 63 {
            let byte = bytes[offset]
            offset += 1
            guard shift < 63 || byte <= 1 else { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .badVarint(offset: start)
    }

    private mutating func take(_ count: UInt64) throws(UnixFSDataError) -> Range<Int> {
        guard count <= UInt64(end - offset) else { throw .truncated(offset: offset) }
        defer { offset += Int(count) }
        return offset..<(offset + Int(count))
    }
}
