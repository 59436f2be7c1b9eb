/// The tables of names.
enum NameTables {
    static func create(_ connection: any SQLConnection) throws {
        let (text, bytes) = (connection.dialect.textType, connection.dialect.bytesType)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS names (
                id \(bytes) NOT NULL PRIMARY KEY,
                owner \(text) NOT NULL,
                label \(text) NOT NULL,
                sealed_key \(bytes) NOT NULL,
                target \(text) NOT NULL,
                sequence BIGINT NOT NULL,
                record \(bytes) NOT NULL,
                valid_until BIGINT NOT NULL,
                lifetime BIGINT NOT NULL,
                ttl BIGINT NOT NULL,
                revision BIGINT NOT NULL,
                created BIGINT NOT NULL,
                updated BIGINT NOT NULL,
                seal BIGINT NOT NULL,
                UNIQUE (owner, label)
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute("CREATE INDEX IF NOT EXISTS names_by_label ON names (label, id)")
        try connection.execute("CREATE INDEX IF NOT EXISTS names_by_end ON names (valid_until, id)")
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS name_versions (
                name \(bytes) NOT NULL,
                number BIGINT NOT NULL,
                target \(text) NOT NULL,
                sequence BIGINT NOT NULL,
                published BIGINT NOT NULL,
                seal BIGINT NOT NULL,
                PRIMARY KEY (name, number)
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS name_records (
                name \(bytes) NOT NULL PRIMARY KEY,
                sequence BIGINT NOT NULL,
                valid_until BIGINT NOT NULL,
                record \(bytes) NOT NULL,
                stored BIGINT NOT NULL,
                seal BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute("CREATE INDEX IF NOT EXISTS name_records_by_end ON name_records (valid_until)")
    }

    /// Gives every damaged row to `body`.
    static func check(_ connection: any SQLConnection, _ body: (CatalogError) -> Void) throws {
        func look<T>(_ columns: String, _ table: String, _ read: (SQLRow) throws(CatalogError) -> T) throws {
            try connection.query("SELECT \(columns) FROM \(table)", []) { row in
                do throws(CatalogError) { _ = try read(row) } catch { body(error) }
            }
        }
        try look(NameRow.columns, "names", NameRow.entry)
        try look(NameVersionRow.columns, "name_versions", NameVersionRow.version)
        try look(ForeignRecordRow.columns, "name_records", ForeignRecordRow.record)
    }
}
