public import Multiformats

/// A DAG-PB node: links and bytes.
///
/// Binary form: a protobuf message `PBNode` with its links first (field 2, each a `PBLink`) and then its data
/// (field 1).
/// A `PBLink` is Hash (1, a binary CID), Name (2), Tsize (3).
///
/// Spec: ipld.io/specs/codecs/dag-pb.
public struct DAGPBNode: Hashable, Sendable {
    /// In the order of the block.
    public var links: [DAGPBLink]
    /// `nil` if there is no data field, which is not the same as an empty one.
    public var data: [UInt8]?

    public init(links: [DAGPBLink] = [], data: [UInt8]? = nil) {
        self.links = links
        self.data = data
    }
}

/// A link of a DAG-PB node.
public struct DAGPBLink: Hashable, Sendable {
    public var cid: CID
    /// Bytes rather than text, so that any file name survives; `nil` if there is no name field.
    public var name: [UInt8]?
    /// What the node claims of the bytes below the link; never trusted for limits.
    public var tsize: UInt64?

    public init(cid: CID, name: [UInt8]?, tsize: UInt64?) {
        self.cid = cid
        self.name = name
        self.tsize = tsize
    }
}

/// How much a DAG-PB block may hold.
public struct DAGPBLimits: Hashable, Sendable {
    public var blockBytes = Block.hardMaximumBytes
    /// A block of 2 MiB of the smallest possible links has some 50,000.
    public var links = 250_000

    public init() {}
}

/// Why bytes are not a DAG-PB node. Offsets count bytes from the beginning of the block.
public enum DAGPBError: Error, Equatable, Sendable {
    case blockTooLarge(bytes: Int, maximum: Int)
    case tooManyLinks(maximum: Int)
    case varint(VarintError, offset: Int)
    /// A length that runs past the end of what holds it.
    case truncated(offset: Int)
    /// A field that the message does not have, or with another wire type than it must have.
    case unexpectedField(number: UInt64, wireType: UInt8, offset: Int)
    /// Fields in an order that the spec does not allow, or twice.
    case wrongOrder(offset: Int)
    case missingHash(offset: Int)
    case badCID(CIDError, offset: Int)
}

extension DAGPBError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .blockTooLarge(let bytes, let maximum):
            "not DAG-PB: \(bytes) bytes, at most \(maximum) are allowed"
        case .tooManyLinks(let maximum): "not DAG-PB: more than \(maximum) links"
        case .varint(let error, let offset): "not DAG-PB: at byte \(offset) \(error)"
        case .truncated(let offset): "not DAG-PB: a length at byte \(offset) runs past the end"
        case .unexpectedField(let number, let wireType, let offset):
            "not DAG-PB: field \(number) of wire type \(wireType) at byte \(offset) does not belong there"
        case .wrongOrder(let offset): "not DAG-PB: the field at byte \(offset) is repeated or out of order"
        case .missingHash(let offset): "not DAG-PB: the link at byte \(offset) has no CID"
        case .badCID(let error, let offset): "not DAG-PB: the link at byte \(offset): \(error)"
        }
    }
}
