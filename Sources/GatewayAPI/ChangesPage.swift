import Catalog
import HTTPSupport
import HTTPTypes
import Namespaces
import NodeCore
import TreeValues

/// The page behind `/n/NAME/PATH?versions`: every change of a file or folder, with links to how it was.
struct ChangesPage {
    let answer: NamespaceAnswer
    let namespace: Namespace
    /// As of which version the path is looked for; `nil` for the newest.
    let jid: JID?

    /// How many changes one page shows.
    private static let limit = 200

    init(_ answer: NamespaceAnswer, _ namespace: Namespace, asOf jid: JID?) {
        self.answer = answer
        self.namespace = namespace
        self.jid = jid
    }

    func response() throws -> DoorResponse {
        let trees = answer.gateway.node.namespaces
        let names = answer.path.segments.map { String(decoding: $0, as: UTF8.self) }
        guard let entries = try trees.changes(at: names, in: namespace, asOf: jid, limit: Self.limit) else {
            throw GatewayFailure.namespaceNotFound(
                answer.path.rootText,
                reason: NamespaceError.pathAbsent(names.joined(separator: "/")).description)
        }
        let title = "Changes of /" + names.map { PathText.printable($0.utf8) }.joined(separator: "/")
        var html = """
            <header><h1>\(HTMLText.escape(title))</h1>
            <p class="meta">in \(HTMLText.escape(namespace.name)), newest first</p></header>
            <main><table>
            <thead><tr><th scope="col">Version</th><th scope="col">When</th><th scope="col">What</th>\
            <th scope="col" class="size">Size</th></tr></thead>
            <tbody>

            """
        for entry in entries { html += try row(entry, trees) }
        html += "</tbody></table></main>"
        let fields: HTTPFields = [
            .contentType: "text/html; charset=utf-8", .cacheControl: "no-cache",
            .contentSecurityPolicy: PageStyle.contentSecurityPolicy, .contentTypeOptions: "nosniff",
        ]
        return DoorResponse(
            .ok, fields: fields, body: .bytes(Array(PageStyle.page(title: title, .message, html).utf8)))
    }

    private func row(_ entry: JournalEntry, _ trees: NamespaceStore) throws -> String {
        let (name, _) = NamespaceAnswer.parts(of: answer.path.rootText)
        let isKept = (try? trees.keptVersion(entry.jid, of: namespace)) != nil
        var version = String(entry.jid)
        if isKept, !entry.node.isDeleted,
            let path = try trees.path(of: entry.node.id, in: namespace, asOf: entry.jid)
        {
            let root = PercentCoding.encode(segment: "\(name)@\(entry.jid)".utf8)
            let slash = entry.node.kind == .directory && !path.isEmpty ? "/" : ""
            version =
                "<a href=\"/n/\(root)/\(PercentCoding.encode(path: Array(path.utf8)))\(slash)\">\(version)</a>"
        }
        let what =
            switch entry.operation {
            case .create: "made"
            case .content: "changed"
            case .move: "moved"
            case .delete: "deleted"
            case .restore: "came back"
            case .metadata: "time or mode changed"
            }
        let size = entry.node.kind == .directory ? "" : ByteCount.text(entry.node.size)
        return """
            <tr><td>\(version)</td><td>\(HTTPDate(seconds: entry.time / 1000))</td><td>\(what)</td>\
            <td class="size">\(size)</td></tr>

            """
    }
}
