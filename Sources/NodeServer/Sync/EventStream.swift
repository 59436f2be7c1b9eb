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
/// Owns no thread: it sleeps until a change rings or a heartbeat is due, and looks into the catalog where
/// threads may wait. What it has not sent yet is the newest head of each namespace, so that a slow reader
/// costs no more than a quick one; one that takes nothing is dropped by its connection's guard. Whoever asked
/// is asked about again before every event and heartbeat: what a key may not read any more ends.
actor EventStream: LiveBody {
    /// Lets the client in again, and looks with its service, on a thread that may wait: what was seen, or
    /// why not. `nil` where the node stops.
    typealias Visit =
        @Sendable (_ look: @escaping @Sendable (SyncService) -> Sight?) async
        -> Result<Sight?, RefusedRequest>?

    /// What is known after a look, and what is to be said of it.
    typealias Sight = (heads: WatchedHeads, text: String)

    /// How long nothing is said at most.
    static let heartbeat = Duration.seconds(25)

    private let visit: Visit
    private let waits: SyncWaits
    private let beat: Duration
    private let bell: Bell
    private var heads: WatchedHeads
    private var due: ContinuousClock.Instant
    private var isBegun = false
    private var isOver = false
    /// Is let go of with the stream.
    private let place: SyncPlaces.Place

    /// - Parameter place: what it holds among all listeners.
    init(
        _ request: EventRequest, waits: SyncWaits, place: SyncPlaces.Place, beat: Duration = heartbeat,
        visit: @escaping Visit
    ) {
        let bell = Bell()
        self.bell = bell
        heads = WatchedHeads(request, bell)
        self.waits = waits
        self.place = place
        self.beat = beat
        self.visit = visit
        due = .now + beat
        waits.add(bell)
    }

    deinit { waits.remove(bell) }

    func next() async throws -> [UInt8]? {
        while !isOver, !waits.isStopping, !Task.isCancelled {
            let isDue = ContinuousClock.now >= due
            if isDue || !isBegun || heads.haveChanged {
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
        let before = heads
        let outcome = await visit { service in
            var heads = before
            // The catalog may be away: the client comes again.
            guard let text = try? heads.look(atAll: atAll, service) else { return nil }
            return (heads, text)
        }
        switch outcome {
        case .success(let (heads, text)?)?:
            self.heads = heads
            return text
        case .success(nil)?, nil:
            isOver = true
            return ""
        case .failure?:
            // Why is told to who comes again.
            isOver = true
            return "event: end\ndata: {}\n\n"
        }
    }
}

/// The heads that a listener was told of, and those that changed since. Looking reads the catalog.
struct WatchedHeads: Sendable {
    /// Namespaces that changed and were not looked at since.
    private final class Changes: Sendable {
        let namespaces = Mutex<Set<NamespaceKey>>([])
    }

    private let request: EventRequest
    private let bell: Bell
    private let changes = Changes()
    private var sent: [NamespaceKey: SyncService.Head] = [:]
    /// The last mark of files that are being sent, by namespace.
    private var marks: [NamespaceKey: Int64] = [:]
    private var listening: [Listening]?
    private var watched: [NamespaceKey] = []
    private var hasLooked = false

    /// - Parameter bell: rings when something changes.
    init(_ request: EventRequest, _ bell: Bell) { (self.request, self.bell) = (request, bell) }

    var haveChanged: Bool { changes.namespaces.withLock { !$0.isEmpty } }

    /// What is to be said of what changed, or of all that may be read now.
    mutating func look(atAll: Bool, _ service: SyncService) throws -> String {
        // Before the heads are read: what changes afterwards is told again.
        let position = service.eventPosition
        var looked = changes.namespaces.withLock { changed in
            defer { changed = [] }
            return changed
        }
        if atAll {
            try watch(service)
            looked = Set(watched)
        }
        hasLooked = true
        return try tell(looked, service, position)
    }

    /// Listens to what may be read now.
    private mutating func watch(_ service: SyncService) throws {
        let now = try service.watchable(request.namespaces)
        guard now != watched || listening == nil else { return }
        listening = service.listen(to: now, wantsInflight: request.wantsInflight) { [changes, bell] key in
            changes.namespaces.withLock { _ = $0.insert(key) }
            bell.ring()
        }
        if !hasLooked, let last = request.lastEvent, let newer = service.changes(since: last, of: now) {
            // The client knows the heads of all others.
            for key in now where !newer.contains(key) { sent[key] = try service.head(of: key) }
        }
        watched = now
    }

    private mutating func tell(
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
