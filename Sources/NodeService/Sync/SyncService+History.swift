import Access
import Catalog
import IPLD
public import Multiformats
import Namespaces
import NodeCore
public import SyncProtocol
public import TreeValues
import UnixFS

/// What was, and bringing it back.
extension SyncService {
    /// The live node at a path; `nil` path components are none: the root has no node.
    ///
    /// - Throws: `unknown_node`.
    public func entry(at path: String, of text: String) throws -> RemoteEntry {
        let namespace = try namespace(text, for: .read)
        guard let node = try namespaces.node(at: path, in: namespace) else {
            throw SyncFailure.unknownNode("/")
        }
        return RemoteEntry(node: SyncNode(node))
    }

    /// A page of the states that a node had, newest first.
    ///
    /// - Parameter before: `next` of the page before.
    /// - Throws: `unknown_node`.
    public func revisions(
        of node: NodeID, before: JID?, limit: Int, of text: String
    ) throws -> RevisionPage {
        let namespace = try namespace(text, for: .read)
        let limit = min(max(limit, 1), SyncLimits.maximumEntries)
        let entries = try namespaces.versions(
            of: node, in: namespace, before: before ?? .max, limit: limit)
        if entries.isEmpty, try namespaces.node(node, in: namespace) == nil {
            throw SyncFailure.unknownNode(node.text)
        }
        let revisions = try entries.map { entry in
            let device = entry.author.device ?? ""
            let name = try deviceName(device, in: namespace)
            return Revision(
                operation: "\(entry.operation)",
                entry: RemoteEntry(
                    node: SyncNode(entry.node), isDeleted: entry.node.isDeleted, device: device,
                    deviceName: name == device ? nil : name), time: entry.time)
        }
        return RevisionPage(
            revisions: revisions, next: entries.count < limit ? nil : entries.last.map(\.jid))
    }

    /// The content of a file after one of its revisions.
    public struct RevisionContent: Sendable {
        public let name: String
        public let root: CID
        /// In bytes.
        public let size: UInt64
        private let reader: UnixFSFileReader

        init(_ name: String, _ reader: UnixFSFileReader) {
            self.name = name
            self.reader = reader
            root = reader.root.cid
            size = reader.size
        }

        /// Reads a part of it.
        ///
        /// - Throws: what the store throws, and `UnixFSFileError`.
        public func bytes(_ range: Range<UInt64>) throws -> [UInt8] {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(Int(clamping: range.upperBound - range.lowerBound))
            try reader.read(range) { bytes.append(contentsOf: $0) }
            return bytes
        }
    }

    /// - Throws: `unknown_node` where the node never had such a revision, `history_removed`.
    public func content(of node: NodeID, revision: JID, of text: String) throws -> RevisionContent {
        let namespace = try namespace(text, for: .read)
        let state = try state(of: node, contentRevision: revision, in: namespace)
        guard let root = state.content else {
            throw NamespaceError.historyRemoved(node, revision)
        }
        let reader = try UnixFSFileReader(source: NamespaceBlocks(self.node, of: namespace), root: root)
        return RevisionContent(state.name, reader)
    }

    private func state(
        of node: NodeID, contentRevision: JID, in namespace: Namespace
    ) throws -> TreeNode {
        guard contentRevision > 0,
            let state = try namespaces.node(node, in: namespace, asOf: contentRevision),
            state.contentRevision == contentRevision, state.kind != .directory
        else { throw SyncFailure.unknownNode(node.text) }
        return state
    }

    /// Brings a file, or a tree, back to how it was, by new journal entries.
    ///
    /// - Throws: `forbidden` for who may not change what is there, `unknown_node`, `history_removed`,
    ///   `locked`, `conflict`, `mass_delete_blocked`.
    public func restore(_ request: RestoreRequest, of text: String) throws -> RestoreAnswer {
        let namespace = try changeable(text)
        switch request.scope {
        case .tree(let version, let path):
            let jid = try namespaces.pastJID(of: version, in: namespace)
            if !request.mayEmpty { try namespaces.requireContent(of: jid, path: path, in: namespace) }
            let done = try namespaces.restore(
                namespace.id, path: path, asOf: jid, bringingBackRules: request.bringsBackRules,
                author: author)
            return RestoreAnswer(head: done.head, entries: done.entries, kept: done.kept)
        case .file(let node, let revision):
            let state = try state(of: node, contentRevision: revision, in: namespace)
            let content: NodeContent
            if state.kind == .symlink {
                content = .symlink(state.target ?? "")
            } else if let root = state.content {
                content = .file(root, bytes: state.size)
            } else {
                throw NamespaceError.historyRemoved(node, revision)
            }
            return try put(content, on: node, in: namespace, modified: state.modified, mode: state.mode)
        }
    }

    /// The namespace for who may change what is there.
    func changeable(_ text: String) throws -> Namespace {
        _ = try namespace(text, for: .write)
        return try namespace(text, for: .delete)
    }

    /// Puts content in the place of what a node has now.
    func put(
        _ content: NodeContent, on node: NodeID, in namespace: Namespace, modified: Int64? = nil,
        mode: UInt32? = nil
    ) throws -> RestoreAnswer {
        guard let current = try namespaces.node(node, in: namespace) else {
            throw SyncFailure.unknownNode(node.text)
        }
        let put = TreeChange.Put(
            content, node: node,
            place: TreeChange.Place(parent: current.parent, name: current.name),
            base: current.contentRevision, attributes: .init(modified: modified, mode: mode))
        return try commit([.put(put)], in: namespace)
    }

    /// Does changes, all of them or none.
    ///
    /// - Throws: what they are refused with; `conflict` where somebody was quicker, `locked`.
    @discardableResult
    func commit(_ changes: [TreeChange], in namespace: Namespace) throws -> RestoreAnswer {
        let locks = try foreignLocks(in: namespace)
        for change in changes {
            if let lock = change.changedNode.flatMap({ locks[$0] }) { throw try locked(lock, namespace) }
        }
        var options = NamespaceStore.CommitOptions()
        options.isAtomic = true
        do {
            let done = try namespaces.commit(
                changes.map { TreeOperation($0) }, to: namespace.id,
                author: author, options: options)
            try node.follow(done.contents, from: namespace.visibility, to: done.visibility)
            return RestoreAnswer(head: done.head, entries: Int(done.head - done.previousHead))
        } catch NamespaceError.notAtomic(_, .refused(let refusal)) {
            throw SyncFailure(refusal)
        } catch NamespaceError.notAtomic(_, .conflict(let conflict, _)) {
            throw SyncFailure.refused(
                code: .conflict, message: "it changed at this moment (\(conflict.rawValue)); try again")
        }
    }
}
