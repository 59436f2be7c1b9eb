import GRDB
import Multiformats
public import SyncProtocol
import TreeValues

extension SQLiteSyncState {
    /// Runs SQL that is not hot: the connection keeps such statements by their text.
    func execute(_ sql: String, _ arguments: StatementArguments) throws {
        try access { try $0.execute(sql, arguments) }
    }

    /// Makes the file full at so many pages, as a full disk does.
    func limitFile(toPages count: Int) throws { try execute("PRAGMA max_page_count = \(count)", []) }

    func rows(_ sql: String, _ arguments: StatementArguments) throws -> [Row] {
        try access { try $0.rows(sql, arguments) }
    }

    public func cursor() throws -> SyncCursor? {
        try rows("SELECT epoch, jid, text FROM cursor", []).first.map {
            SyncCursor(epoch: $0[0], jid: $0[1], text: $0[2])
        }
    }

    public func setCursor(_ cursor: SyncCursor?) throws {
        guard let cursor else { return try execute("DELETE FROM cursor", []) }
        try execute(
            """
            INSERT INTO cursor (one, epoch, jid, text) VALUES (1, ?, ?, ?)
            ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, jid = excluded.jid, text = excluded.text
            """, [cursor.epoch, cursor.jid, cursor.text])
    }

    public func value(_ key: String) throws -> String? {
        try rows("SELECT value FROM value WHERE key = ?", [key]).first?[0]
    }

    public func setValue(_ value: String?, _ key: String) throws {
        guard let value else { return try execute("DELETE FROM value WHERE key = ?", [key]) }
        try execute(
            """
            INSERT INTO value (key, value) VALUES (?, ?)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value
            """, [key, value])
    }
}

extension StateSession {
    func execute(_ sql: String, _ arguments: StatementArguments) throws {
        try lent().cachedStatement(sql: sql).execute(arguments: arguments)
    }

    func rows(_ sql: String, _ arguments: StatementArguments) throws -> [Row] {
        try Row.fetchAll(lent().cachedStatement(sql: sql), arguments: arguments)
    }
}
