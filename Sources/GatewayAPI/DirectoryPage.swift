import BlockStorage
import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeCore
import UnixFS

/// The page of a directory: some of its entries, and where the others are.
///
/// Sizes are what links claim. What kind an entry is says its CID, or its block for the first
/// ``maximumLooks`` entries that could be either file or directory; a page costs the same wherever it is in
/// the directory, and does not need blocks that are not here.
struct DirectoryPage {
    let answer: ContentAnswer
    let resolved: ResolvedPath
    let reader: DirectoryReader
    private let crumbs: Breadcrumbs

    /// Changes with every change of what the page looks like.
    private static let version = 5
    private static let maximumLooks = 256

    init(_ answer: ContentAnswer, _ resolved: ResolvedPath, _ reader: DirectoryReader) {
        self.answer = answer
        self.resolved = resolved
        self.reader = reader
        crumbs = Breadcrumbs(path: answer.path)
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
        // What a link calls its folder may change without the folder.
        let label = answer.path.label.map { "." + RecordTag.text(Array($0.utf8)) } ?? ""
        let suffix = (cursor.map { "." + $0.description.dropFirst() } ?? "") + label
        // Links to versions begin at the root of the host.
        let versions = answer.path.origin.isShared ? try answer.place.versions?() : nil
        let history = versions.map { "_V-" + $0.tag } ?? ""
        let tag = EntityTag("DirIndex-\(Self.version)\(suffix)_CID-\(resolved.cid)\(history)")
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
        fields[.lastModified] = answer.place.made?.description
        return DoorResponse(
            .ok, fields: fields, body: .bytes(Array(html(page, isFirst: cursor == nil, versions).utf8)))
    }

    private func html(_ page: Entries, isFirst: Bool, _ versions: NamespaceVersions?) -> String {
        var html = PageStyle.head(title: "Index of " + crumbs.text)
        html.reserveCapacity(4096 + page.entries.count * 480)
        let pages = pageLinks(page, isFirst: isFirst)
        html += """
            <a class="skip" href="#entries">Skip to the entries</a>
            <header>
            <h1>Index of</h1>
            <nav class="crumbs" aria-label="Breadcrumbs">\(crumbs.html)</nav>
            \(forms)
            \(versions?.html(answer.path.segments) ?? "")</header>
            <main id="entries">
            \(pages)<table>
            <caption>\(caption(page, isFirst: isFirst))</caption>
            <thead><tr><th scope="col">Name</th><th scope="col" class="kind">Kind</th>\
            \(showsCIDs ? "<th scope=\"col\" class=\"cid\">CID</th>" : "")<th scope="col" class="size">Size</th></tr></thead>
            <tbody>

            """
        if !answer.path.segments.isEmpty {
            html += """
                <tr><td class="name"><a href="\(crumbs.here)/..">..</a></td><td class="kind">parent folder</td>\
                \(showsCIDs ? "<td class=\"cid\"></td>" : "")<td class="size"></td></tr>

                """
        }
        var looks = 0
        for entry in page.entries { html += row(entry, &looks) }
        return html + "</tbody>\n</table>\n" + pages + "</main>\n" + PageStyle.foot
    }

    /// Whether what is here can be had under its CID: what a link leads to is mostly for nobody else.
    private var showsCIDs: Bool { answer.path.label == nil }

    private var forms: String {
        guard showsCIDs else {
            return "<nav aria-label=\"Other forms\"><a href=\"?format=zip\">Download all as ZIP</a>"
                + "<a href=\"?format=tar\">Download all as TAR</a></nav>"
        }
        return """
            <p class="meta">CID <code translate="no">\(resolved.cid)</code></p>
            <nav aria-label="Other forms"><a href="?format=zip">Download as ZIP</a>\
            <a href="?format=tar">Download as TAR</a><a href="?format=car">Download as CAR</a>\
            <a href="?format=raw">Directory block</a></nav>
            """
    }

    typealias Entries = UnixFS.DirectoryPage

    private func caption(_ page: Entries, isFirst: Bool) -> String {
        if page.entries.isEmpty { return isFirst ? "This folder is empty." : "There are no more entries." }
        let count = page.entries.count
        let what = Self.entries(count)
        if isFirst, page.next == nil { return what }
        if let total { return "\(count) of \(Self.entries(total)) on this page" }
        return what + (page.next == nil ? " on this last page." : " on this page; there are more.")
    }

    private static func entries(_ count: Int) -> String { count == 1 ? "1 entry" : "\(count) entries" }

    /// How many entries the whole directory has; `nil` where only its shards together would tell.
    private var total: Int? {
        reader.isSharded ? nil : try? DAGPBNode(decoding: resolved.block.bytes).links.count
    }

    private func pageLinks(_ page: Entries, isFirst: Bool) -> String {
        var links = isFirst ? "" : "<a rel=\"first\" href=\"?\">First page</a>"
        if let next = page.next { links += "<a rel=\"next\" href=\"?after=\(next)\">Next page</a>" }
        return links.isEmpty ? "" : "<nav class=\"pages\" aria-label=\"Pages\">\(links)</nav>\n"
    }

    private func row(_ entry: DirectoryEntry, _ looks: inout Int) -> String {
        let name = HTMLText.escape(PathText.printable(entry.name))
        let size = ByteCount.text(Int64(clamping: entry.dagBytes))
        let kind = kind(of: entry, &looks)
        let isFolder = kind == "folder" ? " folder" : ""
        // With the slash at its end at once: without it a folder is answered with a redirect.
        let href =
            crumbs.here + "/" + PercentCoding.encode(segment: entry.name) + (kind == "folder" ? "/" : "")
        let cid =
            showsCIDs
            ? "<td class=\"cid\"><a class=\"ipfs-hash\" translate=\"no\" "
                + "\(crumbs.link(to: entry.cid, name: entry.name))>\(entry.cid)</a></td>" : ""
        return """
            <tr><td class="name\(isFolder)"><a href="\(href)">\(name)</a></td><td class="kind">\(kind)</td>\
            \(cid)<td class="size">\(size)</td></tr>

            """
    }

    private func kind(of entry: DirectoryEntry, _ looks: inout Int) -> String {
        switch entry.cid.codec {
        case .raw: return "file"
        case .dagPB:
            guard looks < Self.maximumLooks else { return "" }
            looks += 1
            // A block that is not here, or is damaged, is the business of whoever asks for the entry.
            guard let block = try? answer.source.block(entry.cid), let stat = try? UnixFSStat(block) else {
                return ""
            }
            switch stat.kind {
            case .raw, .file: return "file"
            case .directory, .shardedDirectory: return "folder"
            case .symlink: return "link"
            }
        default: return "document"
        }
    }
}
