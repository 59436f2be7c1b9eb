public import Multiformats

/// What a person means by the text they give to `cat`, `ls`, `stat` and `get`.
///
/// `CID`, `CID/PATH`, `/ipfs/CID/PATH`, `ipfs://CID/PATH`, the name of a pin with or without a path, or
/// `NAMESPACE:/PATH`, as it is or as of a version: `NAMESPACE:/PATH@VERSION`, `NAMESPACE@VERSION:/PATH`.
///
/// What stands behind the last `@` of a path counts as a version if it is a number, a time or a CID. An `@`
/// at the very end ends a path that ends like that.
public struct ContentReference: Equatable, Sendable {
    /// What a reference begins with.
    public enum Root: Equatable, Sendable {
        case cid(CID)
        case pinName(String)
        /// Name or id, and the version as it was written; `nil` for the newest state.
        case namespace(String, version: String?)
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
        if !mustBeCID, let (namespace, behind) = Self.namespace(rest) {
            root = namespace
            path = behind.split(separator: PathText.slash).map(Array.init)
            try Self.check(path, text)
            return
        }
        let parts = rest.split(separator: PathText.slash, omittingEmptySubsequences: false).map(Array.init)
        guard let first = parts.first, !first.isEmpty else { throw .empty }
        path = parts.dropFirst().filter { !$0.isEmpty }
        try Self.check(path, text)
        let name = String(decoding: first, as: UTF8.self)
        do {
            root = .cid(try CID(text: name))
        } catch {
            if mustBeCID || Self.looksLikeCID(name) { throw .badCID(name, error) }
            root = .pinName(name)
        }
    }

    private static func check(_ path: [[UInt8]], _ text: String) throws(ContentReferenceError) {
        if path.contains(where: { $0 == [PathText.dot] || $0 == [PathText.dot, PathText.dot] }) {
            throw .relativeSegment(text)
        }
    }

    /// What stands before and behind `:/`, if that is a namespace.
    private static func namespace(_ bytes: ArraySlice<UInt8>) -> (Root, path: ArraySlice<UInt8>)? {
        guard
            let colon = bytes.indices.first(where: { index in
                bytes[index] == UInt8(ascii: ":") && index + 1 < bytes.endIndex
                    && bytes[index + 1] == PathText.slash
            })
        else { return nil }
        let before = String(decoding: bytes[..<colon], as: UTF8.self)
            .split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let isName = before[0].utf8.allSatisfy {
            ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || ($0 >= 0x30 && $0 <= 0x39)
                || "-_.".utf8.contains($0)
        }
        guard isName, (1...63).contains(before[0].utf8.count) else { return nil }
        let path = bytes[(colon + 2)...]
        if before.count == 2 { return (.namespace(before[0], version: before[1]), path) }
        guard let mark = path.lastIndex(of: UInt8(ascii: "@")) else {
            return (.namespace(before[0], version: nil), path)
        }
        let version = String(decoding: path[(mark + 1)...], as: UTF8.self)
        guard version.isEmpty || isVersion(version) else {
            return (.namespace(before[0], version: nil), path)
        }
        return (.namespace(before[0], version: version.isEmpty ? nil : version), path[..<mark])
    }

    private static func isVersion(_ text: String) -> Bool {
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return true }
        // 2026-01-31T12:00:00Z
        let isTime =
            text.utf8.count >= 20 && text.utf8.prefix(4).allSatisfy { (0x30...0x39).contains($0) }
            && text.utf8.dropFirst(4).first == UInt8(ascii: "-") && text.contains("T")
        return isTime || (try? CID(text: text)) != nil
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
        case .empty: "name a CID, a path like CID/dir/file, a pin, or NAMESPACE:/PATH"
        case .badCID(let text, let error): "\(PathText.printable(text.utf8)): \(error)"
        case .relativeSegment(let text): "\(text): `.` and `..` have no meaning below a CID"
        }
    }
}
