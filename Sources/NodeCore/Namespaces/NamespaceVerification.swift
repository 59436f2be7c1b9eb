import BlockStorage
public import Catalog
import IPLD
public import Multiformats
import Namespaces
public import TreeValues

/// What a look through everything that a namespace needs has found so far.
public struct NamespaceVerificationReport: Sendable {
    /// Rows of the tree that were read, of deleted nodes too.
    public var nodes = 0
    /// Entries of the journal that were read.
    public var changes = 0
    public var snapshots = 0
    /// Different contents of files, in the newest state and in kept history.
    public var contents = 0
    /// Blocks that were read and hashed, each once.
    public var blocks = 0
    public var bytes: Int64 = 0
    /// Different blocks.
    public var missing = 0
    public var damaged = 0
    /// The first ``maximumFindings``; all are counted.
    public var findings: [Finding] = []
    public var findingCount = 0

    public static let maximumFindings = 200

    /// Something that is wrong.
    public struct Finding: Hashable, Sendable {
        /// What is wrong, as it stands in messages.
        public enum Kind: String, Sendable {
            case missing
            case damaged
            /// What its CID names, but not what its codec says.
            case unreadable
            /// A row of the catalog is not as it was written.
            case row
            /// The namespace says that it holds another number of files or bytes than there are.
            case counters
        }

        public let kind: Kind
        public let detail: String
        public let block: CID?
        /// What the block is of, as of ``version``; `nil` for a directory of a snapshot.
        public let path: String?
        public let version: JID?
    }
}

extension NamespaceVerificationReport.Finding: CustomStringConvertible {
    public var description: String {
        guard let block else { return detail }
        let state =
            switch kind {
            case .missing: "is missing"
            case .damaged: "is damaged"
            default: "cannot be read"
            }
        let place = path.map { "“\($0)”" } ?? "the snapshot"
        return "block \(block) of \(place) as of version \(version ?? 0) \(state)\(detail)"
    }
}

/// Reads and checks everything that the newest state and the kept history of a namespace need: the rows of
/// its tree and journal, and every block below the contents and snapshots that they name.
///
/// Done in slices, so that whoever asks may tell how far it is, stop, or hold no thread meanwhile. Memory: a
/// bit for each block of the store, a page of rows, the links on the way down a file, and the findings. Not
/// thread-safe.
public final class NamespaceVerification {
    public private(set) var report = NamespaceVerificationReport()

    private struct Root {
        let cid: CID
        let version: JID
        /// `nil` for the root of a snapshot.
        let node: NodeID?
    }

    private enum Stage {
        case counters
        case nodes(after: [UInt8])
        case journal(after: JID)
        case snapshots(after: JID)
        case done
    }

    /// What of blocks is looked at.
    public enum Depth: Sendable {
        /// Each is read and hashed, whatever was verified before.
        case everyByte
        /// Whether each is there, and what links say; for after a scrub, which has read all of them.
        case presence
    }

    private let node: StorageNode
    private let namespace: Namespace
    private let depth: Depth
    private let visited: VisitedBlocks
    /// Roots of contents, which may be parts of other contents as well.
    private let roots: VisitedBlocks
    private var stage = Stage.counters
    private var waiting: ArraySlice<Root> = []
    private var walk: (walker: DAGWalker, root: Root)?
    /// Blocks that were found wrong; beyond so many one may be counted again.
    private var wrong: Set<CID> = []
    private static let maximumWrong = 100_000
    /// So many rows are still to be read one by one, since one of them is damaged.
    private var singleRows = 0
    private static let pageRows = 1000

    init(_ node: StorageNode, _ namespace: Namespace, depth: Depth) {
        self.node = node
        self.namespace = namespace
        self.depth = depth
        visited = node.store.makeVisitedBlocks()
        roots = node.store.makeVisitedBlocks()
    }

    /// Goes on for a while.
    ///
    /// - Returns: whether everything was looked at.
    /// - Throws: what the catalog and the disk throw, besides damage, which is a finding.
    public func advance(for time: Duration = .milliseconds(200)) throws -> Bool {
        let end = ContinuousClock.now + time
        repeat {
            if case .done = stage, walk == nil, waiting.isEmpty { return true }
            try step()
        } while ContinuousClock.now < end
        return false
    }

    private func step() throws {
        if walk != nil { return try walkOn() }
        if let root = waiting.popFirst() { return try begin(root) }
        switch stage {
        case .counters:
            try checkCounters()
            stage = .nodes(after: [])
        case .nodes(let after): stage = try nodes(after)
        case .journal(let after): stage = try journal(after)
        case .snapshots(let after): stage = try snapshots(after)
        case .done: break
        }
    }

    // MARK: Rows

    private func read<T>(_ body: (TreeTables) throws -> T) throws -> T {
        try node.catalog.namespaces.database.read { try body(TreeTables($0, of: namespace)) }
    }

    private func checkCounters() throws {
        let (row, live) = try node.catalog.namespaces.database.read { connection in
            (
                try NamespaceRepository.find(namespace.id, connection),
                try TreeTables(connection, of: namespace).liveTotals()
            )
        }
        guard let row, row.nodes != live.nodes || row.bytes != live.bytes else { return }
        add(
            .counters,
            "the namespace counts \(row.nodes) nodes with \(row.bytes) bytes, and has \(live.nodes) with "
                + "\(live.bytes)")
    }

    /// A page of rows; `nil` where one of them is damaged, and they are to be read one by one.
    private func page<Row>(_ body: (TreeTables, Int) throws -> [Row]) throws -> [Row]? {
        let limit = singleRows > 0 ? 1 : Self.pageRows
        do {
            let rows = try read { try body($0, limit) }
            singleRows -= singleRows > 0 ? 1 : 0
            return rows
        } catch let error as CatalogError {
            guard case .damagedRow = error else { throw error }
            if limit == 1 {
                singleRows -= 1
                add(.row, error.description)
            } else {
                singleRows = Self.pageRows
            }
            return nil
        }
    }

    private func nodes(_ after: [UInt8]) throws -> Stage {
        let isSingle = singleRows > 0
        guard let rows = try page({ try $0.nodes(after: after, limit: $1) }) else {
            guard isSingle else { return .nodes(after: after) }
            return try read { try $0.nextNode(after: after) }.map { .nodes(after: $0) } ?? .journal(after: 0)
        }
        report.nodes += rows.count
        for node in rows where node.id == namespace.root {
            add(.row, "node \(node.id), called “\(node.name)”, has the id of the root")
        }
        return rows.last.map { .nodes(after: $0.id.bytes) } ?? .journal(after: 0)
    }

    private func journal(_ after: JID) throws -> Stage {
        let isSingle = singleRows > 0
        guard let rows = try page({ try $0.entries(after: after, limit: $1) }) else {
            guard isSingle else { return .journal(after: after) }
            return try read { try $0.nextEntry(after: after) }.map { .journal(after: $0) }
                ?? .snapshots(after: -1)
        }
        report.changes += rows.count
        waiting =
            rows.compactMap { entry in
                entry.node.content.map { Root(cid: $0, version: entry.jid, node: entry.node.id) }
            }[...]
        return rows.last.map { .journal(after: $0.jid) } ?? .snapshots(after: -1)
    }

    private func snapshots(_ after: JID) throws -> Stage {
        let rows = try read { try $0.snapshotRoots(after: after, limit: Self.pageRows) }
        report.snapshots += rows.count
        waiting = rows.map { Root(cid: $0.root, version: $0.jid, node: nil) }[...]
        return rows.last.map { .snapshots(after: $0.jid) } ?? .done
    }

    // MARK: Blocks

    private func begin(_ root: Root) throws {
        if root.node != nil {
            switch try roots.visit(root.cid) {
            case .newlyMarked: report.contents += 1
            case .absent: report.contents += wrong.contains(root.cid) ? 0 : 1
            case .markedBefore: return
            }
        }
        let visited = visited
        walk = (DAGWalker(root: root.cid) { try visited.decision(on: $0) }, root)
    }

    private func walkOn() throws {
        guard let root = walk?.root else { return }
        do {
            // In place: its stack is not copied.
            guard let step = try walk?.walker.next(load: load) else {
                walk = nil
                return
            }
            switch step {
            case .block(let block, _): count(block)
            case .leaf(let cid, _) where depth == .presence:
                if try node.store.size(of: cid) == nil { try note(.missing, cid, root) }
            case .leaf(let cid, _), .missing(let cid, _):
                if let block = try load(cid) {
                    count(block)
                } else {
                    try note(.missing, cid, root)
                }
            }
        } catch DAGWalkError.unreadable(let cid, let reason) {
            try note(.unreadable, cid, root, ": " + reason)
        } catch let error as BlockStoreError {
            guard case .damaged(let cid, let pack, let offset) = error else { throw error }
            node.damage.note(error)
            try note(.damaged, cid, root, " (pack \(pack), byte \(offset))")
        }
    }

    private func load(_ cid: CID) throws -> Block? {
        switch depth {
        case .everyByte: try node.store.checkedBlock(cid)
        case .presence: try node.store.block(cid)
        }
    }

    private func count(_ block: Block) {
        guard !block.cid.isIdentity else { return }
        report.blocks += 1
        report.bytes += Int64(block.bytes.count)
    }

    private func note(
        _ kind: NamespaceVerificationReport.Finding.Kind, _ cid: CID, _ root: Root, _ detail: String = ""
    ) throws {
        guard !wrong.contains(cid), try isKept(root) else { return }
        if wrong.count < Self.maximumWrong { wrong.insert(cid) }
        if kind == .missing { report.missing += 1 } else { report.damaged += 1 }
        let path = try root.node.flatMap {
            try node.namespaces.path(of: $0, in: namespace, asOf: root.version)
        }
        add(kind, detail, block: cid, path: path, version: root.version)
    }

    /// What the policy let go of while this goes on is not missed.
    private func isKept(_ root: Root) throws -> Bool {
        try read { tables in
            root.node == nil
                ? try tables.snapshotRoots(after: root.version - 1, limit: 1).first?.root == root.cid
                : try tables.entry(root.version)?.node.content == root.cid
        }
    }

    private func add(
        _ kind: NamespaceVerificationReport.Finding.Kind, _ detail: String, block: CID? = nil,
        path: String? = nil, version: JID? = nil
    ) {
        report.findingCount += 1
        guard report.findings.count < NamespaceVerificationReport.maximumFindings else { return }
        report.findings.append(
            .init(kind: kind, detail: detail, block: block, path: path, version: version))
    }
}

extension StorageNode {
    /// A look through everything that a namespace needs, which has not begun.
    public func verification(
        of namespace: Namespace, depth: NamespaceVerification.Depth = .everyByte
    ) -> NamespaceVerification {
        NamespaceVerification(self, namespace, depth: depth)
    }
}
