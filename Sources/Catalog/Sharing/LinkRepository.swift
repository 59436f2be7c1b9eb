/// The links of the catalog. Ending one is revoking its grant.
///
/// Thread-safe and synchronous. A change that returned survives power loss.
public struct LinkRepository: Sendable {
    let database: any SQLDatabase

    /// The most links of one page.
    public static let maximumPage = 1000

    /// Adds a link together with its grant.
    public func add(_ link: LinkRecord, _ grant: GrantRecord) throws {
        let values = try GrantRow.values(grant)
        try database.write { connection -> Void in
            try connection.execute(
                """
                INSERT INTO grants (\(GrantRow.columns)) \
                VALUES (\(SealedColumns.placeholders(GrantRow.columnCount)))
                """, values)
            try connection.execute(
                "INSERT INTO links (\(LinkRow.columns)) VALUES ($1, $2, $3, $4, $5, $6)",
                LinkRow.values(link))
        }
    }

    /// The link whose token has this hash, whether it still counts or not.
    public func link(tokenHash: [UInt8]) throws -> LinkRecord? {
        try first("token_hash", .blob(tokenHash))
    }

    /// The link of a grant.
    public func link(_ grant: GrantID) throws -> LinkRecord? { try first("grant_id", .text(grant.text)) }

    /// A page of the links of a namespace, oldest first.
    ///
    /// - Parameter after: the grant of the last link of the page before.
    public func list(of namespace: NamespaceID, after: GrantID? = nil, limit: Int = 100) throws
        -> [LinkRecord]
    {
        var condition = SQLCondition()
        condition.require("ns = ?", .text(namespace.text))
        if let after { condition.require("grant_id > ?", .text(after.text)) }
        return try database.read { connection in
            try connection.rows(
                """
                SELECT \(LinkRow.columns) FROM links\(condition.clause) ORDER BY grant_id \
                LIMIT \(min(max(limit, 1), Self.maximumPage))
                """, condition.values
            ).map(LinkRow.link)
        }
    }

    private func first(_ column: String, _ value: SQLValue) throws -> LinkRecord? {
        try database.read { connection in
            try connection.firstRow("SELECT \(LinkRow.columns) FROM links WHERE \(column) = $1", [value])
                .map(LinkRow.link)
        }
    }
}
