import Access
import BlockStorage
import Catalog
import Digests
import Multiformats
import Namespaces
import NodeCore
public import SyncProtocol
public import TreeValues

/// The register of changes that were not taken since another one was there first.
extension SyncService {
    /// Newest first: the open ones, or all that are kept.
    public func conflicts(includingResolved: Bool, of text: String) throws -> ConflictList {
        let namespace = try namespace(text, for: .read)
        return ConflictList(
            try node.catalog.conflicts.list(of: namespace, includingResolved: includingResolved)
                .map { try info($0, namespace) })
    }

    /// Notes how a conflict was decided, and does it: to keep what was not taken puts it in the place of what is
    /// there, and a conflict copy goes to the trash unless both are kept.
    ///
    /// - Throws: `unknown_conflict`, `unknown_block` where its content is not held any more, and what a
    ///   change of the file is refused with.
    public func resolve(
        _ id: NodeID, _ resolution: ConflictResolution, of text: String
    ) throws -> ConflictInfo {
        let namespace = try changeable(text)
        guard let conflict = try node.catalog.conflicts.conflict(id, of: namespace) else {
            throw SyncFailure.unknownConflict(id.text)
        }
        if conflict.isCopy {
            try decide(conflict, resolution.keep, in: namespace)
        } else if resolution.keep == .mine {
            // Held off the collector until the journal names it.
            let lease = try node.beginLease()
            defer { lease.end() }
            let blocks = try NamespaceBlocks(node, of: namespace)
            guard let leaves = try FileLeaves.list(conflict.content, in: blocks),
                try blocks.adopt(leaves.map(\.cid) + [conflict.content]).isEmpty
            else { throw SyncFailure.unknownBlock(conflict.content.description) }
            try blocks.commit()
            _ = try put(
                .file(conflict.content, bytes: conflict.size), on: conflict.node, in: namespace)
        }
        guard
            let resolved = try node.catalog.conflicts.resolve(
                id, of: namespace, resolution.keep.rawValue)
        else { throw SyncFailure.unknownConflict(id.text) }
        return try info(resolved, namespace)
    }

    /// Does with a conflict copy what was decided. One that is not there any more, or not by its name, was
    /// decided about by somebody else: nothing is done.
    private func decide(
        _ conflict: ConflictRecord, _ choice: ConflictResolution.Choice, in namespace: Namespace
    ) throws {
        guard choice != .both, let copy = try namespaces.node(conflict.node, in: namespace),
            !copy.isDeleted, copy.name == conflict.name, let name = ConflictName(copy.name)
        else { return }
        guard choice == .mine else {
            try commit([.delete(copy.id, base: copy.revision, newestBelow: 0)], in: namespace)
            return
        }
        guard let other = try namespaces.child(like: name.original, of: copy.parent, in: namespace) else {
            let place = TreeChange.Place(parent: copy.parent, name: name.original)
            try commit([.move(copy.id, to: place, base: copy.revision)], in: namespace)
            return
        }
        guard other.kind == .file, let content = copy.content else {
            throw SyncFailure.refused(
                code: .kindMismatch,
                message: "\(other.name) is no file: rename one of the two")
        }
        let put = TreeChange.Put(
            .file(content, bytes: copy.size), node: other.id, base: other.contentRevision,
            attributes: .init(modified: copy.modified, mode: copy.mode))
        try commit(
            [.put(put), .delete(copy.id, base: copy.revision, newestBelow: 0)], in: namespace)
    }

    /// Notes what a commit did not take, conflict copies that came with it, and that it put elsewhere what an
    /// earlier one did not.
    func noteConflicts(
        _ operations: [TreeOperation], _ outcomes: [ChangeOutcome], in namespace: Namespace
    ) throws {
        let made = zip(operations, outcomes).compactMap { operation, outcome -> TreeNode? in
            guard operation.change.onlyCreates, case .done(let made, isNew: true) = outcome else {
                return nil
            }
            return made
        }
        let copies = made.compactMap { ConflictCopy($0, madeBy: device) }
        hub.tally.note(copies)
        let time = node.catalog.namespaces.currentTime
        let refused = zip(operations, outcomes).compactMap {
            record(ofRefused: $0, $1, in: namespace, at: time)
        }
        let copied = copies.compactMap { record(of: $0, in: namespace, at: time) }
        try node.catalog.conflicts.add(refused + copied)
        guard refused.isEmpty else { return hub.noteConflicts(in: namespace) }
        guard hub.mayHaveConflicts(namespace) else { return }
        let contents = Set(made.compactMap(\.content))
        if !contents.isEmpty, try !node.catalog.conflicts.settle(contents, of: device, in: namespace) {
            hub.forgetConflicts(in: namespace)
        }
    }

    /// Content that was not taken; `nil` for what went through, and for changes of anything else.
    private func record(
        ofRefused operation: TreeOperation, _ outcome: ChangeOutcome, in namespace: Namespace, at time: Int64
    ) -> ConflictRecord? {
        guard case .conflict(let conflict, let current) = outcome, case .put(let put) = operation.change,
            case .file(let root, let size) = put.content, let node = current?.id ?? put.node
        else { return nil }
        return ConflictRecord(
            id: Self.conflictID(node, put.base ?? 0, root, device), namespace: namespace.number,
            node: node, reason: conflict.rawValue, name: put.place?.name ?? current?.name ?? "",
            base: put.base ?? 0, current: current?.contentRevision ?? 0, content: root, size: size,
            device: device, time: time)
    }

    private func record(
        of copy: ConflictCopy, in namespace: Namespace, at time: Int64
    ) -> ConflictRecord? {
        guard let content = copy.node.content else { return nil }
        return ConflictRecord(
            id: Self.conflictID(copy.node.id, 0, content, device), namespace: namespace.number,
            node: copy.node.id, reason: copy.reason.rawValue, name: copy.node.name, base: 0,
            current: copy.node.contentRevision, content: content, size: copy.node.size,
            device: device, time: time)
    }

    /// The same change has the same id, however often it is sent.
    private static func conflictID(_ node: NodeID, _ base: JID, _ root: CID, _ device: String) -> NodeID {
        let text = "\(node.text) \(base) \(root) \(device)"
        let digest = Array(text.utf8).withUnsafeBytes { Multihash.sha256(of: $0).digest }
        return NodeID(bytes: Array(digest.prefix(16))) ?? node
    }

    private func info(_ conflict: ConflictRecord, _ namespace: Namespace) throws -> ConflictInfo {
        let name = try deviceName(conflict.device, in: namespace)
        return ConflictInfo(
            id: conflict.id, node: conflict.node, reason: conflict.reason, name: conflict.name,
            base: conflict.base, current: conflict.current, content: conflict.content, size: conflict.size,
            device: conflict.device, deviceName: name == conflict.device ? nil : name, time: conflict.time,
            resolution: conflict.resolution,
            path: try namespaces.path(of: conflict.node, in: namespace))
    }
}

extension ConflictCopy {
    /// As the register has it.
    fileprivate var reason: ConflictRecord.CopyReason {
        switch name.reason {
        case .content: .content
        case .letterCase: .letterCase
        case .unicodeForm: .unicodeForm
        }
    }
}
