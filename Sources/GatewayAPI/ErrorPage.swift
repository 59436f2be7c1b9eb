import HTTPSupport
import HTTPTypes

/// Errors as pages for browsers, as text for everybody else.
enum ErrorPage {
    static func response(to request: DoorRequest, _ failure: GatewayFailure) -> DoorResponse {
        var fields: HTTPFields = [:]
        switch failure {
        case .methodNotAllowed: fields[.allow] = "GET, HEAD, OPTIONS"
        case .rangeNotSatisfiable(let size): fields[.contentRange] = "bytes */\(size)"
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
        let page = PageStyle.page(
            title: failure.title,
            """
            <main class="error">
            <p class="status">\(failure.status.code)</p>
            <h1>\(HTMLText.escape(failure.title))</h1>
            <p>\(HTMLText.escape(failure.detail)).</p>
            <p>\(HTMLText.escape(failure.remedy))</p>
            <p class="path"><code>\(HTMLText.escape(request.target.path))</code></p>
            </main>
            """)
        return DoorResponse(failure.status, fields: fields, body: .bytes(Array(page.utf8)))
    }
}
