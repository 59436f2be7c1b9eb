import Multiformats
package import TreeValues

/// The statements that bring the tree of a namespace back to an earlier state, for any number of nodes at
/// once, within a transaction.
///
/// First the journal gets its entries, and nodes that stay where they are say at once what these say
/// (``addEntries(_:)``); then nodes come, go and move (``movePlaces(_:fold:)``). Only `Namespaces` uses it.
package struct RestoreTables {
    let connection: any SQLConnection
    let tables: TreeTables
    let root: NodeID
    /// How many entries of the journal are looked at at once. What is made of them fits into the memory that
    /// the databases give to a temporary table (SQLite: 2 MB).
    let window: JID

    package init(_ connection: any SQLConnection, of namespace: Namespace, window: JID = 4096) {
        self.connection = connection
        tables = TreeTables(connection, of: namespace)
        root = namespace.root
        self.window = max(1, window)
    }

    var number: SQLValue { .integer(tables.number) }

    /// To which state, and what the new entries say besides.
    package struct Request {
        let jid: JID
        let head: JID
        let author: ChangeAuthor
        let time: Int64
        /// What it is limited to; `nil` for the whole tree.
        let scope: NodeID?
        /// Nodes that stay as they are; a few.
        let keeping: [NodeID]

        package init(
            asOf jid: JID, head: JID, author: ChangeAuthor, time: Int64, scope: NodeID?,
            keeping: [NodeID] = []
        ) {
            (self.jid, self.head, self.author, self.time, self.scope) = (jid, head, author, time, scope)
            self.keeping = keeping
        }
    }

    // MARK: Scope

    /// Directories in which nodes that changed after a JID are, or were as of it.
    package func parents(changedAfter jid: JID, upTo head: JID) throws -> (now: [NodeID], then: [NodeID]) {
        func distinct(_ column: String) throws -> [NodeID] {
            try connection.rows(
                """
                SELECT DISTINCT \(column) FROM \(Self.changed(connection.dialect)) AND \(column) IS NOT NULL
                """,
                [number, .integer(jid), .integer(jid), .integer(head)]
            ).compactMap { NodeID(bytes: try $0.blob(0)) }
        }
        return (try distinct("node.parent"), try distinct("old.parent"))
    }

    /// Says in which of these directories nodes are within the scope.
    package func limit(now: [NodeID], then: [NodeID]) throws {
        // In its own table: there may be any number of them.
        try connection.execute(
            """
            CREATE TEMPORARY TABLE IF NOT EXISTS restore_scope (
                view BIGINT NOT NULL, nid \(connection.dialect.bytesType) NOT NULL, PRIMARY KEY (view, nid))
            """)
        try connection.execute("DELETE FROM restore_scope")
        let rows: [[SQLValue]] =
            now.map { [.integer(1), .blob($0.bytes)] } + then.map { [.integer(2), .blob($0.bytes)] }
        try connection.insert(rows, into: "restore_scope", "view, nid")
    }

    // MARK: Entries

    /// What changed after `$3` up to `$4`: the newest state of each node, and the one as of `$2` if there
    /// is one.
    ///
    /// Mostly a node changed once since, and its newest entry names the one that is looked for, which saves a
    /// search. That the two are of one node is seen in ``checks``, with the seals: so only where these are
    /// seen within the statement.
    static func changed(_ dialect: SQLDialect) -> String {
        let newest = "SELECT max(jid) FROM tree_journal WHERE ns = $1 AND nid = node.nid AND jid <= $2"
        let old =
            dialect.hasSealFunctions
            ? "CASE WHEN last.previous BETWEEN 1 AND $2 THEN last.previous ELSE (\(newest)) END"
            : "(\(newest))"
        return """
            tree_journal last
            CROSS JOIN tree_nodes node
            LEFT JOIN tree_journal old ON old.ns = $1 AND old.jid = \(old)
            WHERE last.ns = $1 AND last.jid > $3 AND last.jid <= $4
                AND node.ns = $1 AND node.nid = last.nid AND node.rev = last.jid
            """
    }

    /// That the rows are as they were written, and of one node; empty where statements cannot see it.
    private static func checks(_ dialect: SQLDialect) -> String {
        guard dialect.hasSealFunctions else { return "" }
        // A seal that is none: the statement fails where an entry names one of another node, or none.
        return """
            AND is_sealed('tree_nodes', \(columns(TreeNodeRow.columns, of: "node")))
            AND CASE WHEN old.nid = node.nid
                    THEN is_sealed('tree_journal', \(columns(JournalRow.columns, of: "old")))
                WHEN old.jid IS NOT NULL OR last.previous BETWEEN 1 AND $2
                    THEN is_sealed('tree_journal', last.jid, 0)
                ELSE 1 END
            """
    }

    /// The entries of a restore.
    package struct Entries {
        /// The head before them.
        package let head: JID
        package var count = 0
        /// Whether a node comes, goes or moves.
        var changesPlaces = false
    }

    /// Adds an entry for each node that is not as it was, in the order of the changes that are taken back.
    ///
    /// A node that was not there is deleted; but what is in a directory that was not there goes with it,
    /// and has no entry. One transaction: nothing may change between this and ``movePlaces(_:fold:)``.
    package func addEntries(_ request: Request) throws -> Entries {
        if !connection.dialect.hasSealFunctions { try checkSeals(request) }
        try makeFoundTable()
        var entries = Entries(head: request.head)
        var after = request.jid
        while after < request.head {
            let upTo = min(after.addingReportingOverflow(window).partialValue, request.head)
            let count = try find(after: after, upTo: upTo, request)
            if count > 0 {
                let head = entries.head + JID(entries.count)
                try append(after: head, request)
                try changeContent(after: head)
                entries.count += count
                if try !entries.changesPlaces && findsPlaces() { entries.changesPlaces = true }
                try connection.execute(connection.dialect.empty("restore_found"))
            }
            after = upTo
        }
        if !connection.dialect.hasSealFunctions { try sealEntries(after: request.head) }
        return entries
    }

    /// What is to be done, in its own table: an insert that reads the table that it changes keeps all of its
    /// rows aside anyway, and a count over them costs more than the numbers that this table gives.
    private func makeFoundTable() throws {
        let (text, bytes) = (connection.dialect.textType, connection.dialect.bytesType)
        try connection.execute(
            """
            CREATE TEMPORARY TABLE IF NOT EXISTS restore_found (
                number \(connection.dialect.countedKey), nid \(bytes), previous BIGINT, now_crev BIGINT,
                from_parent \(bytes), from_key \(text), parent \(bytes), name_key \(text), kind BIGINT,
                content \(bytes), size BIGINT, mtime BIGINT, mode BIGINT, target \(text), meta \(text),
                keeps BIGINT, op BIGINT)
            """)
        try connection.execute(connection.dialect.empty("restore_found"))
    }

    private static let found = """
        nid, previous, now_crev, from_parent, from_key, parent, name_key, kind, content, size, mtime, mode, \
        target, meta, keeps, op
        """

    /// Finds what is to be done about nodes whose last change is in a part of the journal.
    ///
    /// - Returns: how many nodes.
    private func find(after: JID, upTo: JID, _ request: Request) throws -> Int {
        let isScoped = request.scope != nil
        var values: [SQLValue] = [
            number, .integer(request.jid), .integer(after), .integer(upTo), .blob(root.bytes),
        ]
        if let scope = request.scope { values.append(.blob(scope.bytes)) }
        let kept = request.keeping.indices.map { "$\(values.count + 1 + $0)" }.joined(separator: ", ")
        values += request.keeping.map { .blob($0.bytes) }
        let isFree = kept.isEmpty ? "" : " AND nid NOT IN (\(kept))"
        let inScope = " AND now_parent IN (SELECT nid FROM restore_scope WHERE view = 1)"
        return try connection.execute(
            """
            INSERT INTO restore_found (\(Self.found))
            SELECT \(Self.found) FROM (\(Self.candidates(connection.dialect, isScoped: isScoped))) candidate
            WHERE op > 0\(isFree) AND NOT (op = 4 AND now_parent <> $5 AND NOT EXISTS (
                SELECT 1 FROM tree_journal made
                WHERE made.ns = $1 AND made.nid = now_parent AND made.jid <= $2)\(isScoped ? inScope : ""))
            ORDER BY previous
            """, values)
    }

    private func findsPlaces() throws -> Bool {
        try connection.firstRow("SELECT 1 FROM restore_found WHERE op IN (3, 4, 5) LIMIT 1") != nil
    }

    /// The numbers of the entries for what was found, after `$2`.
    static let foundJID = "(CAST($2 AS BIGINT) + 1 + number - (SELECT min(number) FROM restore_found))"

    /// Writes entries for what was found.
    private func append(after head: JID, _ request: Request) throws {
        try connection.execute(
            """
            INSERT INTO tree_journal (\(JournalRow.columns))
            SELECT \(JournalRow.fields.joined(separator: ", ")), \(seal(JournalRow.fields))
            FROM (
                SELECT CAST($1 AS BIGINT) AS ns, jid, nid, op, previous, from_parent, from_key,
                    1 AS below, parent, name_key, kind,
                    CASE WHEN keeps = 1 THEN now_crev ELSE jid END AS crev,
                    CASE WHEN op = 4 THEN 1 ELSE 0 END AS deleted, content, size, mtime, mode, target, meta,
                    CAST($3 AS TEXT) AS user_id, CAST($4 AS TEXT) AS device,
                    CAST(NULL AS \(connection.dialect.bytesType)) AS op_id, CAST($5 AS BIGINT) AS time
                FROM (SELECT restore_found.*, \(Self.foundJID) AS jid FROM restore_found) numbered) entry
            """,
            [
                number, .integer(head), .optional(request.author.user), .optional(request.author.device),
                .integer(request.time),
            ])
    }

    /// Every node that changed, with the state that it is to have and what that takes: an operation, or 0.
    ///
    /// What was emptied out of the trash since stays as it is: there is nothing to bring back. The number of
    /// the entry is taken from the journal, not from the node, where it is the same: SQLite sees by it that
    /// the rows come in order.
    private static func candidates(_ dialect: SQLDialect, isScoped: Bool) -> String {
        let state = ["parent", "name_key", "kind", "content", "size", "mtime", "mode", "target", "meta"]
            .map { "CASE WHEN old.deleted = 0 THEN old.\($0) ELSE node.\($0) END AS \($0)" }
        let hasOtherContent = """
            (node.kind <> old.kind OR node.content IS DISTINCT FROM old.content
                OR node.target IS DISTINCT FROM old.target)
            """
        let moves = "old.deleted = 0 AND (node.parent <> old.parent OR node.name_key <> old.name_key)"
        let scope = """
            AND (node.nid = $6
                OR node.parent IN (SELECT nid FROM restore_scope WHERE view = 1)
                OR old.parent IN (SELECT nid FROM restore_scope WHERE view = 2))
            """
        return """
            SELECT node.nid AS nid, last.jid AS previous, node.crev AS now_crev, node.parent AS now_parent,
                CASE WHEN \(moves) THEN node.parent END AS from_parent,
                CASE WHEN \(moves) THEN node.name_key END AS from_key, \(state.joined(separator: ", ")),
                CASE WHEN old.deleted = 0 AND \(hasOtherContent) THEN 0 ELSE 1 END AS keeps,
                CASE WHEN old.deleted = 0 THEN CASE
                        WHEN old.kind = 2 AND old.content IS NULL THEN 0
                        WHEN node.deleted = 1 THEN 5
                        WHEN node.parent <> old.parent OR node.name_key <> old.name_key THEN 3
                        WHEN \(hasOtherContent) THEN 2
                        WHEN node.mtime <> old.mtime OR node.mode <> old.mode OR node.meta <> old.meta THEN 6
                        ELSE 0 END
                    WHEN node.deleted = 0 THEN 4 ELSE 0 END AS op
            FROM \(changed(dialect)) \(checks(dialect)) \(isScoped ? scope : "")
            """
    }

    private static func columns(_ list: String, of table: String) -> String {
        list.split(separator: ",").map { table + "." + $0.filter { $0 != " " } }.joined(separator: ", ")
    }

    /// The seal of a row of these columns; 0 where statements cannot make it.
    func seal(_ fields: [String]) -> String {
        connection.dialect.hasSealFunctions ? "row_seal(\(fields.joined(separator: ", ")))" : "0"
    }
}
