import Access
public import Catalog
import IPLD
import Multiformats
import Namespaces
import NodeCore
import SyncProtocol
import TreeValues

/// Files that are being sent: what `list`, `wait`, `leaves` and `retrieve` have to say of them.
extension SyncService {
    // MARK: Coming and going

    /// Offers files whose leaves are not all here to others, if nothing in the namespace is against them.
    func offer(_ files: [CommitPreparation.LackingFile], in namespace: Namespace) throws {
        guard rates.inflightSeconds > 0, !files.isEmpty else { return }
        let mayRead = principal.mayPerform(.read, on: namespace.resource)
        for file in files {
            let node = file.node
            guard let root = node.content else { continue }
            let draft = InflightTable.Draft(
                key: InflightTable.Key(node: node.id, device: device), user: principal.user?.text,
                seesOnlyOwn: !mayRead,
                parent: node.parent, name: node.name, root: root, size: node.size, leaves: file.leaves,
                missing: file.missing)
            let known = try namespaces.node(node.id, in: namespace)
            // What is bound to be a conflict will not be committed.
            let isBased = known.map { $0.isDeleted || $0.contentRevision == file.base } ?? true
            guard isBased, try isFree(draft, in: namespace) else { continue }
            hub.inflight.offer(
                draft, in: namespace.id, revision: known?.revision ?? 0, head: namespace.head,
                seconds: rates.inflightSeconds)
        }
    }

    /// Whether the file has a directory to be in, and no other has its name there.
    private func isFree(_ draft: InflightTable.Draft, in namespace: Namespace) throws -> Bool {
        if draft.parent != namespace.root {
            guard let parent = try namespaces.node(draft.parent, in: namespace), !parent.isDeleted else {
                return false
            }
        }
        let other = try namespaces.child(draft.name, of: draft.parent, in: namespace)
        return other == nil || other?.id == draft.key.node
    }

    /// What is offered in a namespace, and nothing in the journal is against: whatever door a change came
    /// by, the node or another of its name ends the offer.
    func offers(in namespace: Namespace) throws -> [InflightTable.Offer] {
        try hub.inflight.offers(in: namespace.id).filter { offer in
            guard offer.checkedHead != namespace.head else { return true }
            let known = try namespaces.node(offer.draft.key.node, in: namespace)
            guard known?.revision ?? 0 == offer.revision, try isFree(offer.draft, in: namespace) else {
                hub.inflight.drop(offer, in: namespace.id)
                return false
            }
            hub.inflight.confirm(offer, in: namespace.id, upTo: namespace.head)
            return true
        }
    }

    // MARK: Reading

    /// Files that others send.
    ///
    /// - Parameter own: the user whose files are to be seen where others are not.
    func inflight(in namespace: Namespace, own: String?) throws -> [InflightFile] {
        try offers(in: namespace).filter { isShown($0, own: own) }.map { offer in
            let draft = offer.draft
            let name = try deviceName(draft.key.device, in: namespace)
            return InflightFile(
                node: draft.key.node, parent: draft.parent, name: draft.name, device: draft.key.device,
                deviceName: name == draft.key.device ? nil : name, size: draft.size, root: draft.root,
                leaves: draft.leaves.count, arrived: offer.arrived,
                seconds: Int(clamping: hub.inflight.timeLeft(offer) / 1000))
        }.sorted { $0.node < $1.node }
    }

    /// What a device sends itself is nothing that it wants to read.
    private func isShown(_ offer: InflightTable.Offer, own: String?) -> Bool {
        (own == nil || offer.draft.user == own) && (device.isEmpty || offer.draft.key.device != device)
    }

    /// The newest mark of what others send; `nil` if nothing is beyond `mark`.
    func inflightMark(of namespace: NamespaceID, beyond mark: Int64, own: String?) -> Int64? {
        let newest = hub.inflight.offers(in: namespace).filter { isShown($0, own: own) }.map(\.mark).max()
        return newest.flatMap { $0 > mark ? $0 : nil }
    }

    /// The newest mark of a namespace that may be read, for who listens; `nil` if nothing is beyond `mark`.
    public func inflightMark(of key: NamespaceKey, beyond mark: Int64) -> Int64? {
        inflightMark(of: key, beyond: mark, own: nil)
    }

    /// The leaves of a file that is offered.
    func offeredLeaves(of root: CID, in namespace: Namespace, own: String?) throws -> [Leaf]? {
        try offers(in: namespace).first {
            $0.draft.root == root && (own == nil || $0.draft.user == own)
        }?.draft.leaves
    }

    /// Blocks of files that are offered, for who may read the namespace and not all of its project. They
    /// can be read as long as they are offered.
    struct OfferedBlocks {
        private let offers: [InflightTable.Offer]
        private let blocks: NamespaceBlocks

        init(_ service: SyncService, _ namespace: Namespace, own: String?) throws {
            offers = try service.offers(in: namespace).filter { own == nil || $0.draft.user == own }
            // What a file that was offered names is the project's: a commit found it there, or it came.
            blocks = try NamespaceBlocks(service.node, of: namespace)
        }

        func block(_ cid: CID) throws -> Block? {
            guard offers.contains(where: { $0.has(cid) }) else { return nil }
            return try blocks.block(cid)
        }
    }
}
