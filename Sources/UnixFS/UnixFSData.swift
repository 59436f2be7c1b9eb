/// The UnixFS message in the data of a DAG-PB node: what the node is.
///
/// Binary form: a protobuf message with Type (1), Data (2), filesize (3), blocksizes (4, repeated),
/// hashType (5), fanout (6), mode (7), mtime (8: seconds 1, nanoseconds 2), written in this order.
///
/// Spec: UnixFS, "Data format".
public struct UnixFSData: Hashable, Sendable {
    public var kind: Kind
    /// Content of a file, target of a symlink, slots in use of a HAMT shard; `nil` if the field is not there.
    public var content: [UInt8]?
    /// What the node claims to be the bytes of the file.
    public var fileSize: UInt64?
    /// Bytes of the file below each link, in the order of the links.
    public var blockSizes: [UInt64]
    /// The hash function of a HAMT, by its multicodec number.
    public var hashFunction: UInt64?
    /// Slots of a shard of a HAMT, as the node claims.
    public var fanout: UInt64?
    public var metadata: UnixFSMetadata

    public init(
        kind: Kind, content: [UInt8]? = nil, fileSize: UInt64? = nil, blockSizes: [UInt64] = [],
        hashFunction: UInt64? = nil, fanout: UInt64? = nil, metadata: UnixFSMetadata = UnixFSMetadata()
    ) {
        self.kind = kind
        self.content = content
        self.fileSize = fileSize
        self.blockSizes = blockSizes
        self.hashFunction = hashFunction
        self.fanout = fanout
        self.metadata = metadata
    }

    /// What a node is.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        case raw = 0
        case directory = 1
        case file = 2
        /// Reserved by the spec; nobody makes such nodes.
        case metadata = 3
        case symlink = 4
        case hamtShard = 5
    }

    /// The canonical bytes, as Kubo writes them.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = [1 << 3, kind.rawValue]
        if let content {
            bytes.append(2 << 3 | 2)
            UnixFSFileEncoding.appendVarint(UInt64(content.count), to: &bytes)
            bytes += content
        }
        Self.appendNumber(fileSize, field: 3, to: &bytes)
        for size in blockSizes { Self.appendNumber(size, field: 4, to: &bytes) }
        Self.appendNumber(hashFunction, field: 5, to: &bytes)
        Self.appendNumber(fanout, field: 6, to: &bytes)
        UnixFSFileEncoding.appendMetadata(metadata, to: &bytes)
        return bytes
    }

    private static func appendNumber(_ value: UInt64?, field: UInt8, to bytes: inout [UInt8]) {
        guard let value else { return }
        bytes.append(field << 3)
        UnixFSFileEncoding.appendVarint(value, to: &bytes)
    }
}

/// Why bytes are not a UnixFS message. Offsets count bytes from the beginning of the message.
public enum UnixFSDataError: Error, Equatable, Sendable {
    case tooLarge(bytes: Int, maximum: Int)
    case badVarint(offset: Int)
    /// A length that runs past the end.
    case truncated(offset: Int)
    /// A wire type that protobuf does not have any more, or another than the field must have.
    case badWireType(field: UInt64, wireType: UInt8, offset: Int)
    case repeatedField(UInt64, offset: Int)
    case missingType
    case unknownType(UInt64)
    case badNanoseconds(UInt32)
    case missingSeconds
}

extension UnixFSDataError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLarge(let bytes, let maximum):
            "the UnixFS data has \(bytes) bytes, at most \(maximum) are allowed"
        case .badVarint(let offset): "the number at byte \(offset) of the UnixFS data is damaged"
        case .truncated(let offset): "a length at byte \(offset) of the UnixFS data runs past the end"
        case .badWireType(let field, let wireType, let offset):
            "field \(field) of the UnixFS data at byte \(offset) has wire type \(wireType)"
        case .repeatedField(let field, let offset):
            "field \(field) of the UnixFS data is there again at byte \(offset)"
        case .missingType: "the UnixFS data does not say what the node is"
        case .unknownType(let type): "UnixFS has no node type \(type)"
        case .badNanoseconds(let value): "\(value) nanoseconds are more than a second"
        case .missingSeconds: "the mtime has no seconds"
        }
    }
}
