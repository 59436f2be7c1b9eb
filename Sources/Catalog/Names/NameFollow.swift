public import Multiformats

/// A name that is published again whenever a namespace has a new head.
public struct NameFollow: Hashable, Sendable {
    public let name: PeerID
    public let namespace: NamespaceID
    /// What of the namespace it points to: names joined by slashes; empty for all of it.
    public let path: String
    /// The head that was published last; `nil` before the first time.
    public var version: Int64?
    /// Unix milliseconds.
    public let since: Int64
    /// Unix milliseconds of the last attempt.
    public var tried: Int64
    /// Why the last attempt failed; `nil` if it did not.
    public var failure: String?

    public init(name: PeerID, namespace: NamespaceID, path: String, since: Int64) {
        self.name = name
        self.namespace = namespace
        self.path = path
        self.since = since
        tried = since
    }

    /// The most bytes of a path.
    public static let maximumPathBytes = 4096
    /// The most bytes of a reason.
    static let maximumFailureBytes = 512
}

/// What becomes of a name's following when it is published.
public enum NameFollowChange: Hashable, Sendable {
    /// Nothing: the same content is signed anew.
    case unchanged
    /// The name points to what its owner says, and follows nothing any more.
    case ended
    /// It follows from here on.
    case began(NameFollow)
    /// A new head is published: only while the name still follows as it was read.
    case advanced(from: NameFollow, to: NameFollow)
}

/// Rows of the table `name_follows`. The version -1 means that none was published, an empty failure none.
enum NameFollowRow {
    static let columns = "name, ns, path, version, since, tried, failure, seal"

    static func values(_ follow: NameFollow) -> [SQLValue] {
        SealedColumns.values([
            .blob(follow.name.multihash.bytes), .text(follow.namespace.text), .text(follow.path),
            .integer(follow.version ?? -1), .integer(follow.since), .integer(follow.tried),
            .text(follow.failure ?? ""),
        ])
    }

    static func follow(_ row: SQLRow) throws(CatalogError) -> NameFollow {
        try SealedColumns.read(row, table: "name_follows") { row in
            var follow = NameFollow(
                name: try SealedRow.name(row, 0, table: "name_follows"),
                namespace: try NamespaceID(text: row.text(1)), path: try row.text(2),
                since: try row.integer(4))
            let (version, failure) = (try row.integer(3), try row.text(6))
            follow.version = version < 0 ? nil : version
            follow.tried = try row.integer(5)
            follow.failure = failure.isEmpty ? nil : failure
            return follow
        }
    }

    static func find(_ name: PeerID, _ connection: any SQLConnection) throws -> NameFollow? {
        try connection.firstRow(
            "SELECT \(columns) FROM name_follows WHERE name = $1", [.blob(name.multihash.bytes)]
        ).map(follow)
    }

    static func put(_ follow: NameFollow, _ connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO name_follows (\(columns)) VALUES (\(SealedColumns.placeholders(8)))
            ON CONFLICT (name) DO UPDATE SET ns = excluded.ns, path = excluded.path,
                version = excluded.version, since = excluded.since, tried = excluded.tried,
                failure = excluded.failure, seal = excluded.seal
            """, values(follow))
    }

    /// - Returns: whether there was one.
    @discardableResult
    static func remove(_ name: PeerID, _ connection: any SQLConnection) throws -> Bool {
        try connection.execute(
            "DELETE FROM name_follows WHERE name = $1", [.blob(name.multihash.bytes)]) > 0
    }
}

/// The step that made the table.
extension Migration {
    static let nameFollows = Migration(20, "name follows") { connection in
        let (text, bytes) = (connection.dialect.textType, connection.dialect.bytesType)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS name_follows (
                name \(bytes) NOT NULL PRIMARY KEY,
                ns \(text) NOT NULL,
                path \(text) NOT NULL,
                version BIGINT NOT NULL,
                since BIGINT NOT NULL,
                tried BIGINT NOT NULL,
                failure \(text) NOT NULL,
                seal BIGINT NOT NULL
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute("CREATE INDEX IF NOT EXISTS name_follows_by_namespace ON name_follows (ns)")
    }
}
