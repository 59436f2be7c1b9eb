public import Multiformats
public import TreeValues

/// A change that was not taken since somebody else was quicker: what it would have made, for people. Or a
/// conflict copy, which a device made of such a change: a file of its own.
public struct ConflictRecord: Hashable, Sendable {
    /// Why a conflict copy was made.
    public enum CopyReason: String, CaseIterable, Hashable, Sendable {
        case content = "copy"
        case letterCase = "case_copy"
        case unicodeForm = "unicode_copy"
    }

    /// Of the change: the same one sent again is the same conflict. 16 bytes.
    public let id: NodeID
    /// `Namespace.number`.
    public let namespace: Int64
    /// The node that was to change, or was in the way; of a copy the copy.
    public let node: NodeID
    /// Such as `stale`; see ``CopyReason`` for copies.
    public let reason: String
    /// What the file was to be called; of a copy its name.
    public let name: String
    /// The content revision that the change was based on; 0 for a new file.
    public let base: JID
    /// The content revision that was there.
    public let current: JID
    /// The content that was not taken, and its bytes.
    public let content: CID
    public let size: Int64
    public let device: String
    /// Unix milliseconds.
    public let time: Int64
    /// How it was decided; `nil` while it is open.
    public var resolution: String?

    public var isCopy: Bool { CopyReason(rawValue: reason) != nil }

    /// The resolution of a copy that is not there any more, or not by its name, and of which nobody said how
    /// it was decided.
    public static let gone = "gone"

    /// The most conflicts that are kept of one namespace; the oldest go first.
    public static let maximumPerNamespace = 1000

    public init(
        id: NodeID, namespace: Int64, node: NodeID, reason: String, name: String, base: JID, current: JID,
        content: CID, size: Int64, device: String, time: Int64
    ) {
        self.id = id
        self.namespace = namespace
        self.node = node
        self.reason = reason
        self.name = name
        self.base = base
        self.current = current
        self.content = content
        self.size = size
        self.device = device
        self.time = time
    }
}

/// Conflicts as rows, and back.
enum ConflictRow {
    static let columns = """
        ns, id, nid, reason, name, base, current_crev, content, size, device, time, resolution, seal
        """
    static let count = 13

    static func values(_ conflict: ConflictRecord) -> [SQLValue] {
        SealedColumns.values([
            .integer(conflict.namespace), .blob(conflict.id.bytes), .blob(conflict.node.bytes),
            .text(conflict.reason), .text(conflict.name), .integer(conflict.base),
            .integer(conflict.current), .blob(conflict.content.bytes), .integer(conflict.size),
            .text(conflict.device), .integer(conflict.time), .optional(conflict.resolution),
        ])
    }

    static func conflict(_ row: SQLRow) throws(CatalogError) -> ConflictRecord {
        try SealedColumns.read(row, table: "conflicts", keyColumns: 2) { row in
            guard let id = NodeID(bytes: try row.blob(1)), let node = NodeID(bytes: try row.blob(2)) else {
                return nil
            }
            var conflict = ConflictRecord(
                id: id, namespace: try row.integer(0), node: node, reason: try row.text(3),
                name: try row.text(4), base: try row.integer(5), current: try row.integer(6),
                content: try CID(bytes: row.blob(7)), size: try row.integer(8), device: try row.text(9),
                time: try row.integer(10))
            conflict.resolution = try row.optionalText(11)
            return conflict
        }
    }

    static func create(_ connection: any SQLConnection) throws {
        let (text, bytes) = (connection.dialect.textType, connection.dialect.bytesType)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS conflicts (
                ns BIGINT NOT NULL,
                id \(bytes) NOT NULL,
                nid \(bytes) NOT NULL,
                reason \(text) NOT NULL,
                name \(text) NOT NULL,
                base BIGINT NOT NULL,
                current_crev BIGINT NOT NULL,
                content \(bytes) NOT NULL,
                size BIGINT NOT NULL,
                device \(text) NOT NULL,
                time BIGINT NOT NULL,
                resolution \(text),
                seal BIGINT NOT NULL,
                PRIMARY KEY (ns, id)
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute(
            "CREATE INDEX IF NOT EXISTS conflicts_by_time ON conflicts (ns, time, id)")
    }
}
