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

    /// - Parameter path: segments as bytes, since names of links are bytes.
    /// - Throws: `IPLDPathError`, and what decoding blocks throws.
    public static func resolve(
        _ path: [[UInt8]], from root: CID, in source: any BlockSource
    ) throws -> Destination {
        guard path.count <= maximumSegments else { throw IPLDPathError.tooLong(segments: path.count) }
        var block = try load(root, source)
        var place = try Place(block)
        for (position, segment) in path.enumerated() {
            if let cid = place.link {
                block = try load(cid, source)
                place = try Place(block)
            }
            guard let next = try place.step(segment) else {
                throw IPLDPathError.notFound(segment: segment, position: position, in: block.cid)
            }
            place = next
        }
        // A path that ends at a link leads to what it links to.
        if !path.isEmpty, let cid = place.link {
            block = try load(cid, source)
            place = try Place(block)
        }
        do {
            return Destination(block: block, value: try place.value())
        } catch {
            throw IPLDPathError.notInDataModel(block.cid, error)
        }
    }

    /// - Throws: `IPLDPathError`, and what decoding blocks throws.
    public static func resolve(
        _ path: [String], from root: CID, in source: any BlockSource
    ) throws -> Destination {
        try resolve(path.map { Array($0.utf8) }, from: root, in: source)
    }

    private static func load(_ cid: CID, _ source: any BlockSource) throws -> Block {
        guard let block = try source.block(cid) else { throw IPLDPathError.missingBlock(cid) }
        return block
    }
}

/// Where a path is. A DAG-PB node becomes a value only where the path ends: its names need not be text, which
/// values must be.
private enum Place {
    case node(DAGPBNode)
    /// The field `Links` of a node.
    case links([DAGPBLink])
    case plain(IPLDValue)

    init(_ block: Block) throws {
        self =
            block.cid.codec == .dagPB
            ? .node(try DAGPBNode(decoding: block.bytes)) : .plain(try block.value())
    }

    /// The block that comes next, if this is a link.
    var link: CID? {
        if case .plain(.link(let cid)) = self { cid } else { nil }
    }

    func value() throws(IPLDCodecError) -> IPLDValue {
        switch self {
        case .node(let node): try node.value()
        case .links(let links): try DAGPBNode(links: links).value()[key: "Links"] ?? .list([])
        case .plain(let value): value
        }
    }

    /// - Returns: `nil` if nothing is there.
    func step(_ segment: [UInt8]) throws(IPLDCodecError) -> Place? {
        switch self {
        case .node(let node):
            if segment == Array("Links".utf8) { return .links(node.links) }
            if segment == Array("Data".utf8), let data = node.data { return .plain(.bytes(data)) }
            return node.links.first { $0.name == segment }.map { .plain(.link($0.cid)) }
        case .links(let links):
            guard let index = Self.position(segment, in: links.indices) else { return nil }
            return .plain(try links[index].value())
        case .plain(.map(let entries)):
            return entries.first { $0.key.utf8.elementsEqual(segment) }.map { .plain($0.value) }
        case .plain(.list(let values)):
            return Self.position(segment, in: values.indices).map { .plain(values[$0]) }
        case .plain:
            return nil
        }
    }

    private static func position(_ segment: [UInt8], in indices: Range<Int>) -> Int? {
        let text = String(decoding: segment, as: UTF8.self)
        guard let index = Int(text), indices.contains(index), String(index) == text else { return nil }
        return index
    }
}

/// Why a path leads nowhere.
public enum IPLDPathError: Error, Equatable, Sendable {
    case notFound(segment: [UInt8], position: Int, in: CID)
    case missingBlock(CID)
    case tooLong(segments: Int)
    /// What the path leads to is no value, such as a DAG-PB link whose name is not UTF-8.
    case notInDataModel(CID, IPLDCodecError)
}

extension IPLDPathError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notFound(let segment, _, let cid):
            "block \(cid) has nothing at \(String(reflecting: String(decoding: segment, as: UTF8.self)))"
        case .missingBlock(let cid): "block \(cid) is missing"
        case .notInDataModel(let cid, let error): "block \(cid) cannot be shown as a value: \(error)"
        case .tooLong(let segments):
            "a path of \(segments) segments; at most \(IPLDPath.maximumSegments) are followed"
        }
    }
}
