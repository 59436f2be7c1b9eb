public import HTTPSupport
public import HTTPTypes

/// The pages around what is shared: a password, an upload, what is wrong. They need no script.
public enum LinkPages {
    /// As the gateway's own pages, with forms that lead to the same origin.
    static let contentSecurityPolicy = PageStyle.contentSecurityPolicy.replacing(
        "form-action 'none'", with: "form-action 'self'")

    /// Keeps an answer out of shared caches and search engines, and the URL, which is a secret, out of the
    /// requests that other sites get because of it.
    public static func protect(_ response: inout DoorResponse) {
        response.fields[.ipfsPath] = nil
        response.fields[.ipfsRoots] = nil
        let isContent = response.status == .ok || response.status == .partialContent
        response.fields[.cacheControl] =
            isContent || response.status == .notModified ? "private, no-cache" : "no-store"
        response.fields[.vary] = "Authorization, Cookie"
        response.fields[.contentTypeOptions] = "nosniff"
        response.fields[.referrerPolicy] = "same-origin"
        response.fields[.robots] = "noindex, nofollow"
    }

    /// Asks for the password: by a form where pages are read, else by what HTTP has for it.
    ///
    /// - Parameters:
    ///   - status: 401, or 429 where somebody has to wait.
    ///   - problem: what was wrong with what was shown; `nil` where nothing was.
    public static func password(
        _ request: DoorRequest, _ status: HTTPResponse.Status, problem: String?
    ) -> DoorResponse {
        guard wantsPage(request) else {
            var response = DoorResponse.text(
                status, problem ?? "this link asks for a password; with curl: -u :PASSWORD")
            if status == .unauthorized {
                response.fields[.wwwAuthenticate] = "Basic realm=\"link\", charset=\"UTF-8\""
            }
            return response
        }
        let note = problem.map { "<p role=\"alert\"><b>\(HTMLText.escape($0))</b></p>\n" } ?? ""
        var response = page(
            status, title: "This link asks for a password",
            """
            <main class="error">
            <h1>This link asks for a password</h1>
            \(note)<form method="post" accept-charset="utf-8">
            <p><label for="password">Password</label><br>
            <input id="password" name="password" type="password" autocomplete="current-password" required \
            autofocus></p>
            <p><button type="submit">Open</button></p>
            </form>
            </main>
            """)
        // A scheme that no browser knows: it shows the page rather than a window of its own.
        if status == .unauthorized { response.fields[.wwwAuthenticate] = "Form realm=\"link\"" }
        return response
    }

    /// Says why a link does not do what was asked.
    public static func refusal(
        _ request: DoorRequest, _ status: HTTPResponse.Status, title: String, detail: String
    ) -> DoorResponse {
        guard wantsPage(request) else { return .text(status, detail) }
        return page(
            status, title: title,
            """
            <main class="error">
            <p class="status">\(status.code)</p>
            <h1>\(HTMLText.escape(title))</h1>
            <p>\(HTMLText.escape(detail.prefix(1).uppercased() + detail.dropFirst())).</p>
            </main>
            """)
    }

    /// Says what became of an upload.
    ///
    /// - Parameters:
    ///   - received: names under which files were kept, but for a number that tells them from others.
    ///   - problem: why the rest was not taken.
    public static func uploaded(
        _ request: DoorRequest, _ status: HTTPResponse.Status, received: [String], problem: String?
    ) -> DoorResponse {
        guard wantsPage(request) else {
            let lines = received.map { "received " + shown($0) } + (problem.map { [$0] } ?? [])
            return .text(status, lines.joined(separator: "\n"))
        }
        let items = received.map { "<li>\(HTMLText.escape(shown($0)))</li>" }.joined(separator: "\n")
        let count = received.count == 1 ? "1 file was received" : "\(received.count) files were received"
        return page(
            status, title: count,
            """
            <header><h1>\(count)</h1></header>
            <main>
            \(problem.map { "<p role=\"alert\"><b>\(HTMLText.escape($0))</b></p>" } ?? "")
            <ul>
            \(items)
            </ul>
            \(UploadPage.form)
            </main>
            """)
    }

    /// What a reader may see of a name that somebody sent: no signs that turn or break the line.
    private static func shown(_ name: String) -> String {
        String(
            name.unicodeScalars.filter { $0.properties.generalCategory != .format && $0.value >= 0x20 }.map(
                Character.init))
    }

    static func failure(_ failure: GatewayFailure, _ request: DoorRequest) -> DoorResponse {
        switch failure {
        // The texts of the others may name roots, which are nobody's business here.
        case .rangeNotSatisfiable, .methodNotAllowed, .badRequest, .notAcceptable, .notCached, .linkEnded,
            .busy:
            return ErrorPage.response(to: request, failure)
        case .damaged, .failed:
            return refusal(
                request, failure.status, title: failure.title,
                detail: "the request id finds the reason in the node's log")
        default:
            return refusal(
                request, .notFound, title: "There is nothing under this name",
                detail: "the link has nothing of this name; open it without the end of the path")
        }
    }

    static func wantsPage(_ request: DoorRequest) -> Bool {
        AcceptHeader(request.fields[values: .accept].joined(separator: ",")).names("text/html")
    }

    static func page(_ status: HTTPResponse.Status, title: String, _ body: String) -> DoorResponse {
        DoorResponse(
            status,
            fields: [
                .contentType: "text/html; charset=utf-8", .contentSecurityPolicy: contentSecurityPolicy,
            ], body: .bytes(Array(PageStyle.page(title: title, .message, body).utf8)))
    }
}

/// The page of a folder into which files can be brought and of which nothing is shown.
struct UploadPage {
    let name: String

    static let form = """
        <form method="post" enctype="multipart/form-data" accept-charset="utf-8">
        <p><label for="files">Files</label><br>\
        <input id="files" name="files" type="file" multiple required></p>
        <p><button type="submit">Send</button></p>
        </form>
        """

    func response() -> DoorResponse {
        let title = "Send files to " + name
        return LinkPages.page(
            .ok, title: title,
            """
            <header><h1>\(HTMLText.escape(title))</h1></header>
            <main>
            <p>What you send can be seen by whoever gave you this link. What others sent is not shown
            here.</p>
            \(Self.form)
            <p class="meta">From a command line: <code>curl -T FILE</code> and this address.</p>
            </main>
            """)
    }
}

extension HTTPField.Name {
    /// Spec: what search engines agree on.
    static let robots = Self("X-Robots-Tag") ?? .vary
}
