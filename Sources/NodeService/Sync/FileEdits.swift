import BlockStorage
import Catalog
import IPLD
import Multiformats
import Namespaces
import NodeCore
import SyncProtocol
import TreeValues

/// Puts small changes of larger files into entries: what the file was at the client's cursor is what the
/// client has, so that a line that changed comes with the entry instead of by two more questions.
struct FileEdits {
    /// More files at once are fetched together: then a question more is nothing.
    private static let maximumFiles = 32
    /// The lists of larger files are too long to be compared on the chance that little changed.
    private static let maximumFileBytes: Int64 = 64 * 1024 * 1024
    /// Leaves of a text of that size, and some more.
    private static let maximumLeaves = 1 << 16

    private let namespaces: NamespaceStore
    private let namespace: Namespace
    private let blocks: NamespaceBlocks
    /// The client's cursor.
    private let jid: JID

    init(_ namespaces: NamespaceStore, _ namespace: Namespace, blocks: NamespaceBlocks, since jid: JID) {
        self.namespaces = namespaces
        self.namespace = namespace
        self.blocks = blocks
        self.jid = jid
    }

    /// Adds what is small; an entry without it is one whose leaves are asked for.
    func add(to entries: inout [RemoteEntry]) throws {
        let changed = entries.indices.filter { index in
            let entry = entries[index]
            return !entry.isDeleted && entry.node.kind == .file && entry.node.contentRevision > jid
                && (Int64(SyncLimits.maximumInlineBytes) + 1...Self.maximumFileBytes).contains(
                    entry.node.size)
        }
        guard changed.count <= Self.maximumFiles else { return }
        for index in changed { entries[index].edit = try edit(entries[index].node) }
    }

    private func edit(_ node: SyncNode) throws -> FileEdit? {
        guard let root = node.content,
            let before = try namespaces.node(node.id, in: namespace, asOf: jid), !before.isDeleted,
            let base = before.content, base != root,
            let old = try FileLeaves.base(base, in: blocks, maximum: Self.maximumLeaves),
            let new = try FileLeaves.base(root, in: blocks, maximum: Self.maximumLeaves)
        else { return nil }
        let edit = LeafEdit(from: old, root: base, to: new)
        let leaves = edit.splices.flatMap(\.insert)
        guard leaves.reduce(0, { $0 + $1.bytes }) <= SyncLimits.maximumEditBytes else { return nil }
        let found = try blocks.blocks(leaves.map(\.cid)).compactMap { $0?.bytes }
        guard found.count == leaves.count else { return nil }
        return FileEdit(edit, blocks: found)
    }
}
