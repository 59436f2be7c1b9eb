import Multiformats
import TreeValues

/// Nodes of trees as rows, and back.
enum TreeNodeRow {
    static let columns = """
        ns, nid, parent, name_key, folded, kind, rev, crev, deleted, content, size, mtime, mode, target, \
        meta, seal
        """
    static let count = 16

    static func values(_ node: TreeNode, in number: Int64) -> [SQLValue] {
        SealedColumns.values([
            .integer(number), .blob(node.id.bytes), .blob(node.parent.bytes), .text(node.nameKey),
            .optional(node.folded), .integer(node.kind.rawValue), .integer(node.revision),
            .integer(node.contentRevision), .integer(node.isDeleted ? 1 : 0),
            node.content.map { .blob($0.bytes) } ?? .null, .integer(node.size), .integer(node.modified),
            .integer(node.mode.map(Int64.init) ?? -1), .optional(node.target), .text(node.meta),
        ])
    }

    static func node(_ row: SQLRow) throws(CatalogError) -> TreeNode {
        try SealedColumns.read(row, table: "tree_nodes", keyColumns: 2) { row in
            guard let id = NodeID(bytes: try row.blob(1)), let parent = NodeID(bytes: try row.blob(2)),
                let kind = TreeNodeKind(rawValue: try row.integer(5))
            else { return nil }
            var node = TreeNode(
                id: id, kind: kind, parent: parent, name: name(try row.text(3), kind),
                revision: try row.integer(6), contentRevision: try row.integer(7))
            node.folded = try row.optionalText(4)
            node.isDeleted = try row.integer(8) != 0
            node.content = try row.optionalBlob(9).map { try CID(bytes: $0) }
            node.size = try row.integer(10)
            node.modified = try row.integer(11)
            node.mode = UInt32(exactly: try row.integer(12))
            node.target = try row.optionalText(13)
            node.meta = try row.text(14)
            return node
        }
    }

    /// The name in a name key.
    static func name(_ key: String, _ kind: TreeNodeKind) -> String {
        kind == .directory ? String(key.utf8.dropLast()) ?? key : key
    }

    static func create(_ connection: any SQLConnection) throws {
        let (text, bytes) = (connection.dialect.textType, connection.dialect.bytesType)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS tree_nodes (
                ns BIGINT NOT NULL,
                nid \(bytes) NOT NULL,
                parent \(bytes) NOT NULL,
                name_key \(text) NOT NULL,
                folded \(text),
                kind BIGINT NOT NULL CHECK (kind IN (1, 2, 3)),
                rev BIGINT NOT NULL,
                crev BIGINT NOT NULL,
                deleted BIGINT NOT NULL,
                content \(bytes),
                size BIGINT NOT NULL,
                mtime BIGINT NOT NULL,
                mode BIGINT NOT NULL,
                target \(text),
                meta \(text) NOT NULL,
                seal BIGINT NOT NULL,
                PRIMARY KEY (ns, nid)
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute(
            """
            CREATE UNIQUE INDEX IF NOT EXISTS tree_nodes_by_name ON tree_nodes (ns, parent, name_key)
            WHERE deleted = 0
            """)
        try connection.execute(
            """
            CREATE UNIQUE INDEX IF NOT EXISTS tree_nodes_by_folded_name ON tree_nodes (ns, parent, folded)
            WHERE deleted = 0 AND folded IS NOT NULL
            """)
    }
}
