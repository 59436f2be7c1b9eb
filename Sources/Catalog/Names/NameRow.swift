import Multiformats

/// Names as rows of the table `names`, and back. A name that was never published has an empty record, the sequence -1
/// and no validity.
enum NameRow {
    static let columns = """
        id, owner, label, sealed_key, target, sequence, record, valid_until, lifetime, ttl, revision, \
        created, updated, seal
        """
    static let placeholders = (1...14).map { "$\($0)" }.joined(separator: ", ")

    static func values(_ entry: NameEntry) -> [SQLValue] {
        let published = entry.publication
        let fields: [SQLValue] = [
            .blob(entry.id.multihash.bytes), .text(entry.owner.rawValue), .text(entry.label),
            .blob(entry.sealedKey), .text(published?.target ?? ""), .integer(published?.sequence ?? -1),
            .blob(published?.record ?? []), .integer(published?.validUntil ?? 0),
            .integer(entry.lifetimeSeconds), .integer(entry.ttlNanoseconds), .integer(entry.revision),
            .integer(entry.created), .integer(entry.updated),
        ]
        return fields + [.integer(RowSeal.over(fields))]
    }

    /// - Throws: `damagedRow` if the fields do not fit the seal, or are none of a name.
    static func entry(_ row: SQLRow) throws(CatalogError) -> NameEntry {
        try SealedRow.check(row, table: "names")
        let record = try row.blob(6)
        let publication = NamePublication(
            record: record, target: try row.text(4), sequence: try row.integer(5),
            validUntil: try row.integer(7))
        return NameEntry(
            id: try SealedRow.name(row, 0, table: "names"), owner: ProjectID(rawValue: try row.text(1)),
            label: try row.text(2), sealedKey: try row.blob(3),
            publication: record.isEmpty ? nil : publication, lifetimeSeconds: try row.integer(8),
            ttlNanoseconds: try row.integer(9), revision: try row.integer(10), created: try row.integer(11),
            updated: try row.integer(12))
    }
}

/// Rows of the table `name_versions`.
enum NameVersionRow {
    static let columns = "name, number, target, sequence, published, seal"

    static func values(_ name: PeerID, _ version: NameVersion) -> [SQLValue] {
        let fields: [SQLValue] = [
            .blob(name.multihash.bytes), .integer(version.number), .text(version.target),
            .integer(version.sequence), .integer(version.published),
        ]
        return fields + [.integer(RowSeal.over(fields))]
    }

    static func version(_ row: SQLRow) throws(CatalogError) -> NameVersion {
        try SealedRow.check(row, table: "name_versions")
        return NameVersion(
            number: try row.integer(1), target: try row.text(2), sequence: try row.integer(3),
            published: try row.integer(4))
    }
}

/// Rows of the table `name_records`.
enum ForeignRecordRow {
    static let columns = "name, sequence, valid_until, record, stored, seal"

    static func values(_ record: ForeignRecord) -> [SQLValue] {
        let fields: [SQLValue] = [
            .blob(record.name.multihash.bytes), .integer(record.sequence), .integer(record.validUntil),
            .blob(record.record), .integer(record.stored),
        ]
        return fields + [.integer(RowSeal.over(fields))]
    }

    static func record(_ row: SQLRow) throws(CatalogError) -> ForeignRecord {
        try SealedRow.check(row, table: "name_records")
        return ForeignRecord(
            name: try SealedRow.name(row, 0, table: "name_records"), record: try row.blob(3),
            sequence: try row.integer(1), validUntil: try row.integer(2), stored: try row.integer(4))
    }
}

/// What the rows of names have in common: the first column is a name, the last one the seal.
enum SealedRow {
    static func check(_ row: SQLRow, table: String) throws(CatalogError) {
        guard row.values.last == .integer(RowSeal.over(Array(row.values.dropLast()))) else {
            throw .damagedRow(table: table, key: key(row))
        }
    }

    static func name(_ row: SQLRow, _ column: Int, table: String) throws(CatalogError) -> PeerID {
        let bytes = try row.blob(column)
        var offset = 0
        guard let multihash = try? Multihash.decode(bytes.span.bytes, at: &offset), offset == bytes.count,
            let name = try? PeerID(multihash: multihash)
        else { throw .damagedRow(table: table, key: key(row)) }
        return name
    }

    private static func key(_ row: SQLRow) -> String {
        guard let bytes = try? row.blob(0) else { return "without a name" }
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
