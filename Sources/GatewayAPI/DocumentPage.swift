import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeCore

/// A DAG-JSON or DAG-CBOR block as a page that people can read, with its links to follow.
struct DocumentPage {
    let answer: ContentAnswer
    let resolved: ResolvedPath

    private static let version = 2
    /// A larger document is shown up to here.
    private static let shownBytes = 256 * 1024

    init(_ answer: ContentAnswer, _ resolved: ResolvedPath) {
        self.answer = answer
        self.resolved = resolved
    }

    func response() throws -> DoorResponse {
        let tag = EntityTag("DagIndex-\(Self.version)_CID-\(resolved.cid)")
        if answer.isUnchanged(tag) { return answer.notModified(tag) }
        let value = try resolved.block.value()
        var text = String(decoding: try value.encoded(as: .dagJSON).prefix(Self.shownBytes), as: UTF8.self)
        if text.utf8.count >= Self.shownBytes { text += "\n…" }
        var links = ""
        let crumbs = Breadcrumbs(path: answer.path)
        for cid in try resolved.block.links().prefix(1000) {
            let code = "<code translate=\"no\">\(cid)</code>"
            links +=
                crumbs.address(of: cid).map { "<li><a href=\"\($0)\">\(code)</a></li>\n" }
                ?? "<li>\(code)</li>\n"
        }
        let title = "Document \(resolved.cid)"
        let native = resolved.cid.codec == .dagJSON ? "dag-json" : "dag-cbor"
        let page = PageStyle.page(
            title: title, .content,
            """
            <header>
            <h1>\(title)</h1>
            <nav class="crumbs" aria-label="Breadcrumbs">\(crumbs.html)</nav>
            <p class="meta">Codec \(native), \(resolved.block.bytes.count) bytes</p>
            <nav aria-label="Forms"><a href="?format=\(native)">\(native)</a><a href="?format=raw">Block</a>\
            <a href="?format=car">CAR</a></nav>
            </header>
            <main>
            <pre><code>\(HTMLText.escape(text))</code></pre>
            \(links.isEmpty ? "" : "<h2>Links</h2>\n<ul>\n\(links)</ul>")
            </main>
            """)
        return DoorResponse(
            .ok,
            fields: answer.cacheFields(tag).with(.contentType, "text/html; charset=utf-8")
                .with(.contentSecurityPolicy, PageStyle.contentSecurityPolicy)
                .with(
                    .cacheControl,
                    answer.place.caching(orElse: "public, max-age=604800, stale-while-revalidate=2678400")
                        ?? "no-cache"),
            body: .bytes(Array(page.utf8)))
    }
}
