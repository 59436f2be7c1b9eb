import HTTPSupport
import Namespaces
import NodeCore
import TreeValues

/// What a page says of the versions of a namespace: which one it shows, and where the others are.
struct NamespaceVersions {
    /// As in the path: name or id.
    let name: String
    let head: JID
    /// What is shown.
    let shown: JID
    /// Some of those that are kept, newest first.
    let others: [NamespaceStore.Version]
    let time: @Sendable (Int64) -> String

    /// How many versions a page names.
    static let limit = 10

    /// Changes whenever the part of the page does.
    var tag: String {
        "\(head)-\(shown)-" + others.map { "\($0.jid)\($0.note == nil ? "" : "h")" }.joined(separator: "-")
    }

    /// The part of a page that shows the directory at these segments.
    func html(_ segments: [[UInt8]]) -> String {
        let path = segments.map { PercentCoding.encode(segment: $0) + "/" }.joined()
        let newest = "/n/" + PercentCoding.encode(segment: name.utf8) + "/" + path
        let state = shown == head ? "Version \(shown), the newest." : "Version \(shown) of \(head)."
        let back = shown == head ? "" : " <a href=\"\(newest)\">Show the newest</a>"
        let links = others.map { version in
            let link = "/n/" + PercentCoding.encode(segment: "\(name)@\(version.jid)".utf8) + "/" + path
            let note =
                version.note.map { $0.isEmpty ? "held" : $0 }
                .map { " <span class=\"meta\">\(HTMLText.escape(PathText.printable($0.utf8)))</span>" } ?? ""
            let current = version.jid == shown ? " aria-current=\"true\"" : ""
            return "<li><a href=\"\(link)\"\(current)>\(version.jid)</a> "
                + "<time class=\"meta\">\(time(version.time))</time>\(note)</li>"
        }
        return """
            <section class="versions" aria-label="Versions">
            <p class="meta">\(state)\(back) <a href="\(newest)?versions">All changes of this folder</a></p>
            <details><summary>Kept versions</summary><ol>\(links.joined())</ol></details>
            </section>

            """
    }
}
