/// The tables `grant_usage` and `signed_url_usage`. Rows are made when they are first needed.
enum UsageTable {
    static let columns = "grant_id, uses, bytes, seal"
    static let urlColumns = "nonce, grant_id, uses, revoked, expires, seal"

    struct URLRow {
        var uses: Int64
        var isRevoked: Bool
    }

    // MARK: Grants

    static func usage(_ id: GrantID, _ connection: any SQLConnection) throws
        -> GrantUsage
    {
        try connection.firstRow(
            "SELECT \(columns) FROM grant_usage WHERE grant_id = $1", [.text(id.text)]
        ).map { try usage($0) } ?? GrantUsage()
    }

    static func usage(_ row: SQLRow) throws(CatalogError) -> GrantUsage {
        try SealedColumns.read(row, table: "grant_usage") { row in
            GrantUsage(uses: try row.integer(1), bytes: try row.integer(2))
        }
    }

    /// The counters of a grant in a row that is there, so that they can be set.
    static func ensuredUsage(_ id: GrantID, _ connection: any SQLConnection) throws -> GrantUsage {
        try connection.execute(
            "INSERT INTO grant_usage (\(columns)) VALUES ($1, $2, $3, $4) ON CONFLICT (grant_id) DO NOTHING",
            values(GrantUsage(), id))
        return try usage(id, connection)
    }

    static func set(_ usage: GrantUsage, of id: GrantID, _ connection: any SQLConnection) throws {
        try connection.execute(
            "UPDATE grant_usage SET uses = $2, bytes = $3, seal = $4 WHERE grant_id = $1", values(usage, id))
    }

    private static func values(_ usage: GrantUsage, _ id: GrantID) -> [SQLValue] {
        SealedColumns.values([.text(id.text), .integer(usage.uses), .integer(usage.bytes)])
    }

    // MARK: Signed URLs

    /// - Returns: why not, or `nil` if it is done.
    static func reserve(_ url: SignedURLLimit, _ uses: Int64, _ connection: any SQLConnection) throws
        -> UsageOutcome?
    {
        guard let maximum = url.maximumUses else {
            return try find(url, connection)?.isRevoked == true ? .urlRevoked : nil
        }
        var row = try ensuredRow(url, connection)
        if row.isRevoked { return .urlRevoked }
        guard row.uses <= maximum, maximum - row.uses >= uses else { return .urlExhausted(limit: maximum) }
        row.uses += uses
        try set(row, of: url, connection)
        return nil
    }

    static func adjust(_ uses: Int64, of url: SignedURLLimit, _ connection: any SQLConnection) throws {
        var row = try ensuredRow(url, connection)
        let (sum, overflow) = row.uses.addingReportingOverflow(uses)
        row.uses = overflow ? row.uses : max(0, sum)
        try set(row, of: url, connection)
    }

    static func revoke(_ url: SignedURLLimit, _ connection: any SQLConnection) throws {
        var row = try ensuredRow(url, connection)
        row.isRevoked = true
        try set(row, of: url, connection)
    }

    static func find(_ url: SignedURLLimit, _ connection: any SQLConnection) throws
        -> URLRow?
    {
        try connection.firstRow(
            "SELECT \(urlColumns) FROM signed_url_usage WHERE nonce = $1", [.blob(url.nonce)]
        ).map { try urlRow($0) }
    }

    static func urlRow(_ row: SQLRow) throws(CatalogError) -> URLRow {
        try SealedColumns.read(row, table: "signed_url_usage", keyColumns: 2) { row in
            URLRow(uses: try row.integer(2), isRevoked: try row.integer(3) != 0)
        }
    }

    private static func ensuredRow(_ url: SignedURLLimit, _ connection: any SQLConnection) throws -> URLRow {
        let new = URLRow(uses: 0, isRevoked: false)
        try connection.execute(
            """
            INSERT INTO signed_url_usage (\(urlColumns)) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (nonce) DO NOTHING
            """, values(new, url))
        return try find(url, connection) ?? new
    }

    private static func set(_ row: URLRow, of url: SignedURLLimit, _ connection: any SQLConnection) throws {
        try connection.execute(
            """
            UPDATE signed_url_usage SET uses = $3, revoked = $4, seal = $6
            WHERE nonce = $1 AND grant_id = $2 AND expires = $5
            """, values(row, url))
    }

    private static func values(_ row: URLRow, _ url: SignedURLLimit) -> [SQLValue] {
        SealedColumns.values([
            .blob(url.nonce), .text(url.grant.text), .integer(row.uses), .integer(row.isRevoked ? 1 : 0),
            .integer(url.expires),
        ])
    }
}
