public import Access
import BlockStorage
import Catalog
import IPLD
import Multiformats
import Namespaces
public import NodeCore
import NodeMessages
import Synchronization
import SyncProtocol
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
    ///   - bytes: how many there will be, where that is known.
    ///   - stored: counts what of it is stored, also where it is not taken in the end.
    ///   - read: fills a buffer; returns 0 only at the end. What it throws leaves no file behind.
    /// - Returns: its bytes, and its name in the folder but for a number that tells it from others.
    /// - Throws: `quota-exceeded` before a byte is read beyond what the namespace may still hold.
    public func take(
        _ name: String, bytes expected: Int64? = nil, _ stored: StoredBytes = StoredBytes(),
        read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> (bytes: Int64, name: String) {
        let room = try room()
        if let expected, expected > room { throw Self.full }
        let lease = try node.beginLease()
        defer { lease.end() }
        let blocks = CountedBlocks(try NamespaceBlocks(node, of: namespace), stored)
        var options = ImportOptions(parameters: .unixfsV1_2025, threads: 1)
        // Many uploads may be under way at once.
        options.bufferBytes = 8 * 1024 * 1024 + 4096
        let name = Self.name(for: name)
        var received: Int64 = 0
        let entry = try Importer(store: blocks, options: options)
            .add(streamNamed: Array(name.utf8)) { target in
                let count = try read(target)
                received += Int64(count)
                guard received <= room else { throw Self.full }
                return count
            }
        try blocks.commit()
        let bytes = Int64(clamping: entry.contentBytes)
        try put(.file(entry.cid, bytes: bytes), under: name)
        return (bytes, name)
    }

    private static let full = NodeFailure(
        .tooLarge, code: "quota-exceeded", detail: "there is no room for more")

    /// How many bytes the namespace may still take in one more file. The commit asks again, with everybody
    /// else kept out: this keeps what it would refuse from the disk.
    private func room() throws -> Int64 {
        guard let now = try node.catalog.namespaces.namespace(namespace.id), now.deleted == nil else {
            throw Self.ended
        }
        let policy = try NamespacePolicy(json: now.policy)
        guard now.nodes < policy.maximumNodes else { throw Self.full }
        return policy.maximumBytes.map { max(0, $0 - now.bytes) } ?? .max
    }

    /// Puts it under the first name that is free.
    private func put(_ content: NodeContent, under name: String) throws {
        let modified = node.catalog.namespaces.currentTime.multipliedReportingOverflow(by: 1_000_000)
        for attempt in 1...FreeName.maximumAttempts {
            let put = TreeChange.Put(
                content, place: TreeChange.Place(parent: folder, name: FreeName.name(name, attempt: attempt)),
                attributes: TreeChange.Attributes(modified: modified.overflow ? nil : modified.partialValue))
            let done = try node.namespaces.commit(
                [TreeOperation(.put(put))], to: namespace.id, author: author)
            switch done.outcomes.first {
            case .done: return try node.follow(done.contents, from: namespace.visibility, to: done.visibility)
            case .conflict(.nameTaken, _), .conflict(.kindMismatch, _): continue
            case .conflict(.parentMissing, _): throw Self.ended
            case .refused(.quotaExceeded):
                throw Self.full
            case .refused(let refusal):
                throw NodeFailure(.invalid, code: SyncCode(refusal).rawValue, detail: refusal.description)
            case .conflict, nil:
                throw NodeFailure(.conflict, code: "not-taken", detail: "the file could not be put there")
            }
        }
        throw NodeFailure(
            .conflict, code: "not-taken", detail: "too many files are called so; give it another name")
    }

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
        return FreeName.fitted(name.isEmpty ? "upload" : name)
    }
}

/// Counts bytes that are stored of something that comes.
public final class StoredBytes: Sendable {
    private let bytes = Atomic<Int64>(0)

    public init() {}

    public var count: Int64 { bytes.load(ordering: .relaxed) }

    fileprivate func add(_ count: Int) { bytes.add(Int64(count), ordering: .relaxed) }
}

/// A store that counts what is put. What was held before counts too: nobody learns by this what is here.
private struct CountedBlocks: BlockStore {
    private let blocks: NamespaceBlocks
    private let stored: StoredBytes

    init(_ blocks: NamespaceBlocks, _ stored: StoredBytes) { (self.blocks, self.stored) = (blocks, stored) }

    func block(_ cid: CID) throws -> Block? { try blocks.block(cid) }
    func blocks(_ cids: [CID]) throws -> [Block?] { try blocks.blocks(cids) }
    func size(of cid: CID) throws -> Int? { try blocks.size(of: cid) }

    @discardableResult
    func put(_ blocks: [BlockView], scope: ScopeMarks) throws -> PutSummary {
        let summary = try self.blocks.put(blocks, scope: scope)
        stored.add(blocks.reduce(0) { $0 + $1.bytes.count })
        return summary
    }

    func commit() throws { try blocks.commit() }
}
