public import HTTPTypes

/// An error of an API, for programs and people. Spec: RFC 9457.
public struct ProblemDocument: Sendable {
    public let status: HTTPResponse.Status
    /// Stable, for programs: words with dashes.
    public let code: String
    /// What happened, to what, and what to do.
    public let detail: String

    public init(_ status: HTTPResponse.Status, code: String, detail: String) {
        self.status = status
        self.code = code
        self.detail = detail
    }

    /// The document as an answer.
    public var response: DoorResponse {
        let body =
            "{\"type\":\"about:blank\",\"title\":\(JSONText.quoted(status.reasonPhrase)),\"status\":\(status.code),"
            + "\"code\":\(JSONText.quoted(code)),\"detail\":\(JSONText.quoted(detail))}\n"
        return DoorResponse(
            status, fields: [.contentType: "application/problem+json", .cacheControl: "no-store"],
            body: .bytes(Array(body.utf8)))
    }
}
