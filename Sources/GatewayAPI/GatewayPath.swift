import HTTPSupport
import IPNS
import Multiformats

/// A content path as a client asked for it: namespace, root, and the names that lead on from there.
struct GatewayPath {
    enum Namespace: String {
        case ipfs
        case ipns
        /// A namespace of this node: its newest state, or the one behind an `@`.
        case n
        /// What a link leads to: the root is the token of the link.
        case c
    }

    /// Who answers for the path.
    enum Origin: Hashable {
        /// The path gateway: all content shares one web origin.
        case shared
        /// A host of its own; `gateway` is where other content is, such as `dweb.link:8080`.
        case own(gateway: String?)

        var isShared: Bool { self == .shared }
    }

    let namespace: Namespace
    let origin: Origin
    /// Host and port that the client asked.
    let authority: String
    /// As it was given.
    let rootText: String
    /// Decoded once; any bytes.
    let segments: [[UInt8]]
    let hasTrailingSlash: Bool
    /// The path as asked for, before anything is resolved, with the namespace that a host stands for.
    let shown: String
    /// What pages call the root, where its text is a secret.
    var label: String?

    /// - Parameters:
    ///   - root: what stands behind the namespace, percent-encoded.
    ///   - rest: the segments behind it, percent-encoded.
    /// - Throws: `badRequest` for segments that cannot be: `..`, badly encoded; `tooLarge` for more than
    ///   ``maximumSegments``.
    init(
        _ namespace: Namespace, root: Substring, rest: some BidirectionalCollection<Substring>,
        origin: Origin = .shared, authority: String
    ) throws(GatewayFailure) {
        self.namespace = namespace
        self.origin = origin
        self.authority = authority
        hasTrailingSlash = rest.last.map(\.isEmpty) ?? false
        guard !root.isEmpty else {
            let kind = namespace == .ipfs ? "CID" : "NAME"
            throw .badRequest("the path names no root: /\(namespace.rawValue)/\(kind)/path is expected")
        }
        var segments: [[UInt8]] = []
        do throws(RequestTargetError) {
            rootText = String(decoding: try PercentCoding.decode(root), as: UTF8.self)
            for segment in rest where !segment.isEmpty { segments.append(try PercentCoding.decode(segment)) }
        } catch {
            throw .badRequest(error.description)
        }
        guard segments.count <= Self.maximumSegments else {
            throw .tooLarge("a path may have \(Self.maximumSegments) segments")
        }
        // In a DAG they mean nothing, and what a proxy makes of them is nobody's guess.
        for segment in segments where segment == [0x2E] || segment == [0x2E, 0x2E] || segment.contains(0) {
            throw .badRequest("a path may not hold the segments . and .., nor the byte 0")
        }
        self.segments = segments
        shown = "/" + ([Substring(namespace.rawValue), root] + rest).joined(separator: "/")
    }

    static let maximumSegments = 1024

    /// The root as a CID.
    ///
    /// - Throws: `malformedCID`.
    func rootCID() throws(GatewayFailure) -> CID {
        do throws(CIDError) {
            return try CID(text: rootText)
        } catch {
            throw .malformedCID(String(rootText.prefix(256)), reason: error.description)
        }
    }

    /// The root as a name.
    ///
    /// - Throws: `nameNotResolved`.
    func rootName() throws(GatewayFailure) -> ContentPath.Root {
        do throws(ContentPathError) {
            return try ContentPath.ipnsRoot(rootText)
        } catch {
            throw .badRequest("invalid path \"/ipns/\(rootText.prefix(256))\": \(error)")
        }
    }
}
