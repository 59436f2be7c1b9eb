public import Access
import BlockStorage
import Catalog
import Multiformats
import Namespaces
public import NodeCore
import NodeMessages
import TreeValues
import UnixFS

/// A folder of a namespace into which whoever holds a link brings files, and in which nothing of them is
/// ever told: not what is there, and so not the number that a file gets whose name another one has.
///
/// A file that comes has a name of its own, whatever is there; nothing is overwritten. It appears when it
/// is whole and durable. Synchronous and thread-safe.
public struct DropBox: Sendable {
    private let node: StorageNode
    private let namespace: Namespace
    private let folder: NodeID
    private let author: ChangeAuthor

    /// - Throws: `link-ended` where the folder is not there any more.
    public init(_ node: StorageNode, _ link: Link, by principal: Principal) throws {
        guard let namespace = try node.catalog.namespaces.namespace(link.namespace),
            namespace.deleted == nil,
            try link.node == namespace.root
                || node.namespaces.path(of: link.node, in: namespace) != nil
        else { throw Self.ended }
        self.node = node
        self.namespace = namespace
        folder = link.node
        author = ChangeAuthor(user: principal.user?.text, device: "link:" + link.grant.id.text)
    }

    private static let ended = NodeFailure(
        .notFound, code: "link-ended", detail: "the folder that the link led to is gone")

    /// Takes a file in.
    ///
    /// - Parameters:
    ///   - name: as it was sent; see ``name(for:)``.
    ///   - read: fills a buffer; returns 0 only at the end. What it throws leaves nothing behind.
    /// - Returns: its bytes, and its name in the folder but for a number that tells it from others.
    public func take(
        _ name: String, read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> (bytes: Int64, name: String) {
        let lease = try node.beginLease()
        defer { lease.end() }
        let blocks = try NamespaceBlocks(node, of: namespace)
        var options = ImportOptions(parameters: .unixfsV1_2025, threads: 1)
        // Many uploads may be under way at once.
        options.bufferBytes = 8 * 1024 * 1024 + 4096
        let name = Self.name(for: name)
        let entry = try Importer(store: blocks, options: options)
            .add(streamNamed: Array(name.utf8), read: read)
        try blocks.commit()
        let bytes = Int64(clamping: entry.contentBytes)
        try put(.file(entry.cid, bytes: bytes), under: name)
        return (bytes, name)
    }

    /// Puts it under the first name that is free.
    private func put(_ content: NodeContent, under name: String) throws {
        let modified = node.catalog.namespaces.currentTime.multipliedReportingOverflow(by: 1_000_000)
        for attempt in 1...Self.maximumAttempts {
            let put = TreeChange.Put(
                content, place: TreeChange.Place(parent: folder, name: Self.name(name, attempt: attempt)),
                attributes: TreeChange.Attributes(modified: modified.overflow ? nil : modified.partialValue))
            let done = try node.namespaces.commit(
                [TreeOperation(.put(put))], to: namespace.id, author: author)
            switch done.outcomes.first {
            case .done: return try node.follow(done.contents, from: namespace.visibility, to: done.visibility)
            case .conflict(.nameTaken, _), .conflict(.kindMismatch, _): continue
            case .conflict(.parentMissing, _): throw Self.ended
            case .refused(.quotaExceeded):
                throw NodeFailure(.tooLarge, code: "quota-exceeded", detail: "there is no room for more")
            case .refused(let refusal):
                throw NodeFailure(.invalid, code: refusal.code, detail: refusal.description)
            case .conflict, nil:
                throw NodeFailure(.conflict, code: "not-taken", detail: "the file could not be put there")
            }
        }
        throw NodeFailure(
            .conflict, code: "not-taken", detail: "too many files are called so; give it another name")
    }

    private static let maximumAttempts = 24

    /// What a file is called in the folder: the last part of what was sent, without what a terminal or a
    /// file system could take for more than a name.
    ///
    /// A dot in front goes: `.syncignore`, `.nacre` and the like mean something to programs that read the
    /// folder.
    static func name(for text: String) -> String {
        // By scalars: a mark that combines with a slash or a dot must not hide it.
        let last = text.unicodeScalars.split { $0 == "/" || $0 == "\\" }.last ?? ""[...].unicodeScalars
        var kept = last.filter { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
            default: true
            }
        }[...]
        let isTrimmed = { (scalar: Unicode.Scalar) in scalar == "." || scalar == " " }
        kept = kept.drop(while: isTrimmed)
        while let end = kept.last, isTrimmed(end) { kept.removeLast() }
        let name = String(String.UnicodeScalarView(kept))
        return fitted(name.isEmpty ? "upload" : name, "")
    }

    /// `Soup.pdf`, `Soup (2).pdf`, `Soup (3).pdf` and so on; after that by chance, so that many of one name
    /// cost few attempts.
    static func name(_ name: String, attempt: Int) -> String {
        if attempt == 1 { return name }
        let mark = attempt <= 9 ? "\(attempt)" : String(UInt64.random(in: 1 << 20...1 << 40), radix: 32)
        return fitted(name, " (\(mark))")
    }

    /// The name with a mark before its extension, cut to what a name may have.
    private static func fitted(_ name: String, _ mark: String) -> String {
        var (stem, end) = (name, "")
        if let dot = name.lastIndex(of: "."), dot != name.startIndex, name[dot...].utf8.count <= 20 {
            (stem, end) = (String(name[..<dot]), String(name[dot...]))
        }
        while stem.utf8.count + mark.utf8.count + end.utf8.count > NameRules.maximumNameBytes, !stem.isEmpty {
            stem.removeLast()
        }
        return stem + mark + end
    }
}
