import HTTPSupport
import Multiformats

/// A content path: namespace, root, and the names that lead on from there.
struct ContentPath {
    enum Namespace: String {
        case ipfs
        case ipns
    }

    let namespace: Namespace
    /// As it was given.
    let rootText: String
    /// Decoded once; any bytes.
    let segments: [[UInt8]]
    let hasTrailingSlash: Bool
    /// The path as asked for, before anything is resolved, without the namespace where a host stands for
    /// it.
    let shown: String

    /// Reads `/ipfs/ROOT/…` and `/ipns/ROOT/…`.
    ///
    /// - Throws: `badRequest` for segments that cannot be: `..`, badly encoded, more than
    ///   ``maximumSegments``.
    init(namespace: Namespace, encodedSegments: [Substring], hasTrailingSlash: Bool) throws(GatewayFailure) {
        self.namespace = namespace
        self.hasTrailingSlash = hasTrailingSlash
        guard let first = encodedSegments.first, !first.isEmpty else {
            throw .badRequest("the path names no root: /\(namespace.rawValue)/CID/path is expected")
        }
        var segments: [[UInt8]] = []
        do throws(RequestTargetError) {
            rootText = String(decoding: try PercentCoding.decode(first), as: UTF8.self)
            for segment in encodedSegments.dropFirst() where !segment.isEmpty {
                segments.append(try PercentCoding.decode(segment))
            }
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
        shown = "/" + namespace.rawValue + "/" + encodedSegments.joined(separator: "/")
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
}
