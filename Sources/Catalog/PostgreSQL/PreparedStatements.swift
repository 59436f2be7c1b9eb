import CPostgreSQL

/// The statements that one connection has prepared, least recently used first to go.
struct PreparedStatements {
    private struct Key: Hashable {
        let sql: String
        let types: [Oid]
    }

    private struct Entry {
        let name: String
        var lastUse: Int
    }

    private let limit: Int
    private var entries: [Key: Entry] = [:]
    private var uses = 0

    init(limit: Int) { self.limit = limit }

    /// The name of a statement on the server, and whether it has to be prepared under it. `dropped` is the
    /// name of one that has to be given up for it.
    mutating func statement(_ sql: String, _ types: [Oid]) -> (name: String, isNew: Bool, dropped: String?) {
        uses += 1
        let key = Key(sql: sql, types: types)
        if let name = entries[key]?.name {
            entries[key]?.lastUse = uses
            return (name, false, nil)
        }
        var dropped: String?
        if entries.count >= limit, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            dropped = oldest.value.name
            entries[oldest.key] = nil
        }
        let name = "nacre\(uses)"
        entries[key] = Entry(name: name, lastUse: uses)
        return (name, true, dropped)
    }

    /// Forgets a statement whose preparation went wrong.
    mutating func forget(_ sql: String, _ types: [Oid]) { entries[Key(sql: sql, types: types)] = nil }
}
