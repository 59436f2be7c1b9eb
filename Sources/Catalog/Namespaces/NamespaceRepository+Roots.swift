public import Multiformats
import TreeValues

/// A root that a namespace keeps.
public struct NamespaceRoot: Hashable, Sendable {
    public let cid: CID
    /// The name of the namespace.
    public let name: String
    public let project: ProjectID
    public let visibility: NamespaceVisibility
}

extension NamespaceRepository {
    /// How far ``forEachRoot(_:since:_:)`` has come.
    public struct RootMarks: Hashable, Sendable {
        var journal: [Int64: JID] = [:]
        var snapshots: [Int64: JID] = [:]

        public init() {}
    }

    /// Visits the roots that namespaces keep: of the content of nodes as every journal entry that still has
    /// it left them, and of snapshots. Deleted namespaces keep theirs until they are removed for good.
    ///
    /// Reads pages, so that changes go on meanwhile. A root comes as often as it stands there.
    ///
    /// - Parameters:
    ///   - visibility: only those of namespaces that are public, or private.
    ///   - marks: what was visited before, which is passed over; what is visited is added.
    public func forEachRoot(
        _ visibility: NamespaceVisibility? = nil, since marks: inout RootMarks,
        _ body: (NamespaceRoot) throws -> Void
    ) throws {
        var last: NamespaceID?
        while true {
            let page = try list(includingDeleted: true, after: last, limit: Self.maximumPage)
            for namespace in page where visibility == nil || namespace.visibility == visibility {
                try forEachRoot(of: namespace, since: &marks, body)
            }
            guard page.count == Self.maximumPage else { return }
            last = page.last?.id
        }
    }

    /// Visits the roots that one namespace keeps: see ``forEachRoot(_:since:_:)``.
    public func forEachRoot(
        of namespace: Namespace, since marks: inout RootMarks, _ body: (NamespaceRoot) throws -> Void
    ) throws {
        // Before the journal: a snapshot that is made from here on is of content that is visited.
        try forEachRoot("tree_snapshots", "root", of: namespace, &marks.snapshots, body)
        try forEachRoot("tree_journal", "content", of: namespace, &marks.journal, body)
    }

    private func forEachRoot(
        _ table: String, _ column: String, of namespace: Namespace, _ marks: inout [Int64: JID],
        _ body: (NamespaceRoot) throws -> Void
    ) throws {
        let limit = 5000
        while true {
            let rows = try database.read { connection in
                try connection.rows(
                    """
                    SELECT jid, \(column) FROM \(table) WHERE ns = $1 AND jid > $2 ORDER BY jid LIMIT \(limit)
                    """, [.integer(namespace.number), .integer(marks[namespace.number] ?? -1)])
            }
            for row in rows {
                guard let bytes = try row.optionalBlob(1) else { continue }
                try body(
                    NamespaceRoot(
                        cid: try CID(bytes: bytes), name: namespace.name, project: namespace.project,
                        visibility: namespace.visibility))
            }
            if let end = try rows.last?.integer(0) { marks[namespace.number] = end }
            guard rows.count == limit else { return }
        }
    }
}
