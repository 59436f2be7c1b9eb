import CAR
import ContentCoding
import HTTPSupport
import HTTPTypes
import IPLD
import NodeService
import SyncProtocol

/// A call after it was let in.
struct SyncRequest: Sendable {
    let request: DoorRequest
    let values: [String: String]
    let service: SyncService
    /// Read once, by the handler alone.
    let body: any RequestBytes

    /// The value of a placeholder in the path.
    func value(_ name: String) -> String { values[name] ?? "" }

    var namespace: String { value("ns") }

    /// As the client calls itself: for the journal, and for what its own changes are told from others by.
    var device: String { service.device }

    /// How the client wants to be answered.
    var form: WireForm { SyncAPI.form(of: request) }

    /// The body as it was before it was packed.
    ///
    /// - Throws: `unsupported_encoding`.
    func content() throws -> any RequestBytes {
        guard let header = request.fields[.contentEncoding]?.lowercased(), header != "identity" else {
            return body
        }
        guard let coding = ContentCoding(header: header) else {
            throw SyncFailure.unsupportedEncoding(accepted: ContentCoding.accepted)
        }
        return try UnpackedBody(body, coding)
    }

    /// The message in the body.
    ///
    /// - Throws: `bad_request` with what is wrong and where; `too_large`.
    func message() throws -> IPLDValue {
        let type = request.fields[.contentType] ?? "application/json"
        guard let form = WireForm(mediaType: type) else {
            throw SyncFailure.badRequest("a message is application/cbor or application/json")
        }
        var reader = RequestBodyReader(try content(), limit: Int64(SyncLimits.maximumMessageBytes))
        let bytes = try reader.readAll()
        return try form.decode(bytes, maximumBytes: SyncLimits.maximumMessageBytes)
    }

    func answer(_ value: IPLDValue, _ status: HTTPResponse.Status = .ok) throws -> DoorResponse {
        try .message(value, form, status)
    }
}

extension DoorResponse {
    static func message(
        _ value: IPLDValue, _ form: WireForm, _ status: HTTPResponse.Status = .ok
    ) throws -> DoorResponse {
        DoorResponse(
            status,
            fields: [
                .contentType: form.rawValue, .cacheControl: "no-store", .contentTypeOptions: "nosniff",
            ],
            body: .bytes(try form.encode(value)))
    }
}

extension HTTPField.Name {
    /// Names the device that speaks.
    static let deviceID = Self("X-Device-Id") ?? .userAgent
    static let lastEventID = Self("Last-Event-ID") ?? .userAgent
    /// How many blocks a stream is to have: one that ends before is broken off.
    static let blockCount = Self("X-Block-Count") ?? .userAgent
    /// Of how many of the CIDs that were asked for, from the first on, an answer speaks.
    static let answeredCount = Self("X-Answered-Count") ?? .userAgent
}
