/// The audit log of the catalog: what was allowed and refused.
///
/// Thread-safe and synchronous. Written in batches; what was not written yet is lost with the process.
public struct AuditRepository: Sendable {
    let database: any SQLDatabase
    let ids: RecordIDGenerator<AuditEntry>

    /// Something that happened, `count` times in a row.
    public struct Occurrence: Hashable, Sendable {
        public var event: AuditEvent
        /// Unix milliseconds.
        public var time: Int64
        public var count: Int64

        public init(event: AuditEvent, time: Int64, count: Int64) {
            self.event = event
            self.time = time
            self.count = count
        }
    }

    /// Adds a batch in one transaction.
    public func add(_ occurrences: [Occurrence]) throws {
        guard !occurrences.isEmpty else { return }
        let rows = occurrences.map { AuditRow.values($0, id: ids.next(now: $0.time)) }
        try database.write { connection in
            for row in rows {
                try connection.execute(
                    "INSERT INTO audit (\(AuditRow.columns)) VALUES (\(SealedColumns.placeholders(13)))", row)
            }
        }
    }

    /// A page of the entries that the filter lets through, newest first.
    ///
    /// - Parameter before: the id of the last entry of the page before.
    public func list(_ filter: AuditFilter = AuditFilter(), before: AuditID? = nil, limit: Int = 100) throws
        -> [AuditEntry]
    {
        var condition = SQLCondition()
        if let project = filter.project { condition.require("project = ?", .text(project.rawValue)) }
        if let grant = filter.grant { condition.require("grant_id = ?", .text(grant.text)) }
        if let user = filter.user { condition.require("user_id = ?", .text(user.text)) }
        if let who = filter.who { condition.require("(grant_id = ? OR user_id = ?)", .text(who)) }
        if let isAllowed = filter.isAllowed { condition.require("allowed = ?", .integer(isAllowed ? 1 : 0)) }
        if let operation = filter.operation { condition.require("operation = ?", .text(operation)) }
        if let source = filter.source { condition.require("source = ?", .text(source)) }
        if let since = filter.since { condition.require("time >= ?", .integer(since)) }
        if let until = filter.until { condition.require("time < ?", .integer(until)) }
        if let before { condition.require("id < ?", .text(before.text)) }
        return try database.read { connection in
            try connection.rows(
                """
                SELECT \(AuditRow.columns) FROM audit\(condition.clause) ORDER BY id DESC \
                LIMIT \(min(max(limit, 1), PinRepository.maximumPage))
                """, condition.values
            ).map(AuditRow.entry)
        }
    }

    /// Removes what is older than `time` (Unix milliseconds), and the oldest entries beyond `maximumRows`.
    ///
    /// At most a thousand entries a transaction, so that others can write in between.
    public func trim(olderThan time: Int64, maximumRows: Int) throws {
        let oldest = RecordID<AuditEntry>(high: UInt64(clamping: time) << 16, low: 0)
        let surplus = try database.read { connection in
            try connection.firstRow(
                "SELECT id FROM audit ORDER BY id DESC LIMIT 1 OFFSET \(max(0, maximumRows))"
            )
            .map { try $0.text(0) }
        }
        // The first surplus entry goes as well.
        try remove("id < $1", oldest.text)
        if let surplus { try remove("id <= $1", surplus) }
    }

    private func remove(_ condition: String, _ id: String) throws {
        while true {
            let removed = try database.write { connection in
                try connection.execute(
                    """
                    DELETE FROM audit WHERE id IN \
                    (SELECT id FROM audit WHERE \(condition) ORDER BY id LIMIT \(PinRepository.maximumPage))
                    """, [.text(id)])
            }
            if removed < PinRepository.maximumPage { return }
        }
    }
}

/// Entries as rows of the table `audit`, and back.
enum AuditRow {
    static let columns = """
        id, time, count, allowed, code, operation, resource, source, project, user_id, grant_id, address, seal
        """

    static func values(_ occurrence: AuditRepository.Occurrence, id: AuditID) -> [SQLValue] {
        let event = occurrence.event
        return SealedColumns.values([
            .text(id.text), .integer(occurrence.time), .integer(occurrence.count),
            .integer(event.isAllowed ? 1 : 0), text(event.code), text(event.operation),
            text(event.resource), text(event.source), .optional(event.project?.rawValue),
            .optional(event.user?.text), .optional(event.grant?.text), text(event.address),
        ])
    }

    static func entry(_ row: SQLRow) throws(CatalogError) -> AuditEntry {
        try SealedColumns.read(row, table: "audit") { row in
            var event = AuditEvent(
                isAllowed: try row.integer(3) != 0, code: try row.text(4), operation: try row.text(5),
                resource: try row.text(6), source: try row.text(7), address: try row.text(11))
            event.project = try row.optionalText(8).map(ProjectID.init)
            event.user = try row.optionalText(9).map { try UserID(text: $0) }
            event.grant = try row.optionalText(10).map { try GrantID(text: $0) }
            return AuditEntry(
                id: try AuditID(text: row.text(0)), event: event, time: try row.integer(1),
                count: try row.integer(2))
        }
    }

    /// Cut to the limit, without NUL, which PostgreSQL refuses: the log takes everything.
    private static func text(_ text: String) -> SQLValue {
        guard text.utf8.count > AuditEvent.maximumTextBytes || text.utf8.contains(0) else {
            return .text(text)
        }
        let bytes = text.utf8.prefix(AuditEvent.maximumTextBytes).filter { $0 != 0 }
        return .text(String(decoding: bytes, as: UTF8.self))
    }
}
