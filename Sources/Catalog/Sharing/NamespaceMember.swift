/// A user who may use a namespace, whatever projects the user belongs to.
public struct NamespaceMember: Hashable, Sendable {
    public let namespace: NamespaceID
    public let user: UserID
    public let role: NamespaceRole
    /// Unix milliseconds.
    public let since: Int64

    public init(namespace: NamespaceID, user: UserID, role: NamespaceRole, since: Int64) {
        self.namespace = namespace
        self.user = user
        self.role = role
        self.since = since
    }
}

/// What a member of a namespace is; `Access` says what that allows.
public enum NamespaceRole: String, CaseIterable, Hashable, Sendable {
    case owner
    case editor
    /// Brings in, and sees what it brought in itself.
    case writerOnly = "writer_only"
    case viewer
}

/// Members as rows of the table `namespace_members`, and back.
enum NamespaceMemberRow {
    static let columns = "ns, user_id, role, since, seal"

    static func values(_ member: NamespaceMember) -> [SQLValue] {
        SealedColumns.values([
            .text(member.namespace.text), .text(member.user.text), .text(member.role.rawValue),
            .integer(member.since),
        ])
    }

    static func member(_ row: SQLRow) throws(CatalogError) -> NamespaceMember {
        try SealedColumns.read(row, table: "namespace_members", keyColumns: 2) { row in
            guard let role = NamespaceRole(rawValue: try row.text(2)) else { return nil }
            return NamespaceMember(
                namespace: try NamespaceID(text: row.text(0)), user: try UserID(text: row.text(1)),
                role: role, since: try row.integer(3))
        }
    }
}
