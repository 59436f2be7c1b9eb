import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeCore
import UnixFS

/// The page of a directory: some of its entries, and where the others are.
///
/// No entry is read for it: sizes are what links claim. A page costs the same wherever it is in the
/// directory.
struct DirectoryPage {
    let answer: ContentAnswer
    let resolved: ResolvedPath
    let reader: DirectoryReader

    /// Changes with every change of what the page looks like.
    private static let version = 1

    init(_ answer: ContentAnswer, _ resolved: ResolvedPath, _ reader: DirectoryReader) {
        self.answer = answer
        self.resolved = resolved
        self.reader = reader
    }

    func response() throws -> DoorResponse {
        var cursor: DirectoryCursor?
        if let text = answer.request.target.value(of: "after") {
            do throws(UnixFSDirectoryError) {
                cursor = try DirectoryCursor(text: text)
            } catch {
                throw GatewayFailure.badRequest(error.description)
            }
        }
        let suffix = cursor.map { "." + $0.description.dropFirst() } ?? ""
        let tag = EntityTag("DirIndex-\(Self.version)\(suffix)_CID-\(resolved.cid)")
        let caching = answer.place.caching(
            orElse: "public, max-age=604800, stale-while-revalidate=2678400")
        if answer.isUnchanged(tag) {
            var fields: HTTPFields = [.eTag: tag.description]
            fields[.cacheControl] = caching
            return DoorResponse(.notModified, fields: fields)
        }
        let page = try reader.page(after: cursor, limit: answer.gateway.options.pageEntries)
        var fields: HTTPFields = [
            .eTag: tag.description, .contentType: "text/html; charset=utf-8",
            .contentSecurityPolicy: PageStyle.contentSecurityPolicy,
        ]
        fields[.cacheControl] = caching
        return DoorResponse(.ok, fields: fields, body: .bytes(Array(html(page, isFirst: cursor == nil).utf8)))
    }

    private func html(_ page: DirectoryPage.Entries, isFirst: Bool) -> String {
        let title = "Index of " + PathText.printable((try? PercentCoding.decode(answer.path.shown)) ?? [])
        var html = PageStyle.head(title: title)
        html += """
            <header>
            <h1>\(HTMLText.escape(title))</h1>
            <p class="meta">CID <code>\(resolved.cid)</code></p>
            <nav aria-label="Forms"><a href="?format=tar">Download as TAR</a><a href="?format=car">CAR</a>\
            <a href="?format=raw">Block</a></nav>
            </header>
            <main>
            <table>
            <thead><tr><th scope="col">Name</th><th scope="col" class="size">Size</th><th scope="col" class="cid">CID</th></tr></thead>
            <tbody>

            """
        if !answer.path.segments.isEmpty {
            html += "<tr><td class=\"name\"><a href=\"..\">..</a></td><td></td><td></td></tr>\n"
        }
        for entry in page.entries { html += row(entry) }
        html += "</tbody>\n</table>\n"
        if page.entries.isEmpty && isFirst { html += "<p class=\"meta\">This directory is empty.</p>\n" }
        if let next = page.next {
            html +=
                "<nav aria-label=\"Pages\"><a rel=\"next\" href=\"?after=\(next)\">More entries</a></nav>\n"
        }
        return html + "</main>\n" + PageStyle.foot
    }

    typealias Entries = UnixFS.DirectoryPage

    /// Where content under its own CID is: on a host that is one root's there is no such namespace.
    private var elsewhere: String {
        guard case .own(let gateway) = answer.path.origin else { return "" }
        return gateway.map { HTMLText.escape("//" + $0) } ?? ""
    }

    private func row(_ entry: DirectoryEntry) -> String {
        let name = HTMLText.escape(PathText.printable(entry.name))
        // A name such as "a:b" would be read as an address of its own.
        let href = "./" + PercentCoding.encode(segment: entry.name)
        let size = ByteCount.text(Int64(clamping: entry.dagBytes))
        return """
            <tr><td class="name"><a href="\(href)">\(name)</a></td><td class="size">\(size)</td>\
            <td class="cid"><a href="\(elsewhere)/ipfs/\(entry.cid)?filename=\(PercentCoding.encode(segment: entry.name))">\
            \(entry.cid)</a></td></tr>

            """
    }
}
