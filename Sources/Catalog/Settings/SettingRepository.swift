/// Small facts that a node remembers about itself: a text by key.
public struct SettingRepository: Sendable {
    let database: any SQLDatabase

    /// - Throws: `damagedRow` if the value is not the one that was set.
    public func value(_ key: String) throws -> String? {
        try database.read { connection in
            try connection.firstRow("SELECT key, value, seal FROM settings WHERE key = $1", [.text(key)])
                .map { try Self.checked($0).value }
        }
    }

    /// Sets a value, or removes it with `nil`.
    public func set(_ key: String, to value: String?) throws {
        try database.write { connection -> Void in
            guard let value else {
                try connection.execute("DELETE FROM settings WHERE key = $1", [.text(key)])
                return
            }
            guard !key.utf8.contains(0), !value.utf8.contains(0) else { throw CatalogError.nameContainsNUL }
            let fields: [SQLValue] = [.text(key), .text(value)]
            try connection.execute(
                """
                INSERT INTO settings (key, value, seal) VALUES ($1, $2, $3)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value, seal = excluded.seal
                """, fields + [.integer(RowSeal.over(fields))])
        }
    }

    /// Every setting.
    public func all() throws -> [String: String] {
        try database.read { connection in
            var result: [String: String] = [:]
            try connection.query("SELECT key, value, seal FROM settings", []) { row in
                let (key, value) = try Self.checked(row)
                result[key] = value
            }
            return result
        }
    }

    static func checked(_ row: SQLRow) throws(CatalogError) -> (key: String, value: String) {
        let key = try row.text(0)
        guard row.values.last == .integer(RowSeal.over(Array(row.values.dropLast()))) else {
            throw .damagedRow(table: "settings", key: key)
        }
        return (key, try row.text(1))
    }
}
