import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeCore
import UnixFS

/// The bytes of a file, or of a part of it that the query names, as conditions and ranges of a request want
/// them.
///
/// Spec: RFC 9110 sections 13.2.2, 14.2 and 15.3.7.
struct FileRepresentation {
    let request: DoorRequest
    let reader: UnixFSFileReader
    /// What of the file the query names; ranges of the header are counted from its beginning.
    let slice: Range<UInt64>
    /// What every answer has.
    var fields: HTTPFields

    private let tag: EntityTag
    private let modified: HTTPDate?

    /// - Parameter fields: of the whole representation.
    init(_ request: DoorRequest, _ reader: UnixFSFileReader, _ slice: Range<UInt64>, _ fields: HTTPFields) {
        self.request = request
        self.reader = reader
        self.slice = slice
        let root = reader.root.cid.description
        let isWhole = slice == 0..<reader.size
        tag = EntityTag(isWhole ? root : "\(root).\(slice.lowerBound)-\(slice.upperBound)")
        modified = reader.metadata.mtime.map { HTTPDate(seconds: $0.seconds) }
        self.fields = fields
        self.fields[.eTag] = tag.description
        self.fields[.acceptRanges] = "bytes"
        self.fields[.lastModified] = modified?.description
    }

    func response() -> DoorResponse {
        if isUnwanted { return DoorResponse(.preconditionFailed, fields: fields) }
        if isUnchanged { return DoorResponse(.notModified, fields: fields) }
        guard let ranges = ranges() else {
            return DoorResponse(.ok, fields: fields, body: body([0..<size], of: nil))
        }
        guard let first = ranges.first else { return unsatisfiable() }
        var response = DoorResponse(.partialContent, fields: fields)
        guard ranges.count > 1 else {
            response.fields[.contentRange] = ByteRangeSpec.contentRange(first, size: size)
            response.body = body(ranges, of: nil)
            return response
        }
        let parts = MultipartRanges(ranges, size: size, contentType: fields[.contentType] ?? "")
        response.fields[.contentType] = parts.mediaType
        response.body = body(ranges, of: parts)
        return response
    }

    private var size: UInt64 { slice.upperBound - slice.lowerBound }

    // MARK: Conditions

    /// Whether the client asked for another version than this one.
    private var isUnwanted: Bool {
        let wanted = request.fields[values: .ifMatch]
        guard wanted.isEmpty else { return !tag.isNamedStrongly(in: wanted.joined(separator: ",")) }
        guard let modified, let limit = request.fields[.ifUnmodifiedSince].flatMap(HTTPDate.init) else {
            return false
        }
        return modified.seconds > limit.seconds
    }

    /// Whether the client has it already.
    private var isUnchanged: Bool {
        let known = request.fields[values: .ifNoneMatch]
        guard known.isEmpty else { return tag.isNamed(in: known.joined(separator: ",")) }
        guard let modified, let since = request.fields[.ifModifiedSince].flatMap(HTTPDate.init) else {
            return false
        }
        return modified.seconds <= since.seconds
    }

    // MARK: Ranges

    /// - Returns: `nil` if everything is wanted; empty if nothing of what is wanted is there.
    private func ranges() -> [Range<UInt64>]? {
        guard let header = request.fields[.range], let specs = ByteRangeSpec.parse(header) else { return nil }
        if let condition = request.fields[.ifRange], !tag.allowsRange(ifRange: condition) {
            guard let modified, HTTPDate(condition) == modified else { return nil }
        }
        return ByteRangeSpec.ranges(specs, in: size)
    }

    private func unsatisfiable() -> DoorResponse {
        var response = ProblemDocument(
            .rangeNotSatisfiable, code: "range-not-satisfiable",
            detail: "the range lies behind the end: there are \(size) bytes"
        ).response
        response.fields[.contentRange] = "bytes */\(size)"
        return response
    }

    /// - Parameters:
    ///   - ranges: counted from the beginning of the slice.
    ///   - parts: what stands between several ranges.
    private func body(_ ranges: [Range<UInt64>], of parts: MultipartRanges?) -> DoorBody {
        let length = parts?.length ?? ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
        guard length > 0 else { return .none }
        let (reader, start) = (reader, slice.lowerBound)
        let body = PushedBody { cancellation, sink in
            for range in ranges {
                try parts?.head(of: range).withUnsafeBytes { try sink($0) }
                try reader.read(range.lowerBound + start..<range.upperBound + start) { bytes in
                    try cancellation.check()
                    try sink(bytes)
                }
            }
            try parts?.tail.withUnsafeBytes { try sink($0) }
        }
        return .stream(body, length: length)
    }
}
