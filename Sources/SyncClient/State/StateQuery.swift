import Glibc
import Multiformats
import SyncProtocol
import TreeValues

/// The statements that are kept prepared.
enum StateQuery: Int, CaseIterable {
    case nodeRemote, nodeLocal, nodeSynced
    case childrenRemote, childrenLocal, childrenSynced
    case childRemote, childLocal, childSynced
    case putRemote, putLocal, putSynced
    case removeRemote, removeLocal, removeSynced
    case insertUnsettled, deleteUnsettled, unsettled, unsettledAfter
    case stamp, setStamp, localNodes, localChildren, putScanned
    case changeID, changeParent
    case conflicts

    static func node(_ tree: TreeName) -> Self { [.nodeRemote, .nodeLocal, .nodeSynced][tree.rawValue] }
    static func children(_ tree: TreeName) -> Self {
        [.childrenRemote, .childrenLocal, .childrenSynced][tree.rawValue]
    }
    static func child(_ tree: TreeName) -> Self { [.childRemote, .childLocal, .childSynced][tree.rawValue] }
    static func put(_ tree: TreeName) -> Self { [.putRemote, .putLocal, .putSynced][tree.rawValue] }
    static func remove(_ tree: TreeName) -> Self {
        [.removeRemote, .removeLocal, .removeSynced][tree.rawValue]
    }

    var sql: String {
        switch self {
        case .nodeRemote: Self.select("remote", "nid = ?1")
        case .nodeLocal: Self.select("local", "nid = ?1")
        case .nodeSynced: Self.select("synced", "nid = ?1")
        case .childrenRemote: Self.select("remote", "parent = ?1")
        case .childrenLocal: Self.select("local", "parent = ?1")
        case .childrenSynced: Self.select("synced", "parent = ?1")
        case .childRemote: Self.select("remote", "parent = ?1 AND key = ?2")
        case .childLocal: Self.select("local", "parent = ?1 AND key = ?2")
        case .childSynced: Self.select("synced", "parent = ?1 AND key = ?2")
        case .putRemote: Self.upsert("remote", [])
        case .putLocal: Self.upsert("local", [])
        case .putSynced: Self.upsert("synced", [])
        case .putScanned: Self.upsert("local", Self.stampColumns)
        case .removeRemote: "DELETE FROM remote WHERE nid = ?1"
        case .removeLocal: "DELETE FROM local WHERE nid = ?1"
        case .removeSynced: "DELETE FROM synced WHERE nid = ?1"
        case .insertUnsettled: "INSERT INTO unsettled (nid) VALUES (?1) ON CONFLICT DO NOTHING"
        case .deleteUnsettled: "DELETE FROM unsettled WHERE nid = ?1"
        case .unsettled: "SELECT nid FROM unsettled ORDER BY nid LIMIT ?1"
        case .unsettledAfter: "SELECT nid FROM unsettled WHERE nid > ?2 ORDER BY nid LIMIT ?1"
        case .stamp:
            "SELECT " + Self.stampColumns.joined(separator: ", ")
                + " FROM local WHERE nid = ?1 AND inode IS NOT NULL"
        case .setStamp:
            "UPDATE local SET "
                + Self.stampColumns.enumerated().map { "\($1) = ?\($0 + 2)" }.joined(separator: ", ")
                + " WHERE nid = ?1"
        case .localNodes: "SELECT nid FROM local WHERE inode = ?1 AND device = ?2 LIMIT ?3"
        case .localChildren:
            "SELECT nid, coalesce(name, key), kind, content IS NOT NULL, target, modified, mode, "
                + Self.stampColumns.joined(separator: ", ") + " FROM local WHERE parent = ?1"
        case .changeID: "UPDATE local SET nid = ?2 WHERE nid = ?1"
        case .changeParent: "UPDATE local SET parent = ?2 WHERE nid = ?1"
        case .conflicts: Self.select("local", Self.mayBeConflict)
        }
    }

    /// Which names may be those of conflict copies. It stands in the schema: text for text, or the index is
    /// of no use.
    static let mayBeConflict = "instr(key, 'conflict ') > 0"

    private static let columns = [
        "nid", "parent", "key", "name", "kind", "content", "target", "size", "modified", "mode", "revision",
        "content_revision",
    ]
    private static let stampColumns = [
        "device", "inode", "stamp_size", "stamp_modified", "stamp_changed", "stamp_seen",
    ]

    private static func select(_ table: String, _ condition: String) -> String {
        "SELECT \(columns.joined(separator: ", ")) FROM \(table) WHERE \(condition)"
    }

    private static func upsert(_ table: String, _ more: [String]) -> String {
        let all = columns + more
        let parameters = (1...all.count).map { "?\($0)" }.joined(separator: ", ")
        let changes = all.dropFirst().map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
        return "INSERT INTO \(table) (\(all.joined(separator: ", "))) VALUES (\(parameters)) "
            + "ON CONFLICT (nid) DO UPDATE SET \(changes)"
    }
}

extension StateStatement {
    /// Parameters 1 to 12.
    func bind(_ node: SyncNode) {
        let key = NameKey(node.name, ignoringCase: true).text
        bind(1, node.id)
        bind(2, node.parent)
        bind(3, key)
        bind(4, Self.isSame(key, node.name) ? nil : node.name)
        bind(5, node.kind.rawValue)
        bind(6, node.content)
        bind(7, node.target)
        bind(8, node.size)
        bind(9, node.modified)
        bind(10, node.mode.map(Int64.init))
        bind(11, node.revision)
        bind(12, node.contentRevision)
    }

    /// Whether two texts are the same bytes; `==` takes two forms of a letter for one.
    private static func isSame(_ first: String, _ second: String) -> Bool {
        var (first, second) = (first, second)
        return first.withUTF8 { first in
            second.withUTF8 { second in
                guard let a = first.baseAddress, let b = second.baseAddress else {
                    return first.count == second.count
                }
                return first.count == second.count && memcmp(a, b, first.count) == 0
            }
        }
    }

    /// Columns 0 to 11.
    func node() throws(SyncStateError) -> SyncNode {
        guard let kind = TreeNodeKind(rawValue: integer(4)), let name = text(3) ?? text(2) else {
            throw .badRow(table: "a tree")
        }
        return SyncNode(
            id: try id(0), parent: try id(1), name: name, kind: kind, content: try cid(5), target: text(6),
            size: integer(7), modified: integer(8), mode: optionalInteger(9).map { UInt32(clamping: $0) },
            revision: integer(10), contentRevision: integer(11))
    }

    /// Six parameters from `index`.
    func bind(_ stamp: LocalStamp?, from index: Int32) {
        bind(index, stamp.map { Int64(bitPattern: $0.identity.device) })
        bind(index + 1, stamp.map { Int64(bitPattern: $0.identity.inode) })
        bind(index + 2, stamp?.size)
        bind(index + 3, stamp?.modified)
        bind(index + 4, stamp?.changed)
        bind(index + 5, stamp?.seen)
    }

    /// Six columns from `column`.
    func stamp(from column: Int32) -> LocalStamp? {
        guard !isNull(column + 1) else { return nil }
        return LocalStamp(
            identity: FileIdentity(
                device: UInt64(bitPattern: integer(column)), inode: UInt64(bitPattern: integer(column + 1))),
            size: integer(column + 2), modified: integer(column + 3), changed: integer(column + 4),
            seen: integer(column + 5))
    }
}
