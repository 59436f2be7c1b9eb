/// The users of the catalog.
///
/// Thread-safe and synchronous. A change that returned survives power loss.
public struct UserRepository: Sendable {
    let database: any SQLDatabase
    let ids: RecordIDGenerator<User>
    let now: @Sendable () -> Int64

    /// Adds a user.
    ///
    /// - Throws: `duplicateUser` if the name is taken.
    public func add(name: String, passwordHash: String, isAdministrator: Bool) throws -> User {
        try NameColumn.check(name, maximumBytes: User.maximumNameBytes)
        let time = now()
        let user = User(
            id: ids.next(now: time), name: name, passwordHash: passwordHash,
            isAdministrator: isAdministrator, created: time, disabled: nil)
        do {
            try database.write { connection -> Void in
                try connection.execute(
                    "INSERT INTO users (\(UserRow.columns)) VALUES (\(SealedColumns.placeholders(7)))",
                    UserRow.values(user))
            }
        } catch CatalogError.notUnique {
            throw CatalogError.duplicateUser(name)
        }
        return user
    }

    /// The user of that id, if there is one.
    public func user(_ id: UserID) throws -> User? { try find("id", .text(id.text)) }

    /// The user of that name, if there is one.
    public func user(named name: String) throws -> User? { try find("name", .text(name)) }

    /// Changes a user. `change` may be called more than once.
    ///
    /// - Returns: the user as it is then, or `nil` if there is none.
    @discardableResult
    public func update(_ id: UserID, _ change: (inout User) -> Void) throws -> User? {
        try database.write { connection in
            guard
                var user = try connection.firstRow(
                    "SELECT \(UserRow.columns) FROM users WHERE id = $1",
                    [.text(id.text)]
                ).map(UserRow.user)
            else { return nil }
            change(&user)
            try connection.execute(
                """
                UPDATE users SET password = $3, administrator = $4, disabled = $6, seal = $7
                WHERE id = $1 AND name = $2 AND created = $5
                """, UserRow.values(user))
            return user
        }
    }

    /// A page of all users, oldest first.
    ///
    /// - Parameter after: the id of the last user of the page before.
    public func list(after: UserID? = nil, limit: Int = 100) throws -> [User] {
        var condition = SQLCondition()
        if let after { condition.require("id > ?", .text(after.text)) }
        return try database.read { connection in
            try connection.rows(
                """
                SELECT \(UserRow.columns) FROM users\(condition.clause) ORDER BY id \
                LIMIT \(min(max(limit, 1), PinRepository.maximumPage))
                """, condition.values
            ).map(UserRow.user)
        }
    }

    private func find(_ column: String, _ value: SQLValue) throws -> User? {
        try database.read { connection in
            try connection.firstRow("SELECT \(UserRow.columns) FROM users WHERE \(column) = $1", [value])
                .map(UserRow.user)
        }
    }
}

/// Users as rows, and back.
enum UserRow {
    static let columns = "id, name, password, administrator, created, disabled, seal"

    static func values(_ user: User) -> [SQLValue] {
        SealedColumns.values([
            .text(user.id.text), .text(user.name), .text(user.passwordHash),
            .integer(user.isAdministrator ? 1 : 0), .integer(user.created), .optional(user.disabled),
        ])
    }

    static func user(_ row: SQLRow) throws(CatalogError) -> User {
        try SealedColumns.read(row, table: "users") { row in
            User(
                id: try UserID(text: row.text(0)), name: try row.text(1), passwordHash: try row.text(2),
                isAdministrator: try row.integer(3) != 0, created: try row.integer(4),
                disabled: try row.optionalInteger(5))
        }
    }
}
