/// The steps for namespaces that others may use.
extension Migration {
    static let sharing = Migration(19, "sharing") { connection in
        let (text, bytes) = (connection.dialect.textType, connection.dialect.bytesType)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS links (
                grant_id \(text) NOT NULL PRIMARY KEY,
                token_hash \(bytes) NOT NULL UNIQUE,
                ns \(text) NOT NULL,
                nid \(bytes) NOT NULL,
                password \(text) NOT NULL,
                seal BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute("CREATE INDEX IF NOT EXISTS links_by_namespace ON links (ns, grant_id)")
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS namespace_members (
                ns \(text) NOT NULL,
                user_id \(text) NOT NULL,
                role \(text) NOT NULL CHECK (role IN ('owner', 'editor', 'writer_only', 'viewer')),
                since BIGINT NOT NULL,
                seal BIGINT NOT NULL,
                PRIMARY KEY (ns, user_id)
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute(
            "CREATE INDEX IF NOT EXISTS namespace_members_by_user ON namespace_members (user_id, ns)")
    }
}
