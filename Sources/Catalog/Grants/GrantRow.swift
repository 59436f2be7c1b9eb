/// Grants as rows of the table `grants`, and back.
enum GrantRow {
    static let columns = """
        id, parent, ancestors, project, user_id, name, secret_hash, operations, scope, maximum_uses, \
        maximum_file_bytes, maximum_bytes, content_types, sources, referrers, not_before, expires, created, \
        revoked, seal
        """
    static let columnCount = 20

    /// - Throws: `nameTooLong`, `nameContainsNUL`.
    static func values(_ grant: GrantRecord) throws(CatalogError) -> [SQLValue] {
        try NameColumn.check(grant.name, maximumBytes: GrantRecord.maximumNameBytes)
        for list in [grant.operations, grant.scope, grant.contentTypes, grant.sources, grant.referrers] {
            try NameColumn.check(list, maximumBytes: GrantRecord.maximumListBytes)
        }
        return SealedColumns.values([
            .text(grant.id.text), .optional(grant.ancestors.last?.text),
            .text(grant.ancestors.map(\.text).joined(separator: " ")), .text(grant.project.rawValue),
            .optional(grant.user?.text), .text(grant.name), .blob(grant.secretHash), .text(grant.operations),
            .text(grant.scope), .optional(grant.maximumUses), .optional(grant.maximumFileBytes),
            .optional(grant.maximumBytes), .text(grant.contentTypes), .text(grant.sources),
            .text(grant.referrers), .optional(grant.notBefore), .optional(grant.expires),
            .integer(grant.created), .optional(grant.revoked),
        ])
    }

    /// - Throws: `damagedRow`.
    static func grant(_ row: SQLRow) throws(CatalogError) -> GrantRecord {
        try SealedColumns.read(row, table: "grants") { row in
            var grant = GrantRecord(
                id: try GrantID(text: row.text(0)), project: ProjectID(rawValue: try row.text(3)),
                name: try row.text(5), secretHash: try row.blob(6), operations: try row.text(7),
                scope: try row.text(8), created: try row.integer(17))
            grant.ancestors = try row.text(2).split(separator: " ").map { try GrantID(text: String($0)) }
            grant.user = try row.optionalText(4).map { try UserID(text: $0) }
            grant.maximumUses = try row.optionalInteger(9)
            grant.maximumFileBytes = try row.optionalInteger(10)
            grant.maximumBytes = try row.optionalInteger(11)
            grant.contentTypes = try row.text(12)
            grant.sources = try row.text(13)
            grant.referrers = try row.text(14)
            grant.notBefore = try row.optionalInteger(15)
            grant.expires = try row.optionalInteger(16)
            grant.revoked = try row.optionalInteger(18)
            return grant
        }
    }
}
