public import Catalog
public import TreeValues

/// Which versions are kept, and until when.
extension NamespaceStore {
    /// A version that is kept.
    public struct Version: Hashable, Sendable {
        public let jid: JID
        /// Unix milliseconds: when its last change was made.
        public let time: Int64
        /// Its directory, if that was made.
        public var snapshot: TreeSnapshot?
        /// Unix milliseconds: when the policy lets go of it; `nil` for the newest.
        public var until: Int64?
        /// Why a person holds on to it, perhaps empty; `nil` if nobody does.
        public var note: String?
    }

    /// A page of kept versions, newest first: the newest one, those of which a snapshot was made, and all
    /// that are kept before the horizon.
    public func keptVersions(
        of namespace: Namespace, before: JID = .max, limit: Int = 100
    ) throws -> [Version] {
        let limit = min(max(limit, 1), 1000)
        let retention = try Retention(of: namespace)
        return try read { connection in
            let current = try live(namespace.id, connection)
            let tables = TreeTables(connection, of: current)
            let snapshots = try tables.snapshots(before: before, limit: limit)
            let kept = try tables.keptVersions().filter { $0.jid < before }
            var numbers = Set(snapshots.map(\.jid)).union(kept.map(\.jid))
            if current.head < before, current.head > 0 { numbers.insert(current.head) }
            let horizon = try tables.historyMark().horizon
            // Not a snapshot that the next piece of the chore removes.
            let page = numbers.filter { jid in jid >= horizon || jid == 0 || kept.contains { $0.jid == jid } }
                .sorted(by: >).prefix(limit)
            return try page.map { jid in
                try version(
                    jid, current, tables, snapshots.first { $0.jid == jid },
                    kept.first { $0.jid == jid }, retention)
            }
        }
    }

    /// A version with when it was made and until when it is kept.
    ///
    /// - Throws: `versionAbsent`, `versionRemoved`.
    public func keptVersion(_ jid: JID, of namespace: Namespace) throws -> Version {
        let retention = try Retention(of: namespace)
        return try read { connection in
            let current = try live(namespace.id, connection)
            guard jid >= 0, jid <= current.head else {
                throw NamespaceError.versionAbsent(jid, head: current.head)
            }
            let tables = TreeTables(connection, of: current)
            try tables.requireKept(jid)
            let snapshot = try tables.snapshot(upTo: jid).flatMap { $0.jid == jid ? $0 : nil }
            return try version(jid, current, tables, snapshot, tables.keptVersion(jid), retention)
        }
    }

    private func version(
        _ jid: JID, _ namespace: Namespace, _ tables: TreeTables, _ snapshot: TreeSnapshot?,
        _ kept: KeptVersion?, _ retention: Retention
    ) throws -> Version {
        let times = try tables.times(after: jid - 1, limit: 2)
        let time = times.first { $0.jid == jid }?.time ?? namespace.created
        var version = Version(jid: jid, time: time, snapshot: snapshot)
        version.note = kept?.note
        if let day = kept?.day {
            version.until = retention.end(ofDay: day)
        } else if let superseded = times.first(where: { $0.jid == jid + 1 })?.time {
            version.until = retention.end(ofVersionMade: jid > 0 ? time : nil, superseded: superseded)
        }
        return version
    }

    /// Holds on to a version, whatever the policy says, until ``release(_:of:)``.
    ///
    /// - Parameter note: why, for people; it takes the place of an earlier one.
    /// - Throws: `versionAbsent`, `versionRemoved`, `tooManyHeld`, `noteTooLong`.
    public func hold(_ jid: JID, of id: NamespaceID, note: String) throws {
        guard note.utf8.count <= KeptVersion.maximumNoteBytes, !note.utf8.contains(0) else {
            throw NamespaceError.noteTooLong(bytes: note.utf8.count, maximum: KeptVersion.maximumNoteBytes)
        }
        let time = catalog.namespaces.now()
        try catalog.namespaces.database.write { connection in
            let namespace = try live(id, connection)
            guard jid >= 0, jid <= namespace.head else {
                throw NamespaceError.versionAbsent(jid, head: namespace.head)
            }
            let tables = TreeTables(connection, of: namespace)
            try tables.requireKept(jid)
            let held = try tables.keptVersions().count { $0.note != nil && $0.jid != jid }
            guard held < KeptVersion.maximumHeld else {
                throw NamespaceError.tooManyHeld(maximum: KeptVersion.maximumHeld)
            }
            var version = try tables.keptVersion(jid) ?? KeptVersion(jid: jid, time: time)
            version.note = note
            try tables.write(version)
        }
    }

    /// Lets go of a version that somebody held: the policy decides again.
    ///
    /// - Returns: whether it was held.
    public func release(_ jid: JID, of id: NamespaceID) throws -> Bool {
        try catalog.namespaces.database.write { connection in
            let tables = TreeTables(connection, of: try live(id, connection))
            guard var version = try tables.keptVersion(jid), version.note != nil else { return false }
            version.note = nil
            if version.day == nil {
                try tables.removeKeptVersion(jid)
                // What it alone kept is looked for again.
                var mark = try tables.historyMark()
                mark.swept = 0
                try tables.write(mark)
            } else {
                try tables.write(version)
            }
            return true
        }
    }

    /// Thins out the history of a namespace by its policy: content that no kept version needs leaves the
    /// journal, for the collector to remove. What is live is never touched.
    ///
    /// In pieces of some milliseconds, between which others write. What was cut off goes on when it is
    /// called again.
    ///
    /// - Parameter time: what time it is, in Unix milliseconds; `nil` for what the clock says.
    /// - Returns: how many entries lost their content.
    @discardableResult
    public func thinHistory(
        of id: NamespaceID, at time: Int64? = nil, isCancelled: () throws -> Bool = { false }
    ) throws -> Int {
        var dropped = 0
        let time = time ?? catalog.namespaces.now()
        while true {
            let progress = try catalog.namespaces.database.write { connection in
                let namespace = try live(id, connection)
                return try HistorySweep(namespace, connection, time: time).run()
            }
            dropped += progress.dropped
            guard progress.hasMore, try !isCancelled() else { return dropped }
        }
    }
}
