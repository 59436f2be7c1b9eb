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
            "{\"type\":\"about:blank\",\"title\":\(Self.string(status.reasonPhrase)),\"status\":\(status.code),"
            + "\"code\":\(Self.string(code)),\"detail\":\(Self.string(detail))}\n"
        return DoorResponse(
            status, fields: [.contentType: "application/problem+json", .cacheControl: "no-store"],
            body: .bytes(Array(body.utf8)))
    }

    /// Spec: RFC 8259 section 7.
    private static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
