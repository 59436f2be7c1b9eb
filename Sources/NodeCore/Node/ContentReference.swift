public import Multiformats

/// What a person means by the text they give to `cat`, `ls`, `stat` and `get`.
///
/// `CID`, `CID/PATH`, `/ipfs/CID/PATH`, `ipfs://CID/PATH`, or the name of a pin with or without a path.
public struct ContentReference: Equatable, Sendable {
    /// What a reference begins with.
    public enum Root: Equatable, Sendable {
        case cid(CID)
        case pinName(String)
    }

    public let root: Root
    /// Segments in bytes: any file name can be meant.
    public let path: [[UInt8]]
    /// As it was given.
    public let text: String

    /// A root without a path.
    public init(root: Root, text: String) {
        self.root = root
        self.text = text
        path = []
    }

    /// - Throws: `ContentReferenceError` if it is empty, or looks like a CID and is none.
    public init(_ bytes: [UInt8]) throws(ContentReferenceError) {
        text = PathText.printable(bytes)
        var rest = bytes[...]
        var mustBeCID = false
        for prefix in ["/ipfs/", "ipfs://"] where rest.starts(with: prefix.utf8) {
            rest = rest.dropFirst(prefix.utf8.count)
            mustBeCID = true
            break
        }
        let parts = rest.split(separator: PathText.slash, omittingEmptySubsequences: false).map(Array.init)
        guard let first = parts.first, !first.isEmpty else { throw .empty }
        path = parts.dropFirst().filter { !$0.isEmpty }
        if path.contains(where: { $0 == [PathText.dot] || $0 == [PathText.dot, PathText.dot] }) {
            throw .relativeSegment(text)
        }
        let name = String(decoding: first, as: UTF8.self)
        do {
            root = .cid(try CID(text: name))
        } catch {
            if mustBeCID || Self.looksLikeCID(name) { throw .badCID(name, error) }
            root = .pinName(name)
        }
    }

    /// Long enough and without anything that only names have: then a typing error in a CID is the likelier
    /// reading.
    private static func looksLikeCID(_ text: String) -> Bool {
        guard text.utf8.count >= 46,
            text.utf8.allSatisfy({ ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || ($0 >= 0x30 && $0 <= 0x39) })
        else { return false }
        return text.hasPrefix("Qm") || text.hasPrefix("baf") || text.hasPrefix("z") || text.hasPrefix("k")
    }
}

/// Why a text refers to nothing.
public enum ContentReferenceError: Error, Equatable, Sendable {
    case empty
    case badCID(String, CIDError)
    /// `.` and `..` have no meaning in a DAG.
    case relativeSegment(String)
}

extension ContentReferenceError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "name a CID, a path like CID/dir/file, or a pin"
        case .badCID(let text, let error): "\(PathText.printable(text.utf8)): \(error)"
        case .relativeSegment(let text): "\(text): `.` and `..` have no meaning below a CID"
        }
    }
}
