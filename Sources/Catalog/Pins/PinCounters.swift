/// How many pins there are, and how large: kept up by every change, never found by scanning.
///
/// Sizes are sums over pins: content that two pins keep counts twice.
public struct PinCounters: Hashable, Sendable {
    public var pins: Int64 = 0
    public var contentBytes: Int64 = 0
    public var blockCount: Int64 = 0
    public var blockBytes: Int64 = 0
    public var byStatus: [PinStatus: Int64] = [:]
    public var byVisibility: [PinVisibility: Int64] = [:]

    public init() {}
}

/// The table `pin_counters`: one row for each owner, visibility and status.
enum PinCounterTable {
    /// Counts a pin in (`by` 1) or out (`by` -1).
    static func adjust(_ connection: any SQLConnection, for pin: Pin, by sign: Int64) throws {
        func change(_ figure: Int64?) -> SQLValue { .integer(sign &* (figure ?? 0)) }
        try connection.execute(
            """
            INSERT INTO pin_counters
                (owner, visibility, status, pins, content_bytes, block_count, block_bytes)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (owner, visibility, status) DO UPDATE SET
                pins = pin_counters.pins + excluded.pins,
                content_bytes = pin_counters.content_bytes + excluded.content_bytes,
                block_count = pin_counters.block_count + excluded.block_count,
                block_bytes = pin_counters.block_bytes + excluded.block_bytes
            """,
            [
                .text(pin.owner.rawValue), .text(pin.visibility.rawValue), .text(pin.status.rawValue),
                .integer(sign), change(pin.figures.contentBytes), change(pin.figures.blockCount),
                change(pin.figures.blockBytes),
            ])
    }

    /// Makes the counters anew from the pins.
    static func recount(_ connection: any SQLConnection) throws {
        try connection.execute("DELETE FROM pin_counters")
        try connection.execute(
            """
            INSERT INTO pin_counters
                (owner, visibility, status, pins, content_bytes, block_count, block_bytes)
            \(counted)
            """)
    }

    /// What the counters should be.
    private static let counted = """
        SELECT owner, visibility, status, count(*), CAST(coalesce(sum(content_bytes), 0) AS BIGINT),
            CAST(coalesce(sum(block_count), 0) AS BIGINT), CAST(coalesce(sum(block_bytes), 0) AS BIGINT)
        FROM pins GROUP BY owner, visibility, status
        """

    /// Whether the counters are what counting gives. Reads every pin.
    static func isRight(_ connection: any SQLConnection) throws -> Bool {
        let kept = try connection.rows(
            """
            SELECT owner, visibility, status, pins, content_bytes, block_count, block_bytes
            FROM pin_counters WHERE pins <> 0 OR content_bytes <> 0 OR block_count <> 0 OR block_bytes <> 0
            """)
        return Set(kept.map(\.values)) == Set(try connection.rows(counted).map(\.values))
    }

    /// The sums for one owner, or for all.
    static func read(_ connection: any SQLConnection, owner: ProjectID?) throws -> PinCounters {
        var condition = SQLCondition()
        if let owner { condition.require("owner = ?", .text(owner.rawValue)) }
        var result = PinCounters()
        try connection.query(
            "SELECT visibility, status, pins, content_bytes, block_count, block_bytes FROM pin_counters"
                + condition.clause, condition.values
        ) { row in
            let (visibilityText, statusText) = (try row.text(0), try row.text(1))
            guard let visibility = PinVisibility(rawValue: visibilityText),
                let status = PinStatus(rawValue: statusText)
            else {
                throw CatalogError.damagedRow(table: "pin_counters", key: "\(visibilityText)/\(statusText)")
            }
            let pins = try row.integer(2)
            result.pins &+= pins
            result.contentBytes &+= try row.integer(3)
            result.blockCount &+= try row.integer(4)
            result.blockBytes &+= try row.integer(5)
            result.byStatus[status, default: 0] &+= pins
            result.byVisibility[visibility, default: 0] &+= pins
        }
        return result
    }
}
