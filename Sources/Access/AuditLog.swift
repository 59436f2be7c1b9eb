public import Catalog
import Dispatch
import Synchronization

/// Keeps what was allowed and refused, without slowing who asks.
///
/// Entries wait in memory and are written in batches by a queue of its own, at the latest after `delay`.
/// What repeats while it waits becomes one entry with a count, and beyond `capacity` entries are counted
/// and dropped: nobody can fill memory or disk by being refused. What waits is lost if the process is
/// killed.
public final class AuditLog: Sendable {
    /// How much is kept, and for how long.
    public struct Options: Sendable {
        /// The most entries on the disk.
        public var maximumRows = 100_000
        /// The oldest entries go after so many milliseconds.
        public var maximumAge: Int64 = 90 * 24 * 3600 * 1000
        /// The most entries that wait in memory.
        public var capacity = 4096
        /// After so many milliseconds what waits is written.
        public var delay = 1000

        public init() {}
    }

    private struct Waiting {
        var occurrences: [AuditRepository.Occurrence] = []
        var places: [AuditEvent: Int] = [:]
        var activity: [GrantID: GrantActivity] = [:]
        var dropped: Int64 = 0
        var isScheduled = false
        var isEmpty: Bool { occurrences.isEmpty && activity.isEmpty && dropped == 0 }
    }

    private let catalog: CatalogDatabase
    private let options: Options
    private let now: @Sendable () -> Int64
    private let waiting = Mutex(Waiting())
    /// Entries written since the last trimming; touched on the queue only.
    private let sinceTrim = Mutex(0)
    private let queue = DispatchQueue(label: "audit")

    init(catalog: CatalogDatabase, options: Options, now: @escaping @Sendable () -> Int64) {
        self.catalog = catalog
        self.options = options
        self.now = now
    }

    /// Notes an event at `time` (Unix milliseconds).
    public func record(_ event: AuditEvent, at time: Int64) {
        add { waiting in
            if let place = waiting.places[event] {
                waiting.occurrences[place].count += 1
            } else if waiting.occurrences.count < options.capacity {
                waiting.places[event] = waiting.occurrences.count
                waiting.occurrences.append(AuditRepository.Occurrence(event: event, time: time, count: 1))
            } else {
                waiting.dropped += 1
            }
        }
    }

    /// Notes what an administrator did: beside the entry that says that the request was allowed, which does
    /// not say to whom.
    ///
    /// - Parameters:
    ///   - subject: what it was done to, such as `user:ada`. Never a secret.
    ///   - project: whose administrators see the entry too.
    func record(
        _ deed: Deed, to subject: String, in project: ProjectID? = nil, by principal: Principal
    ) {
        var event = AuditEvent(
            isAllowed: true, operation: deed.rawValue, resource: subject,
            source: principal.source.rawValue, address: principal.address?.description ?? "")
        event.project = project
        event.user = principal.user
        event.grant = principal.grant
        record(event, at: now())
    }

    /// Notes that a grant was used at `time`.
    func noteUse(of grant: GrantID, at time: Int64) {
        add { waiting in
            guard var activity = waiting.activity[grant] else {
                // What is lost beyond the bound is a time for people to read.
                guard waiting.activity.count < options.capacity else { return }
                waiting.activity[grant] = GrantActivity(lastUsed: time, requests: 1)
                return
            }
            activity.lastUsed = max(activity.lastUsed, time)
            activity.requests += 1
            waiting.activity[grant] = activity
        }
    }

    /// A page of the log, newest first, with what still waits written before.
    ///
    /// - Parameter before: the id of the last entry of the page before.
    public func list(_ filter: AuditFilter = AuditFilter(), before: AuditID? = nil, limit: Int = 100) throws
        -> [AuditEntry]
    {
        try flush()
        return try catalog.audit.list(filter, before: before, limit: limit)
    }

    /// Writes what waits.
    public func flush() throws { try queue.sync { try write() } }

    private func add(_ change: (inout Waiting) -> Void) {
        let mustSchedule = waiting.withLock { waiting in
            change(&waiting)
            defer { waiting.isScheduled = true }
            return !waiting.isScheduled
        }
        guard mustSchedule else { return }
        queue.asyncAfter(deadline: .now() + .milliseconds(options.delay)) { [weak self] in
            // What could not be written counts as dropped; the next entry says how many.
            try? self?.write()
        }
    }

    private func write() throws {
        let batch = waiting.withLock { waiting in
            defer { waiting = Waiting() }
            return waiting
        }
        guard !batch.isEmpty else { return }
        var occurrences = batch.occurrences
        if batch.dropped > 0 {
            let event = AuditEvent(
                isAllowed: false, code: "entries-dropped", operation: "audit", resource: "node",
                source: "local")
            occurrences.append(AuditRepository.Occurrence(event: event, time: now(), count: batch.dropped))
        }
        do {
            try catalog.audit.add(occurrences)
            try catalog.grants.note(batch.activity)
        } catch {
            let lost = occurrences.reduce(Int64(0)) { $0 &+ $1.count }
            waiting.withLock { $0.dropped += lost }
            throw error
        }
        let isDue = sinceTrim.withLock { count in
            count += occurrences.count
            guard count >= 1000 else { return false }
            count = 0
            return true
        }
        if isDue { try trim() }
    }

    /// Removes what is too old or too much.
    func trim() throws {
        try catalog.audit.trim(olderThan: now() - options.maximumAge, maximumRows: options.maximumRows)
    }
}
