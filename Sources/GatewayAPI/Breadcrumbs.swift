import HTTPSupport
import Multiformats
import NodeCore

/// The way from the root of a path to where it ends, each step a link.
///
/// The links have the form that readers of gateways' pages know: absolute, encoded with capital digits,
/// without a slash at the end.
struct Breadcrumbs {
    let path: GatewayPath

    /// In front of names below the root: what a link of this page begins with.
    var base: String {
        path.origin.isShared ? root : ""
    }

    /// The path of the page itself as a link, without a slash at the end.
    var here: String { base + path.segments.map { "/" + PercentCoding.encode(segment: $0) }.joined() }

    private var root: String {
        "/\(path.namespace.rawValue)/" + PercentCoding.encode(segment: path.rootText.utf8)
    }

    /// `/ipfs/` and the links, for a page.
    var html: String {
        var link: String
        switch path.origin {
        case .shared: link = root
        case .own(let gateway?): link = "//\(gateway)\(root)"
        case .own(nil): link = "//\(path.authority)"
        }
        link = HTMLText.escape(link)
        let slash = path.origin == .own(gateway: nil) || path.label != nil ? "/" : ""
        let prefix = path.label == nil ? "/\(path.namespace.rawValue)/" : ""
        var html =
            "\(prefix)<a href=\"\(link)\(slash)\">\(HTMLText.escape(path.label ?? path.rootText))</a>"
        for segment in path.segments {
            link += "/" + PercentCoding.encode(segment: segment)
            html += "/<a href=\"\(link)\">\(HTMLText.escape(PathText.printable(segment)))</a>"
        }
        return html
    }

    /// The way in words, for a title.
    var text: String {
        let below = path.segments.map { PathText.printable($0) }
        if let label = path.label { return ([label] + below).joined(separator: "/") }
        return "/" + ([path.namespace.rawValue, path.rootText] + below).joined(separator: "/") + "/"
    }

    /// A link to content under its own CID, on the way that this host offers.
    func link(to cid: CID, name: [UInt8]) -> String {
        let file = "/ipfs/\(cid)?filename=\(Self.filename(name))"
        switch path.origin {
        case .shared: return "href=\"\(file)\""
        case .own(let gateway?): return "href=\"//\(HTMLText.escape(gateway))\(file)\""
        // A site has no such namespace; this page explains the CID.
        case .own(nil):
            return "href=\"https://cid.ipfs.tech/#\(cid)\" target=\"_blank\" rel=\"noreferrer noopener\""
        }
    }

    /// A link to content under its own CID; `nil` where the host has no such namespace.
    func address(of cid: CID) -> String? {
        switch path.origin {
        case .shared: "/ipfs/\(cid)"
        case .own(let gateway): gateway.map { "//\(HTMLText.escape($0))/ipfs/\(cid)" }
        }
    }

    /// A name as the value of `filename`. What is not ASCII is encoded twice, as on the pages of other
    /// gateways; ``FilenameParameter`` undoes both.
    private static func filename(_ name: [UInt8]) -> String {
        var once: [UInt8] = []
        let isASCII = name.allSatisfy { $0 < 0x80 }
        for byte in name {
            // A percent sign of the name must not look like one of the first encoding.
            let isPlain = byte < 0x80 && (isASCII || byte != UInt8(ascii: "%"))
            if isPlain { once.append(byte) } else { once += PercentCoding.encode(segment: [byte]).utf8 }
        }
        return PercentCoding.encode(segment: once)
    }
}

/// The parameter `filename` of a request.
enum FilenameParameter {
    /// The name that is asked for; `nil` if none is.
    static func value(of target: RequestTarget) -> String? {
        guard let text = target.value(of: "filename") else { return nil }
        // Pages of directories encode what is not ASCII twice. A name that has such escapes of its own is
        // so rare that it may lose them.
        guard text.utf8.contains(UInt8(ascii: "%")), text.utf8.allSatisfy({ $0 < 0x80 }),
            let bytes = try? PercentCoding.decode(text), bytes.contains(where: { $0 >= 0x80 }),
            let name = String(validating: bytes, as: UTF8.self)
        else { return text }
        return name
    }
}
