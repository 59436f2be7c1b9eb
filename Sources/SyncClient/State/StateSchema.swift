import Digests
import GRDB
import Multiformats

/// The steps of a schema, each with a checksum, so that a program never works on tables it does not know.
///
/// A released step is never edited; a later one changes what it made. Each runs in a transaction of its
/// own, together with the record of it.
struct StateSchema: Sendable {
    /// SQL by number: the first is step 1.
    let steps: [String]

    /// Brings a database to the newest step.
    ///
    /// - Parameter now: Unix milliseconds, recorded with each step.
    /// - Throws: `newerSchema`, `otherSchema`, before anything is written.
    func apply(to database: Database, path: String, now: Int64) throws {
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS schema_version (
                    step INTEGER NOT NULL PRIMARY KEY, applied INTEGER NOT NULL, checksum TEXT NOT NULL
                )
                """)
        let applied = try check(database, path: path)
        for index in applied..<steps.count {
            try database.inTransaction(.immediate) {
                try database.execute(sql: steps[index])
                try database.execute(
                    sql: "INSERT INTO schema_version (step, applied, checksum) VALUES (?, ?, ?)",
                    arguments: [index + 1, now, Self.checksum(steps[index])])
                return .commit
            }
        }
    }

    /// Checks that a database is at a step of this schema.
    ///
    /// - Returns: how many steps it has.
    /// - Throws: `newerSchema`, `otherSchema`.
    @discardableResult
    func check(_ database: Database, path: String) throws -> Int {
        let applied = try Row.fetchAll(
            database, sql: "SELECT step, checksum FROM schema_version ORDER BY step")
        guard applied.count <= steps.count else {
            throw SyncStateError.newerSchema(path: path, found: applied.count, known: steps.count)
        }
        for (index, row) in applied.enumerated() {
            let (step, checksum): (Int, String) = (row[0], row[1])
            guard step == index + 1, checksum == Self.checksum(steps[index]) else {
                throw SyncStateError.otherSchema(path: path, step: index + 1)
            }
        }
        return applied.count
    }

    private static func checksum(_ sql: String) -> String {
        let digest = Array(sql.utf8).withUnsafeBytes { Multihash.sha256(of: $0).digest }
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension StateSchema {
    /// The three trees and what belongs to them.
    ///
    /// `key` is the folded name: NFC form and small letters; `name` is there where it is another text. Rows
    /// are found by id, by directory and key, and local ones by what the file system calls them.
    static let trees = StateSchema(steps: [
        treeTable("remote") + treeTable("local", stampColumns) + treeTable("synced")
            + """
            CREATE INDEX local_identity ON local (inode, device) WHERE inode IS NOT NULL;
            CREATE TABLE unsettled (nid BLOB NOT NULL PRIMARY KEY) WITHOUT ROWID;
            CREATE TABLE cursor (
                one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
                epoch INTEGER NOT NULL, jid INTEGER NOT NULL, text TEXT NOT NULL
            );
            CREATE TABLE value (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
            """,
        "CREATE INDEX local_conflicts ON local (nid) WHERE \(StateQuery.mayBeConflict);",
    ])

    private static let stampColumns =
        ", device INTEGER, inode INTEGER, stamp_size INTEGER, stamp_modified INTEGER, stamp_changed INTEGER, "
        + "stamp_seen INTEGER"

    private static func treeTable(_ name: String, _ more: String = "") -> String {
        """
        CREATE TABLE \(name) (
            nid BLOB NOT NULL PRIMARY KEY, parent BLOB NOT NULL, key TEXT NOT NULL, name TEXT,
            kind INTEGER NOT NULL, content BLOB, target TEXT, size INTEGER NOT NULL,
            modified INTEGER NOT NULL, mode INTEGER, revision INTEGER NOT NULL,
            content_revision INTEGER NOT NULL\(more)
        ) WITHOUT ROWID;
        CREATE INDEX \(name)_children ON \(name) (parent, key);

        """
    }

    /// What can be thrown away and made again from the files.
    static let blocks = StateSchema(steps: [
        """
        CREATE TABLE leaves (
            root BLOB NOT NULL PRIMARY KEY, count INTEGER NOT NULL, list BLOB NOT NULL, used INTEGER NOT NULL
        );
        CREATE INDEX leaves_used ON leaves (used);
        CREATE TABLE source (
            prefix INTEGER NOT NULL, nid BLOB NOT NULL, start INTEGER NOT NULL, bytes INTEGER NOT NULL,
            PRIMARY KEY (prefix, nid, start)
        ) WITHOUT ROWID;
        """
    ])
}
