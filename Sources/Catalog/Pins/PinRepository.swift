import Multiformats

/// The pins of the catalog.
///
/// Thread-safe and synchronous. A change that returned survives power loss. Whoever adds a pin has
/// committed its blocks before; whoever removes one leaves its blocks to the collector.
public struct PinRepository: Sendable {
    let database: any SQLDatabase
    let ids: RecordIDGenerator<Pin>
    let now: @Sendable () -> Int64

    /// Adds a pin.
    ///
    /// - Returns: the pin, and whether it is new. One with the same owner, root and name is returned as it
    ///   is and not changed.
    /// - Throws: `nameTooLong`, `nameContainsNUL`, `metaTooLarge`, and what the database throws.
    @discardableResult
    public func add(_ draft: PinDraft) throws -> (pin: Pin, isNew: Bool) {
        try add([draft])[0]
    }

    /// Adds several pins in one transaction, all or none: see ``add(_:)-(PinDraft)``.
    @discardableResult
    public func add(_ drafts: [PinDraft]) throws -> [(pin: Pin, isNew: Bool)] {
        try database.write { connection in
            try learnNewestID(connection)
            return try drafts.map { draft in
                if let pin = try find(draft, connection) { return (pin, false) }
                let time = now()
                let pin = Pin(
                    id: ids.next(now: time), owner: draft.owner, root: draft.root, name: draft.name,
                    visibility: draft.visibility, status: draft.status, created: time, updated: time,
                    figures: draft.figures, importParameters: draft.importParameters, meta: draft.meta)
                try connection.execute(
                    "INSERT INTO pins (\(PinRow.columns)) VALUES (\(PinRow.placeholders))",
                    try PinRow.values(pin))
                try PinCounterTable.adjust(connection, for: pin, by: 1)
                return (pin, true)
            }
        }
    }

    /// The pin of that id, if there is one.
    public func pin(_ id: PinID) throws -> Pin? {
        try database.read { try find(id, $0) }
    }

    /// Changes a pin.
    ///
    /// - Returns: the pin as it is then.
    /// - Throws: `pinAbsent`; `duplicatePin` if the owner has the root under the new name already.
    @discardableResult
    public func update(_ id: PinID, _ change: PinChange) throws -> Pin {
        try database.write { connection in
            guard let old = try find(id, connection) else { throw CatalogError.pinAbsent(id) }
            let new = Pin(
                id: id, owner: old.owner, root: old.root, name: change.name ?? old.name,
                visibility: change.visibility ?? old.visibility, status: change.status ?? old.status,
                created: old.created, updated: now(), figures: change.figures ?? old.figures,
                importParameters: change.importParameters ?? old.importParameters,
                meta: change.meta ?? old.meta)
            do {
                try connection.execute(
                    """
                    UPDATE pins SET name = $4, visibility = $5, status = $6, updated = $8, content_bytes = $9,
                        block_count = $10, block_bytes = $11, import_parameters = $12, meta = $13, seal = $14
                    WHERE id = $1 AND owner = $2 AND root = $3 AND created = $7
                    """, try PinRow.values(new))
            } catch CatalogError.notUnique {
                throw CatalogError.duplicatePin(root: new.root, name: new.name)
            }
            try PinCounterTable.adjust(connection, for: old, by: -1)
            try PinCounterTable.adjust(connection, for: new, by: 1)
            return new
        }
    }

    /// Removes a pin.
    ///
    /// - Returns: the pin, or `nil` if there was none.
    @discardableResult
    public func remove(_ id: PinID) throws -> Pin? {
        try database.write { connection in
            guard let pin = try find(id, connection) else { return nil }
            try remove(pin, connection)
            return pin
        }
    }

    /// Removes every pin that the filter lets through, in transactions of bounded size.
    ///
    /// - Returns: how many there were.
    @discardableResult
    public func removeAll(_ filter: PinFilter) throws -> Int {
        var removed = 0
        while true {
            let count = try database.write { connection in
                let pins = try page(
                    filter, after: nil, limit: Self.maximumPage, order: .oldestFirst, connection)
                for pin in pins { try remove(pin, connection) }
                return pins.count
            }
            removed += count
            if count < Self.maximumPage { return removed }
        }
    }

    /// Removes a row that is no longer readable as a pin, which ``remove(_:)`` refuses to touch.
    ///
    /// - Returns: whether there was such a row.
    @discardableResult
    public func removeDamaged(_ id: PinID) throws -> Bool {
        try database.write { connection in
            guard try connection.execute("DELETE FROM pins WHERE id = $1", [.text(id.text)]) > 0 else {
                return false
            }
            // What the row counted for cannot be read from it any more.
            try PinCounterTable.recount(connection)
            return true
        }
    }

    /// The counters of one owner, or of all.
    public func counters(owner: ProjectID? = nil) throws -> PinCounters {
        try database.read { try PinCounterTable.read($0, owner: owner) }
    }

    /// Where other nodes add pins too, ids have to grow across all of them: whoever pages through the pins
    /// would pass over one that is put in behind.
    private func learnNewestID(_ connection: any SQLConnection) throws {
        guard connection.dialect.isShared else { return }
        let newest = try connection.firstRow("SELECT id FROM pins ORDER BY id DESC LIMIT 1")
        if let id = newest.flatMap({ try? PinID(text: $0.text(0)) }) { ids.pass(id) }
    }

    private func remove(_ pin: Pin, _ connection: any SQLConnection) throws {
        try connection.execute("DELETE FROM pins WHERE id = $1", [.text(pin.id.text)])
        try PinCounterTable.adjust(connection, for: pin, by: -1)
    }

    private func find(_ id: PinID, _ connection: any SQLConnection) throws -> Pin? {
        try connection.firstRow("SELECT \(PinRow.columns) FROM pins WHERE id = $1", [.text(id.text)])
            .map(PinRow.pin)
    }

    private func find(_ draft: PinDraft, _ connection: any SQLConnection) throws -> Pin? {
        try connection.firstRow(
            "SELECT \(PinRow.columns) FROM pins WHERE owner = $1 AND root = $2 AND name = $3",
            [.text(draft.owner.rawValue), .blob(draft.root.bytes), .text(draft.name)]
        ).map(PinRow.pin)
    }
}
