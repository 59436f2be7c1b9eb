public import Multiformats

extension DAGPBNode {
    /// Decodes a block.
    ///
    /// Strict: links before data or data before links, as the spec lets decoders take both, but never mixed;
    /// no unknown fields; the fields of a link in their order and once.
    public init(decoding bytes: [UInt8], limits: DAGPBLimits = DAGPBLimits()) throws(DAGPBError) {
        try self.init(decoding: bytes.span.bytes, limits: limits)
    }

    /// Decodes a block: see ``init(decoding:limits:)-([UInt8],_)``.
    public init(decoding bytes: RawSpan, limits: DAGPBLimits = DAGPBLimits()) throws(DAGPBError) {
        self.init()
        var scanner = try DAGPBScanner(bytes, limits: limits)
        while let field = try scanner.next(bytes) {
            switch field {
            case .link(let range): links.append(try DAGPBLink(decoding: bytes, in: range))
            case .data(let range): data = bytes.extracting(range).withUnsafeBytes { [UInt8]($0) }
            }
        }
    }

    /// The CIDs of all links, in order.
    public static func links(of bytes: [UInt8], limits: DAGPBLimits = DAGPBLimits()) throws(DAGPBError)
        -> [CID]
    {
        let span = bytes.span.bytes
        var cids: [CID] = []
        var scanner = try DAGPBScanner(span, limits: limits)
        while let field = try scanner.next(span) {
            if case .link(let range) = field { cids.append(try DAGPBLink.cid(of: span, in: range)) }
        }
        return cids
    }
}

/// Goes over the top-level fields of a node.
struct DAGPBScanner {
    enum Field {
        case link(Range<Int>)
        case data(Range<Int>)
    }

    private let limits: DAGPBLimits
    private var offset = 0
    private var links = 0
    private var hasData = false
    private var linksAfterData = false

    init(_ bytes: RawSpan, limits: DAGPBLimits) throws(DAGPBError) {
        guard bytes.byteCount <= limits.blockBytes else {
            throw .blockTooLarge(bytes: bytes.byteCount, maximum: limits.blockBytes)
        }
        self.limits = limits
    }

    mutating func next(_ bytes: RawSpan) throws(DAGPBError) -> Field? {
        guard offset < bytes.byteCount else { return nil }
        let start = offset
        let field = try ProtobufField.decode(bytes, at: &offset, end: bytes.byteCount)
        switch (field.number, field.wireType) {
        case (2, 2):
            // Links may all come before or all after the data, but not on both sides of it.
            if hasData && links > 0 && !linksAfterData { throw .wrongOrder(offset: start) }
            if hasData { linksAfterData = true }
            links += 1
            guard links <= limits.links else { throw .tooManyLinks(maximum: limits.links) }
            return .link(field.payload)
        case (1, 2):
            guard !hasData else { throw .wrongOrder(offset: start) }
            hasData = true
            return .data(field.payload)
        default:
            throw .unexpectedField(number: field.number, wireType: field.wireType, offset: start)
        }
    }
}

extension DAGPBLink {
    init(decoding bytes: RawSpan, in range: Range<Int>) throws(DAGPBError) {
        var offset = range.lowerBound
        var cid: CID?
        var name: [UInt8]?
        var tsize: UInt64?
        while offset < range.upperBound {
            let start = offset
            let field = try ProtobufField.decode(bytes, at: &offset, end: range.upperBound)
            switch (field.number, field.wireType) {
            case (1, 2):
                guard cid == nil, name == nil, tsize == nil else { throw .wrongOrder(offset: start) }
                do { cid = try CID(bytes.extracting(field.payload)) } catch {
                    throw .badCID(error, offset: start)
                }
            case (2, 2):
                guard name == nil, tsize == nil else { throw .wrongOrder(offset: start) }
                name = bytes.extracting(field.payload).withUnsafeBytes { [UInt8]($0) }
            case (3, 0):
                guard tsize == nil else { throw .wrongOrder(offset: start) }
                tsize = field.value
            default:
                throw .unexpectedField(number: field.number, wireType: field.wireType, offset: start)
            }
        }
        guard let cid else { throw .missingHash(offset: range.lowerBound) }
        self.init(cid: cid, name: name, tsize: tsize)
    }

    /// Only the CID; the other fields are checked all the same when the node is decoded.
    static func cid(of bytes: RawSpan, in range: Range<Int>) throws(DAGPBError) -> CID {
        guard !range.isEmpty else { throw .missingHash(offset: range.lowerBound) }
        var offset = range.lowerBound
        let field = try ProtobufField.decode(bytes, at: &offset, end: range.upperBound)
        guard field.number == 1, field.wireType == 2 else { throw .missingHash(offset: range.lowerBound) }
        do { return try CID(bytes.extracting(field.payload)) } catch {
            throw .badCID(error, offset: range.lowerBound)
        }
    }
}

/// One field of a protobuf message: the two wire types that DAG-PB has.
struct ProtobufField {
    let number: UInt64
    let wireType: UInt8
    /// Of wire type 0.
    let value: UInt64
    /// Of wire type 2.
    let payload: Range<Int>

    static func decode(_ bytes: RawSpan, at offset: inout Int, end: Int) throws(DAGPBError) -> ProtobufField {
        let start = offset
        let bounded = bytes.extracting(0..<end)
        let key = try number(bounded, at: &offset)
        switch UInt8(key & 7) {
        case 0:
            let value = try number(bounded, at: &offset)
            return ProtobufField(number: key >> 3, wireType: 0, value: value, payload: 0..<0)
        case 2:
            let length = try number(bounded, at: &offset)
            guard length <= UInt64(end - offset) else { throw .truncated(offset: start) }
            let payload = offset..<(offset + Int(length))
            offset = payload.upperBound
            return ProtobufField(number: key >> 3, wireType: 2, value: 0, payload: payload)
        case let wireType:
            throw .unexpectedField(number: key >> 3, wireType: wireType, offset: start)
        }
    }

    /// Protobuf numbers have 64 bits, one more than multiformats varints; like those they must be minimal
    /// here.
    private static func number(_ bytes: RawSpan, at offset: inout Int) throws(DAGPBError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < bytes.byteCount {
            let byte = bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            offset += 1
            if shift == 63 && byte > 1 { throw .varint(.overflow, offset: start) }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                if byte == 0 && shift > 0 { throw .varint(.notMinimal, offset: start) }
                return value
            }
            shift += 7
            if shift > 63 { throw .varint(.overflow, offset: start) }
        }
        throw .varint(.truncated, offset: start)
    }
}
