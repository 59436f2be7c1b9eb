/// The few places where SQLite and PostgreSQL do not share a spelling.
///
/// All other SQL is written once, in what SQLite 3.40 and PostgreSQL 15 both understand: `$1` placeholders,
/// `ON CONFLICT … DO UPDATE`, `RETURNING`, row values, `CREATE … IF NOT EXISTS`; no functions on dates, no
/// `LIKE` (its case rules differ), no generated keys but in temporary tables.
package enum SQLDialect: String, Hashable, Sendable {
    case sqlite
    case postgresql

    /// Whether several processes may write.
    package var isShared: Bool { self == .postgresql }

    /// A column of bytes, ordered by the bytes.
    package var bytesType: String { self == .sqlite ? "BLOB" : "BYTEA" }

    /// A column of text, ordered by its UTF-8 bytes whatever the locale of the server is.
    package var textType: String { self == .sqlite ? "TEXT" : "TEXT COLLATE \"C\"" }

    /// How many bytes of UTF-8 a text has; `length` counts its characters.
    package func byteCount(of text: String) -> String {
        self == .sqlite ? "length(CAST(\(text) AS BLOB))" : "octet_length(\(text))"
    }

    /// What stands behind `CREATE TABLE … ( … )`. In SQLite the rows then live in the tree of the primary
    /// key, so that no second tree has to agree with it.
    package var tableOptions: String { self == .sqlite ? " WITHOUT ROWID" : "" }

    /// The first column of a temporary table whose rows are numbered as they come.
    package var countedKey: String {
        self == .sqlite ? "INTEGER PRIMARY KEY" : "BIGINT GENERATED ALWAYS AS IDENTITY"
    }

    /// Removes all rows of a temporary table. PostgreSQL keeps deleted rows until the transaction ends, and
    /// reads over them.
    package func empty(_ table: String) -> String {
        self == .sqlite ? "DELETE FROM \(table)" : "TRUNCATE \(table)"
    }

    /// Whether statements can make and check seals themselves, by `row_seal` and `is_sealed`.
    package var hasSealFunctions: Bool { self == .sqlite }

    /// How many bytes the database has on its disk.
    package var bytesOnDisk: String {
        switch self {
        case .sqlite: "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        case .postgresql: "SELECT pg_database_size(current_database())"
        }
    }

    /// Counts the tables of a given name: `$1`.
    package var countTables: String {
        switch self {
        case .sqlite: "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1"
        case .postgresql:
            "SELECT count(*) FROM information_schema.tables"
                + " WHERE table_schema = current_schema() AND table_name = $1"
        }
    }
}
