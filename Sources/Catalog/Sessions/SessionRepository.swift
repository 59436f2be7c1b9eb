/// The sessions of the catalog.
///
/// Thread-safe and synchronous. A change that returned survives power loss.
public struct SessionRepository: Sendable {
    let database: any SQLDatabase

    /// Adds a session.
    public func add(_ session: SessionRecord) throws {
        try database.write { connection -> Void in
            try connection.execute(
                "INSERT INTO sessions (\(SessionRow.columns)) VALUES (\(SealedColumns.placeholders(6)))",
                SessionRow.values(session))
        }
    }

    /// The session of that hash, if there is one.
    public func session(_ secretHash: [UInt8]) throws -> SessionRecord? {
        try database.read { connection in
            try connection.firstRow(
                "SELECT \(SessionRow.columns) FROM sessions WHERE secret_hash = $1", [.blob(secretHash)]
            ).map(SessionRow.session)
        }
    }

    /// Notes that a session was used; one that has ended meanwhile stays ended.
    public func touch(_ session: SessionRecord, at time: Int64) throws {
        var touched = session
        touched.lastSeen = time
        let values = SessionRow.values(touched)
        try database.write { connection -> Void in
            try connection.execute(
                """
                UPDATE sessions SET last_seen = $4, seal = $6
                WHERE secret_hash = $1 AND user_id = $2 AND created = $3 AND expires = $5
                """, values)
        }
    }

    /// Ends a session.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    public func remove(_ secretHash: [UInt8]) throws -> Bool {
        try database.write {
            try $0.execute("DELETE FROM sessions WHERE secret_hash = $1", [.blob(secretHash)]) > 0
        }
    }

    /// Ends every session of a user.
    public func removeAll(of user: UserID) throws {
        try database.write { connection -> Void in
            try connection.execute("DELETE FROM sessions WHERE user_id = $1", [.text(user.text)])
        }
    }

    /// Removes sessions that ended before `time`, or were not used since `idleSince`. All in Unix milliseconds.
    public func removeEnded(before time: Int64, idleSince: Int64) throws {
        try database.write { connection -> Void in
            try connection.execute(
                "DELETE FROM sessions WHERE expires <= $1 OR last_seen <= $2",
                [.integer(time), .integer(idleSince)])
        }
    }
}

/// Sessions as rows, and back.
enum SessionRow {
    static let columns = "secret_hash, user_id, created, last_seen, expires, seal"

    static func values(_ session: SessionRecord) -> [SQLValue] {
        SealedColumns.values([
            .blob(session.secretHash), .text(session.user.text), .integer(session.created),
            .integer(session.lastSeen), .integer(session.expires),
        ])
    }

    static func session(_ row: SQLRow) throws(CatalogError) -> SessionRecord {
        // The hash stays out of errors: the owner names the row.
        try SealedColumns.read(row, table: "sessions", keyColumns: 2) { row in
            SessionRecord(
                secretHash: try row.blob(0), user: try UserID(text: row.text(1)), created: try row.integer(2),
                lastSeen: try row.integer(3), expires: try row.integer(4))
        }
    }
}
