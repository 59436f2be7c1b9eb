import HTTPSupport
import HTTPTypes
import NodeCore

/// Errors as pages for browsers, as text for everybody else.
enum ErrorPage {
    static func response(to request: DoorRequest, _ failure: GatewayFailure) -> DoorResponse {
        var response = page(for: request, failure)
        if case .busy(seconds: ...1) = failure { response.isMomentary = true }
        return response
    }

    private static func page(for request: DoorRequest, _ failure: GatewayFailure) -> DoorResponse {
        var fields: HTTPFields = [:]
        switch failure {
        case .methodNotAllowed: fields[.allow] = "GET, HEAD, OPTIONS"
        case .rangeNotSatisfiable(let size): fields[.contentRange] = "bytes */\(size)"
        case .busy(let seconds):
            fields[.retryAfter] = String(seconds)
            fields[.cacheControl] = "no-store"
        case .notCached: return DoorResponse(.preconditionFailed)
        default: break
        }
        fields[.contentTypeOptions] = "nosniff"
        let accept = AcceptHeader(request.fields[values: .accept].joined(separator: ","))
        guard accept.names("text/html") else {
            fields[.contentType] = "text/plain; charset=utf-8"
            let text = "\(failure.detail)\n\(failure.remedy)\n"
            return DoorResponse(failure.status, fields: fields, body: .bytes(Array(text.utf8)))
        }
        fields[.contentType] = "text/html; charset=utf-8"
        fields[.contentSecurityPolicy] = PageStyle.contentSecurityPolicy
        var wayUp = ""
        if case .entryNotFound(_, let missing) = failure {
            wayUp = Self.wayUp(from: request.target.path, missing: missing)
        }
        let detail = failure.detail.prefix(1).uppercased() + failure.detail.dropFirst()
        let page = PageStyle.page(
            title: failure.title, .message,
            """
            <main class="error">
            <p class="status">\(failure.status.code)</p>
            <h1>\(HTMLText.escape(failure.title))</h1>
            <p>\(HTMLText.escape(detail)).</p>
            <p>\(HTMLText.escape(failure.remedy))</p>
            <p class="path">Asked for: <code>\(HTMLText.escape(request.target.path))</code></p>
            \(wayUp)</main>
            """)
        return DoorResponse(failure.status, fields: fields, body: .bytes(Array(page.utf8)))
    }

    /// A link to the folder in which a name is missing.
    private static func wayUp(from path: String, missing: String) -> String {
        // Two slashes at the beginning would be another host: empty segments go.
        let segments = path.split(separator: "/")
        let root = ["ipfs", "ipns", "n"].contains(segments.first.map(String.init)) ? 2 : 0
        guard segments.count > root,
            let end = segments.indices.dropFirst(root).first(where: {
                (try? PercentCoding.decode(segments[$0])).map { PathText.printable($0) } == missing
            })
        else { return "" }
        let folder = HTMLText.escape("/" + segments[..<end].map { $0 + "/" }.joined())
        return "<nav aria-label=\"Ways on\"><a href=\"\(folder)\">Open the folder above</a></nav>\n"
    }
}
