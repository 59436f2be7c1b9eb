public import Multiformats
public import TreeValues

/// A directory of a namespace as UnixFS: the whole tree as of a JID, or one directory of the newest
/// snapshot.
public struct TreeSnapshot: Hashable, Sendable {
    public let jid: JID
    public let root: CID
    /// Bytes of all blocks below and of the root itself, counted once per link.
    public let dagBytes: Int64
    /// Unix milliseconds.
    public let time: Int64

    public init(jid: JID, root: CID, dagBytes: Int64, time: Int64) {
        self.jid = jid
        self.root = root
        self.dagBytes = dagBytes
        self.time = time
    }
}

/// Snapshots as rows, and back.
enum SnapshotRow {
    static let columns = "ns, jid, root, bytes, time, seal"
    static let directoryColumns = "ns, nid, jid, root, bytes, seal"

    static func values(_ snapshot: TreeSnapshot, in number: Int64) -> [SQLValue] {
        SealedColumns.values([
            .integer(number), .integer(snapshot.jid), .blob(snapshot.root.bytes),
            .integer(snapshot.dagBytes), .integer(snapshot.time),
        ])
    }

    static func snapshot(_ row: SQLRow) throws(CatalogError) -> TreeSnapshot {
        try SealedColumns.read(row, table: "tree_snapshots", keyColumns: 2) { row in
            TreeSnapshot(
                jid: try row.integer(1), root: try CID(bytes: row.blob(2)), dagBytes: try row.integer(3),
                time: try row.integer(4))
        }
    }

    static func values(_ directory: TreeSnapshot, of node: NodeID, in number: Int64) -> [SQLValue] {
        SealedColumns.values([
            .integer(number), .blob(node.bytes), .integer(directory.jid), .blob(directory.root.bytes),
            .integer(directory.dagBytes),
        ])
    }

    static func directory(_ row: SQLRow) throws(CatalogError) -> (NodeID, TreeSnapshot) {
        try SealedColumns.read(row, table: "tree_directories", keyColumns: 1) { row in
            guard let node = NodeID(bytes: try row.blob(1)) else { return nil }
            return (
                node,
                TreeSnapshot(
                    jid: try row.integer(2), root: try CID(bytes: row.blob(3)), dagBytes: try row.integer(4),
                    time: 0)
            )
        }
    }

    static func create(_ connection: any SQLConnection) throws {
        let bytes = connection.dialect.bytesType
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS tree_snapshots (
                ns BIGINT NOT NULL, jid BIGINT NOT NULL, root \(bytes) NOT NULL, bytes BIGINT NOT NULL,
                time BIGINT NOT NULL, seal BIGINT NOT NULL, PRIMARY KEY (ns, jid)
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS tree_directories (
                ns BIGINT NOT NULL, nid \(bytes) NOT NULL, jid BIGINT NOT NULL, root \(bytes) NOT NULL,
                bytes BIGINT NOT NULL, seal BIGINT NOT NULL, PRIMARY KEY (ns, nid)
            )\(connection.dialect.tableOptions)
            """)
    }
}
