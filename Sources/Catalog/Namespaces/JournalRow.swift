import Multiformats
import TreeValues

/// Journal entries as rows, and back.
enum JournalRow {
    static let columns = """
        ns, jid, nid, op, previous, from_parent, from_key, below, parent, name_key, kind, crev, deleted, \
        content, size, mtime, mode, target, meta, user_id, device, op_id, time, seal
        """
    static let count = 24

    /// The columns without the seal.
    static let fields = columns.split(separator: ",").dropLast().map { $0.filter { $0 != " " } }

    static func values(_ entry: JournalEntry, in number: Int64) -> [SQLValue] {
        let node = entry.node
        return SealedColumns.values([
            .integer(number), .integer(entry.jid), .blob(node.id.bytes), .integer(entry.operation.rawValue),
            .integer(entry.previous), entry.origin.map { .blob($0.parent.bytes) } ?? .null,
            .optional(entry.origin.map { TreeNode.nameKey($0.name, node.kind) }), .integer(entry.below),
            .blob(node.parent.bytes), .text(node.nameKey), .integer(node.kind.rawValue),
            .integer(node.contentRevision), .integer(node.isDeleted ? 1 : 0),
            node.content.map { .blob($0.bytes) } ?? .null, .integer(node.size), .integer(node.modified),
            .integer(node.mode.map(Int64.init) ?? -1), .optional(node.target), .text(node.meta),
            .optional(entry.author.user), .optional(entry.author.device),
            entry.author.operation.map { .blob($0.bytes) } ?? .null, .integer(entry.time),
        ])
    }

    static func entry(_ row: SQLRow) throws(CatalogError) -> JournalEntry {
        try SealedColumns.read(row, table: "tree_journal", keyColumns: 2) { try entry(fields: $0) }
    }

    /// Reads a row that this transaction wrote, whose seal may not be there yet.
    ///
    /// - Throws: `damagedRow` if the fields make no entry.
    static func unchecked(_ row: SQLRow) throws(CatalogError) -> JournalEntry {
        guard let entry = try? entry(fields: row) else {
            throw .damagedRow(table: "tree_journal", key: "?")
        }
        return entry
    }

    private static func entry(fields row: SQLRow) throws -> JournalEntry? {
        guard let id = NodeID(bytes: try row.blob(2)), let parent = NodeID(bytes: try row.blob(8)),
            let operation = JournalOperation(rawValue: try row.integer(3)),
            let kind = TreeNodeKind(rawValue: try row.integer(10))
        else { return nil }
        let jid = try row.integer(1)
        var node = TreeNode(
            id: id, kind: kind, parent: parent, name: TreeNodeRow.name(try row.text(9), kind),
            revision: jid, contentRevision: try row.integer(11))
        node.isDeleted = try row.integer(12) != 0
        node.content = try row.optionalBlob(13).map { try CID(bytes: $0) }
        node.size = try row.integer(14)
        node.modified = try row.integer(15)
        node.mode = UInt32(exactly: try row.integer(16))
        node.target = try row.optionalText(17)
        node.meta = try row.text(18)
        let origin: JournalEntry.Place? = try row.optionalBlob(5).flatMap { bytes in
            guard let from = NodeID(bytes: bytes) else { return nil }
            return JournalEntry.Place(parent: from, name: TreeNodeRow.name(try row.text(6), kind))
        }
        let author = ChangeAuthor(
            user: try row.optionalText(19), device: try row.optionalText(20),
            operation: try row.optionalBlob(21).flatMap(OperationID.init(bytes:)))
        return JournalEntry(
            jid: jid, operation: operation, node: node, previous: try row.integer(4), origin: origin,
            below: try row.integer(7), author: author, time: try row.integer(22))
    }

    static func create(_ connection: any SQLConnection) throws {
        let (text, bytes) = (connection.dialect.textType, connection.dialect.bytesType)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS tree_journal (
                ns BIGINT NOT NULL,
                jid BIGINT NOT NULL,
                nid \(bytes) NOT NULL,
                op BIGINT NOT NULL,
                previous BIGINT NOT NULL,
                from_parent \(bytes),
                from_key \(text),
                below BIGINT NOT NULL,
                parent \(bytes) NOT NULL,
                name_key \(text) NOT NULL,
                kind BIGINT NOT NULL,
                crev BIGINT NOT NULL,
                deleted BIGINT NOT NULL,
                content \(bytes),
                size BIGINT NOT NULL,
                mtime BIGINT NOT NULL,
                mode BIGINT NOT NULL,
                target \(text),
                meta \(text) NOT NULL,
                user_id \(text),
                device \(text),
                op_id \(bytes),
                time BIGINT NOT NULL,
                seal BIGINT NOT NULL,
                PRIMARY KEY (ns, jid)
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute(
            "CREATE INDEX IF NOT EXISTS tree_journal_by_node ON tree_journal (ns, nid, jid)")
        try connection.execute(
            "CREATE INDEX IF NOT EXISTS tree_journal_by_parent ON tree_journal (ns, parent, jid)")
        try connection.execute(
            """
            CREATE UNIQUE INDEX IF NOT EXISTS tree_journal_by_operation ON tree_journal (ns, op_id)
            WHERE op_id IS NOT NULL
            """)
    }
    /// Whatever was in a directory once, by name: a page of its children as of any JID, and a single one, are
    /// read off it without a look at the others.
    static func indexPlaces(_ connection: any SQLConnection) throws {
        try connection.execute("DROP INDEX IF EXISTS tree_journal_by_parent")
        try connection.execute(
            "CREATE INDEX tree_journal_by_parent ON tree_journal (ns, parent, name_key, jid)")
    }
}
