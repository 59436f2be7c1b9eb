/// Who belongs to which namespace.
///
/// Thread-safe and synchronous. A change that returned survives power loss.
public struct NamespaceMemberRepository: Sendable {
    let database: any SQLDatabase
    let now: @Sendable () -> Int64

    /// The most members of one namespace, and namespaces of one user, that are looked at.
    public static let maximumMembers = 1000

    /// Makes a user a member, or changes the role.
    public func setRole(_ role: NamespaceRole, of user: UserID, in namespace: NamespaceID) throws
        -> NamespaceMember
    {
        let member = NamespaceMember(namespace: namespace, user: user, role: role, since: now())
        try database.write { connection -> Void in
            try connection.execute(
                """
                INSERT INTO namespace_members (\(NamespaceMemberRow.columns)) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (ns, user_id) DO UPDATE SET
                    role = excluded.role, since = excluded.since, seal = excluded.seal
                """, NamespaceMemberRow.values(member))
        }
        return member
    }

    /// Ends a membership.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    public func remove(_ user: UserID, from namespace: NamespaceID) throws -> Bool {
        try database.write { connection in
            try connection.execute(
                "DELETE FROM namespace_members WHERE ns = $1 AND user_id = $2",
                [.text(namespace.text), .text(user.text)]) > 0
        }
    }

    /// The role of a user in a namespace, if there is one.
    public func role(of user: UserID, in namespace: NamespaceID) throws -> NamespaceRole? {
        try database.read { connection in
            try connection.firstRow(
                "SELECT \(NamespaceMemberRow.columns) FROM namespace_members WHERE ns = $1 AND user_id = $2",
                [.text(namespace.text), .text(user.text)]
            ).map { try NamespaceMemberRow.member($0).role }
        }
    }

    /// Who belongs to a namespace, the first ones first; at most ``maximumMembers``.
    public func members(of namespace: NamespaceID) throws -> [NamespaceMember] {
        try list("ns", .text(namespace.text), order: "since, user_id")
    }

    /// The namespaces that a user belongs to, by id; at most ``maximumMembers``.
    public func memberships(of user: UserID) throws -> [NamespaceMember] {
        try list("user_id", .text(user.text), order: "ns")
    }

    private func list(_ column: String, _ value: SQLValue, order: String) throws -> [NamespaceMember] {
        try database.read { connection in
            try connection.rows(
                """
                SELECT \(NamespaceMemberRow.columns) FROM namespace_members WHERE \(column) = $1
                ORDER BY \(order) LIMIT \(Self.maximumMembers)
                """, [value]
            ).map(NamespaceMemberRow.member)
        }
    }
}
