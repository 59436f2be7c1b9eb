public import Multiformats

/// Which names follow namespaces. They begin to and go on when they are published: see ``NameRepository``.
///
/// Thread-safe and synchronous. A change that returned survives power loss.
public struct NameFollowRepository: Sendable {
    let database: any SQLDatabase
    let now: @Sendable () -> Int64

    /// What a name follows.
    public func follow(of name: PeerID) throws -> NameFollow? {
        try database.read { try NameFollowRow.find(name, $0) }
    }

    /// What some of these names follow, by name.
    public func follows(of names: [PeerID]) throws -> [PeerID: NameFollow] {
        guard !names.isEmpty else { return [:] }
        return try database.read { connection in
            var found: [PeerID: NameFollow] = [:]
            for name in names { found[name] = try NameFollowRow.find(name, connection) }
            return found
        }
    }

    /// Ends the following of a name; its record stays as it is.
    ///
    /// - Returns: whether it followed anything.
    @discardableResult
    public func remove(_ name: PeerID) throws -> Bool {
        try database.write { try NameFollowRow.remove(name, $0) }
    }

    /// Follows whose namespace is there with another head than the one that was published.
    ///
    /// - Parameters:
    ///   - namespaces: of these alone; of all for `nil`.
    ///   - retryBefore: those that failed since then, in Unix milliseconds, are left out.
    ///   - after: the name of the last one of the page before.
    public func behind(
        in namespaces: [NamespaceID]? = nil, retryBefore: Int64, after: PeerID? = nil, limit: Int = 100
    ) throws -> [NameFollow] {
        var condition = SQLCondition()
        condition.require("(f.failure = '' OR f.tried < ?)", .integer(retryBefore))
        if let namespaces { condition.require("f.ns", in: namespaces.map { .text($0.text) }) }
        if let after { condition.require("f.name > ?", .blob(after.multihash.bytes)) }
        let columns = NameFollowRow.columns.split(separator: ", ").map { "f." + $0 }.joined(separator: ", ")
        return try database.read { connection in
            try connection.rows(
                """
                SELECT \(columns) FROM name_follows f JOIN namespaces n ON n.id = f.ns\(condition.clause)
                    AND n.deleted IS NULL AND n.head <> f.version
                ORDER BY f.name LIMIT \(min(max(limit, 1), NameRepository.maximumPage))
                """, condition.values
            ).map(NameFollowRow.follow)
        }
    }

    /// Writes how an attempt to go on went, unless the name follows otherwise by now.
    ///
    /// - Returns: whether it was written.
    @discardableResult
    public func note(_ change: NameFollow, over read: NameFollow) throws -> Bool {
        try database.write { connection in
            guard try NameFollowRow.find(read.name, connection) == read else { return false }
            var change = change
            change.failure = change.failure.map { Self.clipped($0) }
            try NameFollowRow.put(change, connection)
            return true
        }
    }

    private static func clipped(_ text: String) -> String {
        String(decoding: text.utf8.filter { $0 != 0 }.prefix(NameFollow.maximumFailureBytes), as: UTF8.self)
    }
}
