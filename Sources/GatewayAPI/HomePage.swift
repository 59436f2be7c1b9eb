public import HTTPSupport
import HTTPTypes

/// What the node says at `/`: what it is, and where to go from there. A page for browsers, text for others.
public enum HomePage {
    /// A way on.
    public struct Way: Sendable {
        /// Empty for what is no link.
        public var path: String
        public var text: String

        public init(_ path: String, _ text: String) {
            self.path = path
            self.text = text
        }
    }

    /// - Parameter ways: what else there is, in this order; paths and texts are escaped here.
    public static func response(to request: DoorRequest, ways: [Way]) -> DoorResponse {
        let accept = AcceptHeader(request.fields[values: .accept].joined(separator: ","))
        let first = "This is a Nacre node. Content is below /ipfs/CID and /ipns/NAME."
        guard accept.names("text/html") else {
            let lines = ways.map { $0.path.isEmpty ? $0.text : "\($0.path)  \($0.text)" }
            var response = DoorResponse.text(.ok, ([first] + lines).joined(separator: "\n"))
            response.fields[.vary] = "Accept"
            return response
        }
        let items = ways.map { way in
            way.path.isEmpty
                ? "<li>\(HTMLText.escape(way.text))</li>"
                : "<li><a href=\"\(HTMLText.escape(way.path))\">\(HTMLText.escape(way.path))</a> "
                    + "\(HTMLText.escape(way.text))</li>"
        }
        let page = PageStyle.page(
            title: "Nacre", .message,
            """
            <header><h1>This is a Nacre node</h1></header>
            <main>
            <p>Content is below <code>/ipfs/CID</code> and <code>/ipns/NAME</code>: put what you look for into
            the address bar.</p>
            <ul>
            \(items.joined(separator: "\n"))
            </ul>
            </main>
            """)
        return DoorResponse(
            .ok,
            fields: [
                .contentType: "text/html; charset=utf-8", .contentTypeOptions: "nosniff", .vary: "Accept",
                .contentSecurityPolicy: PageStyle.contentSecurityPolicy,
            ], body: .bytes(Array(page.utf8)))
    }
}
