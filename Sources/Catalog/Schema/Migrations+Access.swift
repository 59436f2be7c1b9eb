/// The steps for who may do what.
extension Migration {
    static let projects = Migration(5, "projects") { connection in
        let text = connection.dialect.textType
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS projects (
                id \(text) NOT NULL PRIMARY KEY,
                name \(text) NOT NULL,
                created BIGINT NOT NULL,
                seal BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
    }

    static let users = Migration(6, "users") { connection in
        let text = connection.dialect.textType
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS users (
                id \(text) NOT NULL PRIMARY KEY,
                name \(text) NOT NULL UNIQUE,
                password \(text) NOT NULL,
                administrator BIGINT NOT NULL,
                created BIGINT NOT NULL,
                disabled BIGINT,
                seal BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS project_members (
                project \(text) NOT NULL,
                user_id \(text) NOT NULL,
                role \(text) NOT NULL CHECK (role IN ('owner', 'editor', 'reader')),
                since BIGINT NOT NULL,
                seal BIGINT NOT NULL,
                PRIMARY KEY (project, user_id)
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute(
            "CREATE INDEX IF NOT EXISTS project_members_by_user ON project_members (user_id, project)")
    }

    static let grants = Migration(7, "grants") { connection in
        let (text, bytes) = (connection.dialect.textType, connection.dialect.bytesType)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS grants (
                id \(text) NOT NULL PRIMARY KEY,
                parent \(text),
                ancestors \(text) NOT NULL,
                project \(text) NOT NULL,
                user_id \(text),
                name \(text) NOT NULL,
                secret_hash \(bytes) NOT NULL,
                operations \(text) NOT NULL,
                scope \(text) NOT NULL,
                maximum_uses BIGINT,
                maximum_file_bytes BIGINT,
                maximum_bytes BIGINT,
                content_types \(text) NOT NULL,
                sources \(text) NOT NULL,
                referrers \(text) NOT NULL,
                not_before BIGINT,
                expires BIGINT,
                created BIGINT NOT NULL,
                revoked BIGINT,
                seal BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute("CREATE INDEX IF NOT EXISTS grants_by_project ON grants (project, id)")
        try connection.execute("CREATE INDEX IF NOT EXISTS grants_by_user ON grants (user_id, id)")
        try connection.execute("CREATE INDEX IF NOT EXISTS grants_by_parent ON grants (parent, id)")
        try connection.execute("CREATE INDEX IF NOT EXISTS grants_by_name ON grants (name, id)")
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS grant_usage (
                grant_id \(text) NOT NULL PRIMARY KEY,
                uses BIGINT NOT NULL,
                bytes BIGINT NOT NULL,
                seal BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS grant_activity (
                grant_id \(text) NOT NULL PRIMARY KEY,
                last_used BIGINT NOT NULL,
                requests BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS signed_url_usage (
                nonce \(bytes) NOT NULL PRIMARY KEY,
                grant_id \(text) NOT NULL,
                uses BIGINT NOT NULL,
                revoked BIGINT NOT NULL,
                expires BIGINT NOT NULL,
                seal BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute(
            "CREATE INDEX IF NOT EXISTS signed_url_usage_by_expiry ON signed_url_usage (expires)")
        try connection.execute(
            "CREATE INDEX IF NOT EXISTS signed_url_usage_by_grant ON signed_url_usage (grant_id)")
    }

    static let sessions = Migration(8, "sessions") { connection in
        let (text, bytes) = (connection.dialect.textType, connection.dialect.bytesType)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS sessions (
                secret_hash \(bytes) NOT NULL PRIMARY KEY,
                user_id \(text) NOT NULL,
                created BIGINT NOT NULL,
                last_seen BIGINT NOT NULL,
                expires BIGINT NOT NULL,
                seal BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute("CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (user_id)")
        try connection.execute("CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires)")
    }

    static let audit = Migration(9, "audit") { connection in
        let text = connection.dialect.textType
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS audit (
                id \(text) NOT NULL PRIMARY KEY,
                time BIGINT NOT NULL,
                count BIGINT NOT NULL,
                allowed BIGINT NOT NULL,
                code \(text) NOT NULL,
                operation \(text) NOT NULL,
                resource \(text) NOT NULL,
                source \(text) NOT NULL,
                project \(text),
                user_id \(text),
                grant_id \(text),
                address \(text) NOT NULL,
                seal BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute("CREATE INDEX IF NOT EXISTS audit_by_project ON audit (project, id)")
        try connection.execute("CREATE INDEX IF NOT EXISTS audit_by_user ON audit (user_id, id)")
        try connection.execute("CREATE INDEX IF NOT EXISTS audit_by_grant ON audit (grant_id, id)")
        try connection.execute("CREATE INDEX IF NOT EXISTS audit_by_outcome ON audit (allowed, id)")
    }

    /// The numbers by which the block index knows projects. The default project has a mark of its own
    /// there.
    static let projectScopes = Migration(12, "project scopes") { connection in
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS project_scopes (
                project \(connection.dialect.textType) NOT NULL PRIMARY KEY,
                scope BIGINT NOT NULL UNIQUE
            )\(connection.dialect.tableOptions)
            """)
    }
}
