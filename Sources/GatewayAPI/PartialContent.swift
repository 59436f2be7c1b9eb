import HTTPSupport
import HTTPTypes

/// A representation, or the ranges of it that a request wants.
///
/// Spec: RFC 9110 sections 13.1.5, 14.2 and 15.3.7.
struct PartialContent {
    let request: DoorRequest
    let tag: EntityTag
    /// When the representation was changed last, where that is known.
    let modified: HTTPDate?
    /// Bytes of the representation.
    let size: UInt64

    /// - Parameters:
    ///   - fields: of the whole representation.
    ///   - body: makes the body of a range; called for a range when it is to be sent.
    /// - Throws: `rangeNotSatisfiable`, and what `body` throws for the first range.
    func response(
        _ fields: HTTPFields, body: @escaping @Sendable (Range<UInt64>) throws -> DoorBody
    ) throws -> DoorResponse {
        guard let ranges = try ranges() else {
            return DoorResponse(.ok, fields: fields, body: try body(0..<size))
        }
        var fields = fields
        guard ranges.count > 1 else {
            fields[.contentRange] = ByteRangeSpec.contentRange(ranges[0], size: size)
            return DoorResponse(.partialContent, fields: fields, body: try body(ranges[0]))
        }
        let parts = MultipartRanges(ranges, size: size, contentType: fields[.contentType] ?? "")
        fields[.contentType] = parts.mediaType
        if request.method == .head {
            return DoorResponse(.partialContent, fields: fields, body: .omitted(length: parts.length))
        }
        return DoorResponse(
            .partialContent, fields: fields,
            body: .stream(try MultipartBody(parts, body), length: parts.length))
    }

    /// - Returns: `nil` if everything is wanted, otherwise at least one range.
    private func ranges() throws(GatewayFailure) -> [Range<UInt64>]? {
        guard let header = request.fields[.range], let specs = ByteRangeSpec.parse(header) else { return nil }
        if let condition = request.fields[.ifRange], !tag.allowsRange(ifRange: condition) {
            guard let modified, HTTPDate(condition) == modified else { return nil }
        }
        let ranges = ByteRangeSpec.ranges(specs, in: size)
        guard !ranges.isEmpty else { throw .rangeNotSatisfiable(size: size) }
        return ranges
    }
}

/// The ranges of a multipart body, one after the other.
final class MultipartBody: BodyStream, @unchecked Sendable {
    // Proof of Sendable: as for `PulledBody`, one call at a time.
    private let parts: MultipartRanges
    private let body: @Sendable (Range<UInt64>) throws -> DoorBody
    /// The range whose body is `current`.
    private var index = 0
    private var current: DoorBody
    private var head: [UInt8]?
    private var isAtEnd = false

    /// - Throws: what is wrong with the first range, while it can still be said with a status.
    init(_ parts: MultipartRanges, _ body: @escaping @Sendable (Range<UInt64>) throws -> DoorBody) throws {
        self.parts = parts
        self.body = body
        current = try body(parts.ranges[0])
        head = parts.head(of: parts.ranges[0])
    }

    func next() throws -> BodyPiece? {
        if let bytes = head {
            head = nil
            return .bytes(bytes[...])
        }
        if let piece = try nextOfRange() { return piece }
        index += 1
        guard index < parts.ranges.count else {
            defer { isAtEnd = true }
            return isAtEnd ? nil : .bytes(parts.tail[...])
        }
        current = try body(parts.ranges[index])
        return .bytes(parts.head(of: parts.ranges[index])[...])
    }

    private func nextOfRange() throws -> BodyPiece? {
        switch current {
        case .none, .omitted, .live: return nil
        case .bytes(let bytes):
            current = .none
            return bytes.isEmpty ? nil : .bytes(bytes[...])
        case .stream(let stream, _): return try stream.next()
        }
    }
}
