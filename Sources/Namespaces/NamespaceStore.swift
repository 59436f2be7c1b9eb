public import Catalog
import Foundation
public import Multiformats
import Synchronization
public import TreeValues

/// The trees of the namespaces: changes, and what was and is there.
///
/// Owns nothing but what ``MassDeleteGuard`` and ``ChangeFeed`` hold in memory: trees and journals are rows
/// of the catalog, content is blocks. A change that returned survives power loss; the blocks that it names
/// must survive it before. Thread-safe and synchronous.
public final class NamespaceStore: Sendable {
    package let catalog: CatalogDatabase
    let massDeletes = MassDeleteGuard()
    let snapshotLocks = SnapshotLocks()
    let readerBudget = Mutex(ReaderBudget())
    let nodeIDs = NodeIDGenerator()
    /// Tells who waits that a namespace changed.
    public let feed = ChangeFeed()

    /// The most operations of one commit.
    public static let maximumOperations = 10_000

    public init(catalog: CatalogDatabase) { self.catalog = catalog }

    /// Unix milliseconds.
    public var currentTime: Int64 { catalog.namespaces.now() }

    /// Makes an empty namespace.
    ///
    /// - Throws: `CatalogError.duplicateNamespace`, `nameTooLong`.
    public func create(
        _ name: String, project: ProjectID, visibility: NamespaceVisibility = .private,
        policy: NamespacePolicy = NamespacePolicy()
    ) throws -> Namespace {
        try catalog.namespaces.add(name: name, project: project, visibility: visibility, policy: policy.json)
    }

    /// The namespace of a name or an id.
    ///
    /// - Throws: `unknownNamespace`, also for one that is deleted.
    public func namespace(_ text: String) throws -> Namespace {
        // A database may take what is before a NUL for all of it.
        guard !text.utf8.contains(0) else { throw NamespaceError.unknownNamespace(text) }
        if let found = try catalog.namespaces.namespace(named: text) { return found }
        guard let id = try? NamespaceID(text: text), let found = try catalog.namespaces.namespace(id),
            found.deleted == nil
        else { throw NamespaceError.unknownNamespace(text) }
        return found
    }

    /// Begins a new epoch: every client finds that the journal is another one than it knows, reads the tree
    /// and compares. Nothing is deleted because of it, on either side.
    ///
    /// - Throws: `unknownNamespace`.
    public func renewEpoch(of id: NamespaceID) throws -> Namespace {
        let changed = try catalog.namespaces.change(id) { namespace in
            guard namespace.deleted == nil else { throw NamespaceError.unknownNamespace(id.text) }
            var epoch = namespace.epoch
            while epoch == namespace.epoch { epoch = Int64.random(in: 1 ... .max) }
            namespace.epoch = epoch
        }
        guard let changed else { throw NamespaceError.unknownNamespace(id.text) }
        // Who waits for changes looks, and sees.
        feed.notify(id)
        return changed
    }

    /// How a commit is to be done.
    public struct CommitOptions: Sendable {
        /// The epoch that the client knows; `nil` for changes that do not depend on an earlier look.
        public var epoch: Int64?
        /// All operations, or none.
        public var isAtomic = false
        /// Whether a device may remove any number of nodes at once.
        public var allowsMassDelete = false
        /// Whether what is new gets a name of its own where somebody else brought in what is called so: for
        /// who must not learn what is there.
        public var hidesNames = false

        public init() {}
    }

    /// What a commit did.
    public struct CommitResult: Hashable, Sendable {
        /// One for each operation.
        public let outcomes: [ChangeOutcome]
        public let head: JID
        /// The head before, so that a client sees whether others changed anything meanwhile.
        public let previousHead: JID
        public let epoch: Int64
        /// Who may read the namespace, as of the commit: not as of when its blocks were put.
        public let visibility: NamespaceVisibility

        /// Of the files that are as they were asked for.
        public var contents: [CID] {
            outcomes.compactMap { if case .done(let node, _) = $0 { node.content } else { nil } }
        }
    }

    /// Does operations in order, in one transaction.
    ///
    /// Each goes through, or does not, on its own, and is seen by those after it.
    ///
    /// - Throws: `unknownNamespace`, `epochChanged`, `tooManyOperations`, `notAtomic` (nothing was changed
    ///   then), and what the catalog throws.
    public func commit(
        _ operations: [TreeOperation], to id: NamespaceID, author: ChangeAuthor,
        options: CommitOptions = CommitOptions()
    ) throws -> CommitResult {
        guard operations.count <= Self.maximumOperations else {
            throw NamespaceError.tooManyOperations(operations.count, maximum: Self.maximumOperations)
        }
        let time = catalog.namespaces.now()
        let device = author.device ?? ""
        let (result, removed) = try catalog.namespaces.database.write { connection in
            try write(operations, to: try live(id, connection), connection, author, options, at: time)
        }
        massDeletes.note(removed, by: device, from: id, at: time)
        if result.head != result.previousHead { feed.notify(id) }
        return result
    }

    /// Does operations within a transaction.
    ///
    /// - Returns: also how many nodes were removed.
    private func write(
        _ operations: [TreeOperation], to namespace: Namespace, _ connection: any SQLConnection,
        _ author: ChangeAuthor, _ options: CommitOptions, at time: Int64
    ) throws -> (CommitResult, removed: Int64) {
        if let epoch = options.epoch, epoch != namespace.epoch {
            throw NamespaceError.epochChanged(expected: epoch, actual: namespace.epoch)
        }
        let limit =
            MassDeleteGuard.limit(of: namespace.nodes)
            - massDeletes.removed(by: author.device ?? "", from: namespace.id, at: time)
        var agreement = RemovalAgreement(
            massDeletes: massDeletes, namespace: namespace, author: author,
            deleted: Set(operations.compactMap(\.deletedNode)), time: time)
        var commit = try TreeCommit(
            namespace, connection, author: author, time: time,
            removalLimit: options.allowsMassDelete ? .max : limit, isConfirmed: agreement.isConfirmed,
            makeNode: { self.nodeIDs.next(now: time) })
        commit.hidesNames = options.hidesNames
        let outcomes: [ChangeOutcome]
        do {
            outcomes = try commit.apply(operations, isAtomic: options.isAtomic)
        } catch NamespaceError.notAtomic(let index, let outcome) {
            throw NamespaceError.notAtomic(index: index, agreement.withToken(outcome))
        }
        let changed = try commit.save()
        let result = CommitResult(
            outcomes: outcomes.map { agreement.withToken($0) }, head: changed.head,
            previousHead: namespace.head, epoch: namespace.epoch, visibility: namespace.visibility)
        return (result, commit.removed)
    }

    /// The namespace of that id that is not deleted, within a transaction.
    func live(_ id: NamespaceID, _ connection: any SQLConnection) throws -> Namespace {
        guard let namespace = try NamespaceRepository.find(id, connection), namespace.deleted == nil else {
            throw NamespaceError.unknownNamespace(id.text)
        }
        return namespace
    }
}

extension TreeOperation {
    /// The node that it removes; `nil` if it is no removal.
    fileprivate var deletedNode: NodeID? { if case .delete(let id, _, _) = change { id } else { nil } }
}

/// What a person agrees to, of all that one commit would remove.
private struct RemovalAgreement {
    let massDeletes: MassDeleteGuard
    let namespace: Namespace
    let author: ChangeAuthor
    /// Nodes that the commit deletes.
    let deleted: Set<NodeID>
    /// Unix milliseconds.
    let time: Int64
    /// One for all refusals of the commit, once there is one.
    private var token: String?

    init(
        massDeletes: MassDeleteGuard, namespace: Namespace, author: ChangeAuthor, deleted: Set<NodeID>,
        time: Int64
    ) {
        self.massDeletes = massDeletes
        self.namespace = namespace
        self.author = author
        self.deleted = deleted
        self.time = time
    }

    private func removals(_ count: Int64) -> MassDeleteGuard.Removals {
        .init(
            namespace: namespace.id, epoch: namespace.epoch, author: author, nodes: deleted, count: count)
    }

    /// Whether a token is an agreement to the removal of a node, among so many in all.
    func isConfirmed(_ token: String, _ node: NodeID, _ count: Int64) -> Bool {
        massDeletes.accepts(token, for: node, of: count, removals(count), at: time)
    }

    /// Gives a refusal that asks for an agreement the token to agree with.
    mutating func withToken(_ outcome: ChangeOutcome) -> ChangeOutcome {
        guard case .refused(.massDelete(let count, _)) = outcome else { return outcome }
        let shown = token ?? massDeletes.makeToken(for: removals(count), at: time)
        token = shown
        return .refused(.massDelete(nodes: count, token: shown))
    }
}
