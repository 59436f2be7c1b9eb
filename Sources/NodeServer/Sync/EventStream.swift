import Catalog
import HTTPSupport
import Namespaces
import NodeService
import SyncAPI
import SyncProtocol
import Synchronization

/// The heads of namespaces as they change, for one client, as an answer that does not end
/// (`text/event-stream`).
///
/// Owns no thread: it sleeps until a change rings or a heartbeat is due. What it has not sent yet is the
/// newest head of each namespace, so that a slow reader costs no more than a quick one; one that takes
/// nothing is dropped by its connection's guard. Whoever asked is asked about again before every event and
/// heartbeat: what a key may not read any more ends.
actor EventStream: LiveBody {
    /// Lets the client in again: a service, or why not.
    typealias Admission = @Sendable () async -> Result<SyncService, RefusedRequest>?

    /// How long nothing is said at most.
    static let heartbeat = Duration.seconds(25)

    private let admit: Admission
    private let request: EventRequest
    private let waits: SyncWaits
    private let beat: Duration
    private let bell = Bell()
    /// Namespaces that changed and were not looked at since.
    private let changed = Mutex<Set<NamespaceKey>>([])
    private var sent: [NamespaceKey: SyncService.Head] = [:]
    /// The last mark of files that are being sent, by namespace.
    private var marks: [NamespaceKey: Int64] = [:]
    private var subscription: SyncService.Subscription?
    private var watched: [NamespaceKey] = []
    private var due: ContinuousClock.Instant
    private var isBegun = false
    private var isOver = false
    /// Is let go of with the stream.
    private let place: SyncWaits.Place

    /// - Parameter place: what it holds among all listeners.
    init(
        _ request: EventRequest, waits: SyncWaits, place: SyncWaits.Place, beat: Duration = heartbeat,
        admit: @escaping Admission
    ) {
        self.request = request
        self.waits = waits
        self.place = place
        self.beat = beat
        self.admit = admit
        due = .now + beat
    }

    func next() async throws -> [UInt8]? {
        if !isBegun {
            waits.add(bell)
            place.keep(bell)
        }
        while !isOver, !waits.isStopping, !Task.isCancelled {
            let isDue = ContinuousClock.now >= due
            if isDue || !isBegun || changed.withLock({ !$0.isEmpty }) {
                let text = await look(atAll: isDue || !isBegun)
                let isFirst = !isBegun
                isBegun = true
                if isDue { due = .now + beat }
                // A client sees that it is connected, and that somebody is there.
                let sign = isFirst ? "retry: 2000\n\n" : isDue ? ":\n\n" : ""
                if !(sign + text).isEmpty { return Array((sign + text).utf8) }
            }
            await bell.wait(until: due)
        }
        return nil
    }

    /// What is to be said of what changed.
    private func look(atAll: Bool) async -> String {
        guard let admission = await admit() else {
            isOver = true
            return ""
        }
        let service: SyncService
        switch admission {
        case .success(let guest): service = guest
        case .failure:
            // Why is told to who comes again.
            isOver = true
            return "event: end\ndata: {}\n\n"
        }
        // Before the heads are read: what changes afterwards is told again.
        let position = service.eventPosition
        do {
            var looked = changed.withLock { changed in
                defer { changed = [] }
                return changed
            }
            if atAll {
                try watch(service)
                looked = Set(watched)
            }
            return try tell(looked, service, position)
        } catch {
            // The catalog may be away: the client comes again.
            isOver = true
            return ""
        }
    }

    /// Listens to what may be read now.
    private func watch(_ service: SyncService) throws {
        let now = try service.watchable(request.namespaces)
        guard now != watched || subscription == nil else { return }
        subscription = service.listen(to: now, wantsInflight: request.wantsInflight) { [weak self] key in
            guard let self else { return }
            self.changed.withLock { _ = $0.insert(key) }
            self.bell.ring()
        }
        if !isBegun, let last = request.lastEvent, let newer = service.changes(since: last, of: now) {
            // The client knows the heads of all others.
            for key in now where !newer.contains(key) { sent[key] = try service.head(of: key) }
        }
        watched = now
    }

    private func tell(
        _ keys: Set<NamespaceKey>, _ service: SyncService, _ position: String
    ) throws -> String {
        var events: [String] = []
        for key in keys.sorted() {
            let head = try service.head(of: key)
            if request.wantsInflight, head != nil,
                let mark = service.inflightMark(of: key, beyond: marks[key] ?? 0)
            {
                marks[key] = mark
                events.append("event: inflight\ndata: {\"mark\":\"\(mark)\",\"ns\":\"\(key.text)\"}\n")
            }
            guard head != sent[key] else { continue }
            if let head {
                events.append("event: head\ndata: " + head.json + "\n")
            } else {
                events.append("event: gone\ndata: {\"ns\":\"\(key.text)\"}\n")
            }
            sent[key] = head
        }
        // An id says that everything before it came: the last of them alone has one.
        if let last = events.popLast() { events.append(last + "id: \(position)\n") }
        return events.map { $0 + "\n" }.joined()
    }
}
