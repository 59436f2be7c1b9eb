public import Multiformats

/// Follows a path through the data model, over links from block to block.
///
/// In DAG-PB blocks a segment is a field (`Links`, `Data`) or else the name of a link; in lists it is a
/// position.
///
/// Spec: ipld.io/specs/, "Pathing".
public enum IPLDPath {
    /// The most segments of a path.
    public static let maximumSegments = 1024

    /// Where a path leads: the last block on the way, and the value in it.
    public struct Destination: Sendable {
        public let block: Block
        public let value: IPLDValue
    }

    /// - Throws: `IPLDPathError`, and what decoding blocks throws.
    public static func resolve(_ path: [String], from root: CID, in source: any BlockSource) throws
        -> Destination
    {
        guard path.count <= maximumSegments else { throw IPLDPathError.tooLong(segments: path.count) }
        var block = try load(root, source)
        var value = try block.value()
        for (position, segment) in path.enumerated() {
            if case .link(let cid) = value {
                block = try load(cid, source)
                value = try block.value()
            }
            value = try step(value, segment, in: block, position)
        }
        // A path that ends at a link leads to what it links to.
        if !path.isEmpty, case .link(let cid) = value {
            block = try load(cid, source)
            value = try block.value()
        }
        return Destination(block: block, value: value)
    }

    private static func load(_ cid: CID, _ source: any BlockSource) throws -> Block {
        guard let block = try source.block(cid) else { throw IPLDPathError.missingBlock(cid) }
        return block
    }

    private static func step(
        _ value: IPLDValue, _ segment: String, in block: Block, _ position: Int
    ) throws(IPLDPathError) -> IPLDValue {
        switch value {
        case .map:
            if let inner = value[key: segment] { return inner }
            if block.cid.codec == .dagPB, case .list(let links)? = value[key: "Links"],
                let named = links.first(where: { isNamed($0, segment) }),
                let hash = named[key: "Hash"]
            {
                return hash
            }
        case .list(let values):
            if let index = Int(segment), values.indices.contains(index), String(index) == segment {
                return values[index]
            }
        default:
            break
        }
        throw .notFound(segment: segment, position: position, in: block.cid)
    }
}

/// Whether a link of a DAG-PB node has a name, byte by byte.
private func isNamed(_ link: IPLDValue, _ name: String) -> Bool {
    guard case .string(let own)? = link[key: "Name"] else { return false }
    return own.hasSameBytes(as: name)
}

/// Why a path leads nowhere.
public enum IPLDPathError: Error, Equatable, Sendable {
    case notFound(segment: String, position: Int, in: CID)
    case missingBlock(CID)
    case tooLong(segments: Int)
}

extension IPLDPathError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notFound(let segment, _, let cid): "block \(cid) has nothing at \(String(reflecting: segment))"
        case .missingBlock(let cid): "block \(cid) is missing"
        case .tooLong(let segments):
            "a path of \(segments) segments; at most \(IPLDPath.maximumSegments) are followed"
        }
    }
}
