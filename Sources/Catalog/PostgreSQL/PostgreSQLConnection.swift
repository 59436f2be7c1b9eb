/// A session in the middle of a transaction.
struct PostgreSQLConnection: SQLConnection {
    let session: PostgreSQLSession

    var dialect: SQLDialect { .postgresql }

    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int { try session.run(sql, values) { _ in } }

    func query(_ sql: String, _ values: [SQLValue], _ body: (SQLRow) throws -> Void) throws {
        _ = try session.run(sql, values, body)
    }
}
