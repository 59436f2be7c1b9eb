public import TreeValues

/// A version before the horizon that is kept.
public struct KeptVersion: Hashable, Sendable {
    public let jid: JID
    /// Unix milliseconds of the midnight (UTC) before which it was the last version; `nil` if it is kept
    /// for another reason.
    public var day: Int64?
    /// Why a person holds on to it, perhaps empty; `nil` if nobody does.
    public var note: String?
    /// Unix milliseconds: when it came here.
    public let time: Int64

    package init(jid: JID, day: Int64? = nil, note: String? = nil, time: Int64) {
        self.jid = jid
        self.day = day
        self.note = note
        self.time = time
    }

    /// The most bytes of a note.
    public static let maximumNoteBytes = 1024
    /// The most versions of a namespace that people hold on to.
    public static let maximumHeld = 1000
}

/// How far the history of a namespace was thinned out.
package struct HistoryMark: Hashable, Sendable {
    /// Every version from here on is kept; of those before it, those that are listed.
    package var horizon: JID = 0
    /// Entries up to here have lost the content that no kept version needs.
    package var swept: JID = 0
    /// Unix milliseconds: when the version at the horizon was made, by a clock that only goes forwards.
    package var time: Int64 = 0

    package init() {}
}

/// The rows of ``HistoryMark`` and ``KeptVersion``.
enum HistoryRow {
    static let markColumns = "ns, horizon, swept, time, seal"
    static let keptColumns = "ns, jid, day, note, time, seal"

    static func values(_ mark: HistoryMark, in number: Int64) -> [SQLValue] {
        SealedColumns.values([
            .integer(number), .integer(mark.horizon), .integer(mark.swept), .integer(mark.time),
        ])
    }

    static func mark(_ row: SQLRow) throws(CatalogError) -> HistoryMark {
        try SealedColumns.read(row, table: "tree_history") { row in
            var mark = HistoryMark()
            mark.horizon = try row.integer(1)
            mark.swept = try row.integer(2)
            mark.time = try row.integer(3)
            return mark
        }
    }

    static func values(_ version: KeptVersion, in number: Int64) -> [SQLValue] {
        SealedColumns.values([
            .integer(number), .integer(version.jid), .optional(version.day), .optional(version.note),
            .integer(version.time),
        ])
    }

    static func kept(_ row: SQLRow) throws(CatalogError) -> KeptVersion {
        try SealedColumns.read(row, table: "tree_kept", keyColumns: 2) { row in
            KeptVersion(
                jid: try row.integer(1), day: try row.optionalInteger(2), note: try row.optionalText(3),
                time: try row.integer(4))
        }
    }

    static func create(_ connection: any SQLConnection) throws {
        let options = connection.dialect.tableOptions
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS tree_history (
                ns BIGINT NOT NULL PRIMARY KEY, horizon BIGINT NOT NULL, swept BIGINT NOT NULL,
                time BIGINT NOT NULL, seal BIGINT NOT NULL
            )\(options)
            """)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS tree_kept (
                ns BIGINT NOT NULL, jid BIGINT NOT NULL, day BIGINT, note \(connection.dialect.textType),
                time BIGINT NOT NULL, seal BIGINT NOT NULL, PRIMARY KEY (ns, jid)
            )\(options)
            """)
        // What was taken out of the trash before its time: the entry of the deletion.
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS tree_emptied (
                ns BIGINT NOT NULL, jid BIGINT NOT NULL, done BIGINT NOT NULL, PRIMARY KEY (ns, jid)
            )\(options)
            """)
        // The trash is read off it.
        try connection.execute(
            "CREATE INDEX IF NOT EXISTS tree_journal_deletions ON tree_journal (ns, jid) WHERE op = 4")
    }
}
