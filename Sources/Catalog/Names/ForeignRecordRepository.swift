public import Multiformats

/// Records of names whose keys are elsewhere: one for each name, the newest; bounded in number.
///
/// Thread-safe and synchronous. Whoever puts a record has validated it.
public struct ForeignRecordRepository: Sendable {
    let database: any SQLDatabase

    /// The most records that are kept. Ten thousand of the largest take a hundred megabytes.
    public static let maximumRecords = 10_000

    /// Keeps a record in the place of an older one.
    ///
    /// - Parameters:
    ///   - record: newer is a higher sequence, then a later end, then greater bytes. The one that is here already is
    ///     taken again without a change.
    ///   - maximum: how many names there may be. Records that ended before `record.stored` go first.
    /// - Throws: `notNewer`, `tooManyRecords`; nothing is changed then.
    public func put(_ record: ForeignRecord, maximum: Int = Self.maximumRecords) throws {
        try database.write { connection in
            if let kept = try find(record.name, connection) {
                if kept.record == record.record { return }
                guard Self.isNewer(record, than: kept) else { throw Self.notNewer(record, kept) }
            } else {
                try makeRoom(maximum, now: record.stored, connection)
            }
            let changed = try connection.execute(
                """
                INSERT INTO name_records (\(ForeignRecordRow.columns)) VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence,
                    valid_until = excluded.valid_until, record = excluded.record, stored = excluded.stored,
                    seal = excluded.seal
                WHERE (name_records.sequence, name_records.valid_until, name_records.record)
                    < (excluded.sequence, excluded.valid_until, excluded.record)
                """, ForeignRecordRow.values(record))
            // Another node on the same database may have put a newer one since the look.
            if changed == 0 {
                throw NameRepositoryError.notNewer(
                    record.name, sequence: record.sequence, kept: record.sequence)
            }
        }
    }

    /// The record of a name, valid or not.
    public func record(of name: PeerID) throws -> ForeignRecord? {
        try database.read { try find(name, $0) }
    }

    /// Removes the record of a name.
    @discardableResult
    public func remove(_ name: PeerID) throws -> Bool {
        try database.write {
            try $0.execute("DELETE FROM name_records WHERE name = $1", [.blob(name.multihash.bytes)]) > 0
        }
    }

    /// Removes records that ended before a moment, at most a thousand in one call.
    ///
    /// - Parameter moment: Unix milliseconds.
    /// - Returns: how many went.
    @discardableResult
    public func removeExpired(before moment: Int64) throws -> Int {
        try database.write { try removeExpired(before: moment, $0) }
    }

    /// How many records are kept.
    public func count() throws -> Int { try database.read { try count($0) } }

    private func makeRoom(_ maximum: Int, now: Int64, _ connection: any SQLConnection) throws {
        guard try count(connection) >= maximum else { return }
        guard try removeExpired(before: now, connection) > 0 else {
            throw NameRepositoryError.tooManyRecords(maximum: maximum)
        }
    }

    private func removeExpired(before moment: Int64, _ connection: any SQLConnection) throws -> Int {
        try connection.execute(
            """
            DELETE FROM name_records WHERE name IN
                (SELECT name FROM name_records WHERE valid_until < $1 ORDER BY valid_until LIMIT 1000)
            """, [.integer(moment)])
    }

    private func count(_ connection: any SQLConnection) throws -> Int {
        Int(clamping: try connection.firstRow("SELECT count(*) FROM name_records")?.integer(0) ?? 0)
    }

    private func find(_ name: PeerID, _ connection: any SQLConnection) throws -> ForeignRecord? {
        try connection.firstRow(
            "SELECT \(ForeignRecordRow.columns) FROM name_records WHERE name = $1",
            [.blob(name.multihash.bytes)]
        ).map(ForeignRecordRow.record)
    }

    private static func isNewer(_ a: ForeignRecord, than b: ForeignRecord) -> Bool {
        if a.sequence != b.sequence { return a.sequence > b.sequence }
        if a.validUntil != b.validUntil { return a.validUntil > b.validUntil }
        return b.record.lexicographicallyPrecedes(a.record)
    }

    private static func notNewer(_ record: ForeignRecord, _ kept: ForeignRecord) -> NameRepositoryError {
        .notNewer(record.name, sequence: record.sequence, kept: kept.sequence)
    }
}
