import HTTPSupport
import HTTPTypes

/// The form in which content is asked for.
///
/// Spec: path gateway, "Content negotiation"; IPIP-523: `format` goes over `Accept`.
enum ContentFormat: String, CaseIterable {
    case raw
    case car
    case tar
    case zip
    case dagJSON = "dag-json"
    case dagCBOR = "dag-cbor"
    case json
    case cbor
    case ipnsRecord = "ipns-record"

    var mediaType: String {
        switch self {
        case .raw: "application/vnd.ipld.raw"
        case .car: "application/vnd.ipld.car"
        case .tar: "application/x-tar"
        case .zip: "application/zip"
        case .dagJSON: "application/vnd.ipld.dag-json"
        case .dagCBOR: "application/vnd.ipld.dag-cbor"
        case .json: "application/json"
        case .cbor: "application/cbor"
        case .ipnsRecord: "application/vnd.ipfs.ipns-record"
        }
    }
}

/// What a request asks for, in `format` and `Accept` together.
struct NegotiatedFormat {
    /// `nil` for content as it is: files, pages, documents.
    let format: ContentFormat?
    /// Parameters of the media range that was taken, for CARs.
    let parameters: [String: String]
    /// The client wants a page.
    let wantsHTML: Bool
    /// The header chose what the URL does not say, or says otherwise.
    let needsContentLocation: Bool

    /// - Throws: `badRequest` for a format that nobody knows.
    init(_ request: DoorRequest) throws(GatewayFailure) {
        let header = AcceptHeader(request.fields[values: .accept].joined(separator: ","))
        wantsHTML = header.names("text/html")
        var accepted: (format: ContentFormat, parameters: [String: String])?
        for choice in header.choices {
            // Who accepts ZIP files means a file that is one: that form is in the URL alone.
            if let format = ContentFormat.allCases.first(where: { $0.mediaType == choice.type }),
                format != .zip
            {
                accepted = (format, choice.parameters)
                break
            }
            // A page, an image or anything else that content can be as it is.
            if choice.type == "*/*" || choice.type == "text/html" { break }
        }
        let car = header.choices.first { $0.type == ContentFormat.car.mediaType }
        guard let name = request.target.value(of: "format") else {
            format = accepted?.format
            parameters = accepted?.parameters ?? [:]
            needsContentLocation = accepted != nil
            return
        }
        guard let named = ContentFormat(rawValue: name) else {
            throw .badRequest(
                "format=\(name) is not known; use \(ContentFormat.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        format = named
        parameters = named == .car ? car?.parameters ?? [:] : [:]
        needsContentLocation = accepted.map { $0.format != named } ?? false
    }
}
