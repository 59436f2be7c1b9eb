public import Multiformats

/// The names of the catalog: those whose keys are here, with their history.
///
/// Thread-safe and synchronous. A change that returned survives power loss. Records of other nodes are
/// kept by ``ForeignRecordRepository``.
public struct NameRepository: Sendable {
    let database: any SQLDatabase
    let now: @Sendable () -> Int64

    /// The most names or versions of one page.
    public static let maximumPage = 1000
    /// The most old targets of a name that are kept.
    public static let maximumVersions: Int64 = 1000

    /// Adds a name.
    ///
    /// - Throws: `badLabel`, `labelTaken`, `keyTaken`.
    public func add(_ draft: NameDraft) throws -> NameEntry {
        guard Self.isLabel(draft.label) else { throw NameRepositoryError.badLabel(draft.label) }
        return try database.write { connection in
            if let known = try find(draft.id, connection) {
                throw NameRepositoryError.keyTaken(draft.id, label: known.label)
            }
            if try find(draft.label, owner: draft.owner, connection) != nil {
                throw NameRepositoryError.labelTaken(draft.label)
            }
            let time = now()
            let entry = NameEntry(
                id: draft.id, owner: draft.owner, label: draft.label, sealedKey: draft.sealedKey,
                publication: nil, lifetimeSeconds: draft.lifetimeSeconds,
                ttlNanoseconds: draft.ttlNanoseconds, revision: 1, created: time, updated: time)
            do {
                try connection.execute(
                    "INSERT INTO names (\(NameRow.columns)) VALUES (\(NameRow.placeholders))",
                    NameRow.values(entry))
            } catch CatalogError.notUnique {
                // Another node on the same database was faster.
                throw NameRepositoryError.labelTaken(draft.label)
            }
            return entry
        }
    }

    /// The name of a key, if the key is here.
    public func name(_ id: PeerID) throws -> NameEntry? {
        try database.read { try find(id, $0) }
    }

    /// The name that an owner gave a label.
    public func name(labelled label: String, owner: ProjectID) throws -> NameEntry? {
        try database.read { try find(label, owner: owner, $0) }
    }

    /// The names of an owner whose label is that but for the case of the letters A to Z, in the order of their
    /// labels; at most ``maximumPage``.
    public func names(labelledLike label: String, owner: ProjectID) throws -> [NameEntry] {
        try database.read { connection in
            try connection.rows(
                """
                SELECT \(NameRow.columns) FROM names WHERE owner = $1 AND lower(label) = $2
                ORDER BY label LIMIT \(Self.maximumPage)
                """, [.text(owner.rawValue), .text(NameColumn.caseless(label))]
            ).map(NameRow.entry)
        }
    }

    /// A page of names in the order of their labels.
    ///
    /// - Parameters:
    ///   - owner: of one owner only.
    ///   - after: the last name of the page before.
    public func list(
        owner: ProjectID? = nil, after: NameEntry? = nil, limit: Int = 100
    ) throws -> [NameEntry] {
        var condition = SQLCondition()
        if let owner { condition.require("owner = ?", .text(owner.rawValue)) }
        if let after {
            let place = condition.bind(.text(after.label))
            condition.require("(label, id) > (\(place), ?)", .blob(after.id.multihash.bytes))
        }
        let limit = min(max(limit, 1), Self.maximumPage)
        return try database.read { connection in
            try connection.rows(
                "SELECT \(NameRow.columns) FROM names\(condition.clause) ORDER BY label, id LIMIT \(limit)",
                condition.values
            ).map(NameRow.entry)
        }
    }

    /// Writes what was published, if nobody else wrote since `entry` was read. The target goes into the
    /// history where it is another one.
    ///
    /// - Parameter follow: what becomes of the name's following, in the same transaction.
    /// - Throws: `changedMeanwhile`, `followChanged`; nothing is changed then.
    public func publish(
        _ publication: NamePublication, as entry: NameEntry, lifetimeSeconds: Int64? = nil,
        ttlNanoseconds: Int64? = nil, follow: NameFollowChange = .unchanged
    ) throws -> NameEntry {
        try database.write { connection in
            let time = now()
            let new = NameEntry(
                id: entry.id, owner: entry.owner, label: entry.label, sealedKey: entry.sealedKey,
                publication: publication, lifetimeSeconds: lifetimeSeconds ?? entry.lifetimeSeconds,
                ttlNanoseconds: ttlNanoseconds ?? entry.ttlNanoseconds, revision: entry.revision + 1,
                created: entry.created, updated: time)
            let changed = try connection.execute(
                """
                UPDATE names SET owner = $2, label = $3, sealed_key = $4, target = $5, sequence = $6,
                    record = $7, valid_until = $8, lifetime = $9, ttl = $10, revision = $11, created = $12,
                    updated = $13, seal = $14
                WHERE id = $1 AND revision = $11 - 1
                """, NameRow.values(new))
            guard changed == 1 else { throw NameRepositoryError.changedMeanwhile(entry.id) }
            switch follow {
            case .unchanged: break
            case .ended: try NameFollowRow.remove(entry.id, connection)
            case .began(let new): try NameFollowRow.put(new, connection)
            case .advanced(let old, let new):
                guard try NameFollowRow.find(entry.id, connection) == old else {
                    throw NameRepositoryError.followChanged(entry.id)
                }
                try NameFollowRow.put(new, connection)
            }
            if publication.target != entry.publication?.target {
                try appendVersion(publication, of: entry.id, at: time, connection)
            }
            return new
        }
    }

    /// Removes a name with its key and its history.
    ///
    /// - Returns: whether it was there.
    @discardableResult
    public func remove(_ id: PeerID) throws -> Bool {
        try database.write { connection in
            let bytes = SQLValue.blob(id.multihash.bytes)
            try connection.execute("DELETE FROM name_versions WHERE name = $1", [bytes])
            try NameFollowRow.remove(id, connection)
            return try connection.execute("DELETE FROM names WHERE id = $1", [bytes]) > 0
        }
    }

    /// The targets that a name had, newest first.
    ///
    /// - Parameter before: the number of the last one of the page before.
    public func versions(of id: PeerID, before: Int64? = nil, limit: Int = 100) throws -> [NameVersion] {
        let limit = min(max(limit, 1), Self.maximumPage)
        return try database.read { connection in
            try connection.rows(
                """
                SELECT \(NameVersionRow.columns) FROM name_versions WHERE name = $1 AND number < $2
                ORDER BY number DESC LIMIT \(limit)
                """, [.blob(id.multihash.bytes), .integer(before ?? .max)]
            ).map(NameVersionRow.version)
        }
    }

    /// Names whose record ends before a moment, in the order of their ends: those to publish again.
    ///
    /// - Parameters:
    ///   - moment: Unix milliseconds.
    ///   - after: the last name of the page before.
    public func expiring(
        before moment: Int64, after: NameEntry? = nil, limit: Int = 100
    ) throws -> [NameEntry] {
        let after = after.map { ($0.publication?.validUntil ?? 0, $0.id.multihash.bytes) }
        return try database.read { connection in
            try connection.rows(
                """
                SELECT \(NameRow.columns) FROM names
                WHERE valid_until < $1 AND sequence >= 0 AND (valid_until, id) > ($2, $3)
                ORDER BY valid_until, id LIMIT \(min(max(limit, 1), Self.maximumPage))
                """, [.integer(moment), .integer(after?.0 ?? .min), .blob(after?.1 ?? [])]
            ).map(NameRow.entry)
        }
    }

    private func appendVersion(
        _ publication: NamePublication, of id: PeerID, at time: Int64, _ connection: any SQLConnection
    ) throws {
        let last = try connection.firstRow(
            "SELECT number FROM name_versions WHERE name = $1 ORDER BY number DESC LIMIT 1",
            [.blob(id.multihash.bytes)]
        ).map { try $0.integer(0) }
        let version = NameVersion(
            number: (last ?? 0) + 1, target: publication.target, sequence: publication.sequence,
            published: time)
        try connection.execute(
            "INSERT INTO name_versions (\(NameVersionRow.columns)) VALUES ($1, $2, $3, $4, $5, $6)",
            NameVersionRow.values(id, version))
        // A name that follows a namespace has a new target with every change of it.
        try connection.execute(
            "DELETE FROM name_versions WHERE name = $1 AND number <= $2",
            [.blob(id.multihash.bytes), .integer(version.number - Self.maximumVersions)])
    }

    private func find(_ id: PeerID, _ connection: any SQLConnection) throws -> NameEntry? {
        try connection.firstRow(
            "SELECT \(NameRow.columns) FROM names WHERE id = $1", [.blob(id.multihash.bytes)]
        ).map(NameRow.entry)
    }

    private func find(
        _ label: String, owner: ProjectID, _ connection: any SQLConnection
    ) throws -> NameEntry? {
        try connection.firstRow(
            "SELECT \(NameRow.columns) FROM names WHERE owner = $1 AND label = $2",
            [.text(owner.rawValue), .text(label)]
        ).map(NameRow.entry)
    }

    /// A label must be sayable where the name of a key can be said too, and in a path.
    static func isLabel(_ label: String) -> Bool {
        guard (1...NameEntry.maximumLabelBytes).contains(label.utf8.count), (try? PeerID(text: label)) == nil,
            label.first?.isWhitespace == false, label.last?.isWhitespace == false
        else { return false }
        return label.unicodeScalars.allSatisfy {
            $0 != "/" && $0.properties.generalCategory != .control
                && $0.properties.generalCategory != .format
        }
    }
}
