extension Migration {
    /// Every step of the catalog's schema.
    package static let all: [Migration] = [
        settings, pins, pinCounters, names, projects, users, grants, sessions, audit, pinOrders, jobs,
        projectScopes, namespaces, trees, devices, leases, treeStatistics, treeHistory, sharing,
        nameFollows, quickChecks, pastPlaces, caselessNames,
    ]

    private static let settings = Migration(1, "settings") { connection in
        let text = connection.dialect.textType
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS settings (
                key \(text) NOT NULL PRIMARY KEY,
                value \(text) NOT NULL,
                seal BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
    }

    private static let pins = Migration(2, "pins") { connection in
        let (text, bytes) = (connection.dialect.textType, connection.dialect.bytesType)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS pins (
                id \(text) NOT NULL PRIMARY KEY,
                owner \(text) NOT NULL,
                root \(bytes) NOT NULL,
                name \(text) NOT NULL,
                visibility \(text) NOT NULL CHECK (visibility IN ('public', 'private')),
                status \(text) NOT NULL CHECK (status IN ('queued', 'pinning', 'pinned', 'failed')),
                created BIGINT NOT NULL,
                updated BIGINT NOT NULL,
                content_bytes BIGINT,
                block_count BIGINT,
                block_bytes BIGINT,
                import_parameters \(text) NOT NULL,
                meta \(text) NOT NULL,
                seal BIGINT NOT NULL,
                UNIQUE (owner, root, name)
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute("CREATE INDEX IF NOT EXISTS pins_by_root ON pins (root)")
        try connection.execute("CREATE INDEX IF NOT EXISTS pins_by_name ON pins (owner, name)")
        try connection.execute("CREATE INDEX IF NOT EXISTS pins_by_status ON pins (status, id)")
    }

    /// Counters that are kept by every change of a pin; the first values come from the pins there are.
    private static let pinCounters = Migration(3, "pin counters") { connection in
        let text = connection.dialect.textType
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS pin_counters (
                owner \(text) NOT NULL,
                visibility \(text) NOT NULL,
                status \(text) NOT NULL,
                pins BIGINT NOT NULL,
                content_bytes BIGINT NOT NULL,
                block_count BIGINT NOT NULL,
                block_bytes BIGINT NOT NULL,
                PRIMARY KEY (owner, visibility, status)
            )\(connection.dialect.tableOptions)
            """)
        try PinCounterTable.recount(connection)
    }

    private static let jobs = Migration(11, "jobs") { try JobRow.create($0) }

    private static let names = Migration(4, "names") { try NameTables.create($0) }

    /// Pages of one owner, status or name are read off an index, however many pins there are.
    private static let pinOrders = Migration(10, "pin orders") { connection in
        try connection.execute("CREATE INDEX IF NOT EXISTS pins_by_owner ON pins (owner, id)")
        try connection.execute(
            "CREATE INDEX IF NOT EXISTS pins_by_owner_status ON pins (owner, status, id)")
        try connection.execute("CREATE INDEX IF NOT EXISTS pins_by_name_alone ON pins (name, id)")
    }
}
