import HTTPSupport
import HTTPTypes
import Multiformats
import NodeService
import SyncProtocol

/// The content of a file as an answer: whole, or one range of it; conditions by its root. Spec: RFC 9110
/// sections 13.2.2 and 14.2.
struct FileContentAnswer {
    private let request: DoorRequest
    private let content: SyncService.RevisionContent
    private let tag: EntityTag

    init(_ request: DoorRequest, _ content: SyncService.RevisionContent) {
        self.request = request
        self.content = content
        tag = EntityTag(content.root.description)
    }

    var response: DoorResponse {
        let known = request.fields[values: .ifNoneMatch]
        if !known.isEmpty, tag.isNamed(in: known.joined(separator: ",")) {
            return DoorResponse(.notModified, fields: fields)
        }
        guard let ranges = ranges else {
            return DoorResponse(.ok, fields: fields, body: body(0..<content.size))
        }
        guard let range = ranges.first else {
            var refused = SyncAPI.refusal(
                .rangeNotSatisfiable,
                .init(code: .badRequest, message: "there are \(content.size) bytes"))
            refused.fields[.contentRange] = "bytes */\(content.size)"
            return refused
        }
        var response = DoorResponse(.partialContent, fields: fields, body: body(range))
        response.fields[.contentRange] = ByteRangeSpec.contentRange(range, size: content.size)
        return response
    }

    private var fields: HTTPFields {
        [
            .contentType: "application/octet-stream", .eTag: tag.description, .acceptRanges: "bytes",
            .cacheControl: "private, no-cache", .contentTypeOptions: "nosniff",
            .contentDisposition: ContentDisposition.attachment.value(filename: content.name),
        ]
    }

    /// - Returns: `nil` if everything is to be sent: several ranges are, too; empty if nothing of what is
    ///   wanted is there.
    private var ranges: [Range<UInt64>]? {
        guard let header = request.fields[.range], let specs = ByteRangeSpec.parse(header), specs.count == 1
        else { return nil }
        if let condition = request.fields[.ifRange], !tag.allowsRange(ifRange: condition) { return nil }
        return ByteRangeSpec.ranges(specs, in: content.size)
    }

    private func body(_ range: Range<UInt64>) -> DoorBody {
        guard !range.isEmpty else { return .none }
        return .stream(RangeBody(content, range), length: range.upperBound - range.lowerBound)
    }
}

/// A part of a file, read piece by piece as the client takes it.
private final class RangeBody: BodyStream, @unchecked Sendable {
    // Proof of Sendable: `next` alone touches `rest`, and is called once at a time, as the protocol is
    // used.
    private let content: SyncService.RevisionContent
    private var rest: Range<UInt64>

    private static let pieceBytes: UInt64 = 256 * 1024

    init(_ content: SyncService.RevisionContent, _ range: Range<UInt64>) {
        self.content = content
        rest = range
    }

    func next() throws -> BodyPiece? {
        guard !rest.isEmpty else { return nil }
        let end = min(rest.upperBound, rest.lowerBound + Self.pieceBytes)
        let bytes = try content.bytes(rest.lowerBound..<end)
        rest = end..<rest.upperBound
        return .bytes(bytes[...])
    }
}
