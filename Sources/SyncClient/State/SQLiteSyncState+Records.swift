import Foundation
import GRDB
public import TreeValues

/// What is kept beside the trees: operations without an answer, items with a reason, and events.
extension SQLiteSyncState {
    // MARK: Operations

    /// Keeps an operation, in the place of what was known of it.
    public func putOperation(_ operation: StoredOperation) throws {
        try execute(
            """
            INSERT INTO operation (id, nid, body, attempts, next_try, error) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET nid = excluded.nid, body = excluded.body,
                attempts = excluded.attempts, next_try = excluded.next_try, error = excluded.error
            """,
            [
                Data(operation.id.bytes), Data(operation.node.bytes), Data(operation.body),
                operation.attempts,
                operation.nextTry, operation.error,
            ])
    }

    /// Forgets an operation, which has its answer.
    public func removeOperation(_ id: OperationID) throws {
        try execute("DELETE FROM operation WHERE id = ?", [Data(id.bytes)])
    }

    /// Operations in the order of their ids, after one of them.
    public func operations(after id: OperationID? = nil, limit: Int) throws -> [StoredOperation] {
        try rows(
            "SELECT id, nid, body, attempts, next_try, error FROM operation WHERE id > ? ORDER BY id LIMIT ?",
            [Data(id?.bytes ?? []), limit]
        ).map(Self.operation)
    }

    /// The operations that change a node.
    public func operations(on node: NodeID) throws -> [StoredOperation] {
        try rows(
            "SELECT id, nid, body, attempts, next_try, error FROM operation WHERE nid = ? ORDER BY id",
            [Data(node.bytes)]
        ).map(Self.operation)
    }

    private static func operation(_ row: Row) throws -> StoredOperation {
        let (id, node, body): (Data, Data, Data) = (row[0], row[1], row[2])
        guard let id = OperationID(bytes: id), let node = NodeID(bytes: node) else {
            throw SyncStateError.badRow(table: "operation")
        }
        return StoredOperation(
            id: id, node: node, body: [UInt8](body), attempts: row[3], nextTry: row[4], error: row[5])
    }

    // MARK: Items

    /// Keeps why a path is not settled, in the place of an earlier reason.
    public func putItem(_ item: StoredItem) throws {
        try execute(
            """
            INSERT INTO item (path, code, message, since, attempts, next_try) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (path) DO UPDATE SET code = excluded.code, message = excluded.message,
                since = excluded.since, attempts = excluded.attempts, next_try = excluded.next_try
            """, [item.path, item.code, item.message, item.since, item.attempts, item.nextTry])
    }

    /// Forgets a path that is settled.
    public func removeItem(_ path: String) throws { try execute("DELETE FROM item WHERE path = ?", [path]) }

    /// Items in the order of their paths, after one of them.
    public func items(after path: String = "", limit: Int) throws -> [StoredItem] {
        try rows(
            """
            SELECT path, code, message, since, attempts, next_try FROM item WHERE path > ?
            ORDER BY path LIMIT ?
            """, [path, limit]
        ).map {
            StoredItem(
                path: $0[0], code: $0[1], message: $0[2], since: $0[3], attempts: $0[4], nextTry: $0[5])
        }
    }

    // MARK: Events

    /// Keeps an event; the oldest goes when there are more than the options allow.
    ///
    /// - Returns: its number.
    @discardableResult
    public func addEvent(
        _ level: StoredEvent.Level, path: String? = nil, code: String, message: String
    ) throws -> Int64 {
        try transaction {
            try execute(
                "INSERT INTO event (time, level, path, code, message) VALUES (?, ?, ?, ?, ?)",
                [options.now(), level.rawValue, path, code, message])
            let number: Int64 = try rows("SELECT max(number) FROM event", []).first?[0] ?? 0
            try execute("DELETE FROM event WHERE number <= ?", [number - Int64(options.maximumEvents)])
            return number
        }
    }

    /// The newest events, the oldest of them first.
    public func events(after number: Int64 = 0, limit: Int) throws -> [StoredEvent] {
        try rows(
            """
            SELECT number, time, level, path, code, message FROM event WHERE number > ?
            ORDER BY number DESC LIMIT ?
            """, [number, limit]
        ).reversed().map { row in
            guard let level = StoredEvent.Level(rawValue: row[2]) else {
                throw SyncStateError.badRow(table: "event")
            }
            return StoredEvent(
                number: row[0], time: row[1], level: level, path: row[3], code: row[4], message: row[5])
        }
    }
}
