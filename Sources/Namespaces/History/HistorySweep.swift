import Catalog
import TreeValues

/// Thins out the history of one namespace by its policy, within a transaction, in pieces.
///
/// First the horizon moves on (``advance(to:)``): versions before it are kept only if they are the last of
/// a day, or held. Then entries lose the content that no kept version needs (``sweep()``). Each piece may
/// be the last of a process: the next one goes on from the rows.
struct HistorySweep {
    let namespace: Namespace
    let tables: TreeTables
    /// Unix milliseconds.
    let time: Int64
    private let retention: Retention
    private let view: Views

    /// Entries that one piece looks at.
    static let piece = 500
    /// How often a directory may come and go before what is in it is kept whatever happened to it.
    private static let maximumChanges = 1000

    init(_ namespace: Namespace, _ connection: any SQLConnection, time: Int64) throws {
        self.namespace = namespace
        self.time = time
        tables = TreeTables(connection, of: namespace)
        retention = try Retention(of: namespace)
        view = Views(namespace, connection)
    }

    /// What a piece did.
    struct Progress: Hashable {
        /// Entries that lost their content.
        var dropped = 0
        /// Whether there may be more to do at this time.
        var hasMore = false
    }

    /// Does the next piece.
    func run() throws -> Progress {
        var mark = try tables.historyMark()
        let start = mark
        let isThere = try advance(&mark)
        let expired = try tables.removeKeptVersions(ofDaysUpTo: retention.lastDayToGo(at: time))
        // What was let go of before is looked at again.
        if mark.horizon != start.horizon || expired > 0 { mark.swept = 0 }
        var progress = Progress(hasMore: !isThere)
        let snapshots = try tables.removeSnapshots(before: mark.horizon, limit: Self.piece)
        if snapshots == Self.piece { progress.hasMore = true }
        if isThere, mark.swept < mark.horizon {
            progress.dropped = try sweep(&mark)
            if mark.swept < mark.horizon { progress.hasMore = true }
        }
        if mark != start { try tables.write(mark) }
        return progress
    }

    /// Moves the horizon to the version that was the newest when everything began to be kept, a piece at a
    /// time.
    ///
    /// - Returns: whether it is there.
    private func advance(_ mark: inout HistoryMark) throws -> Bool {
        let cutoff = retention.lastSupersededToGo(at: time)
        let page = try tables.times(after: mark.horizon, limit: 10 * Self.piece)
        for entry in page {
            // The clock of the server may have gone back: what came later is not older.
            let superseded = max(mark.time, entry.time)
            guard superseded <= cutoff else { return true }
            if mark.horizon > 0, let day = Retention.day(endedBetween: mark.time, and: superseded),
                day > retention.lastDayToGo(at: time)
            {
                var version =
                    try tables.keptVersion(mark.horizon)
                    ?? KeptVersion(jid: mark.horizon, time: mark.time)
                version.day = day
                try tables.write(version)
            }
            mark.horizon = entry.jid
            mark.time = superseded
        }
        return page.count < 10 * Self.piece
    }

    // MARK: Content

    private func sweep(_ mark: inout HistoryMark) throws -> Int {
        let kept = try tables.keptVersions().map(\.jid).filter { $0 < mark.horizon }
        let page = try tables.entriesWithContent(after: mark.swept, upTo: mark.horizon, limit: Self.piece)
        let gone = try page.filter {
            try !isNeeded($0.entry, upTo: ($0.next ?? .max) - 1, kept, mark.horizon)
        }
        try tables.dropContent(of: gone.map(\.entry))
        mark.swept = page.count < Self.piece ? mark.horizon : page.last?.entry.jid ?? mark.horizon
        return gone.count
    }

    /// Whether a kept version shows what an entry left. It is the state of its node until `end`.
    private func isNeeded(
        _ entry: JournalEntry, upTo end: JID, _ kept: [JID], _ horizon: JID
    ) throws -> Bool {
        // What was deleted before the horizon is not in the trash any more.
        guard !entry.node.isDeleted else { return false }
        var next = entry.jid
        for _ in 0..<Self.maximumChanges {
            guard let version = Self.first(from: next, kept, horizon), version <= end else { return false }
            switch try view.look(at: entry.node.parent, asOf: version) {
            case .live: return true
            case .gone(let change):
                guard let change else { return false }
                next = change
            }
        }
        return true
    }

    /// The first kept version that is not before a number.
    private static func first(from jid: JID, _ kept: [JID], _ horizon: JID) -> JID? {
        guard jid < horizon else { return jid }
        // A hundred days, and those that are held.
        return kept.first { $0 >= jid } ?? horizon
    }
}

/// Whether directories are live in versions; remembers what it was asked.
private final class Views {
    enum Answer: Hashable {
        case live
        /// Not before the next change of one of those above it, if there is one.
        case gone(until: JID?)
    }

    private struct Key: Hashable {
        let directory: NodeID
        let version: JID
    }

    private let namespace: Namespace
    private let connection: any SQLConnection
    private var known: [Key: Answer] = [:]

    init(_ namespace: Namespace, _ connection: any SQLConnection) {
        self.namespace = namespace
        self.connection = connection
    }

    func look(at directory: NodeID, asOf version: JID) throws -> Answer {
        let key = Key(directory: directory, version: version)
        if let answer = known[key] { return answer }
        let answer = try find(directory, version)
        if known.count >= 10_000 { known.removeAll() }
        known[key] = answer
        return answer
    }

    private func find(_ directory: NodeID, _ version: JID) throws -> Answer {
        let view = TreeView(namespace, connection, asOf: version)
        var way = [directory]
        let root = try view.climb(from: directory) { node in
            guard !node.isDeleted else { return false }
            way.append(node.parent)
            return true
        }
        guard root == nil else { return .live }
        return .gone(until: try way.compactMap { try view.tables.nextEntry(of: $0, after: version) }.min())
    }
}

extension TreeTables {
    /// - Throws: `versionRemoved` for a version that the policy does not keep and nobody holds.
    func requireKept(_ jid: JID) throws {
        let horizon = try historyMark().horizon
        // Nothing is in the version before the first.
        guard jid < horizon, jid > 0, try keptVersion(jid) == nil else { return }
        let next = try keptVersions(after: jid, limit: 1).first.map { min($0.jid, horizon) }
        throw NamespaceError.versionRemoved(jid, next: next ?? horizon)
    }
}
