import Access
import NodeMessages
import Synchronization

/// The imports that are under way: each holds what it brought from the collector until it ends.
///
/// An import lives in memory: after a restart its blocks are there, younger than the grace period, and
/// sending them again costs only the question for them. One that nothing is sent to ends by itself.
public final class ImportSessions: Sendable {
    /// The most imports at once.
    static let maximum = 256
    /// An import that nothing was sent to for so long ends.
    static let idleSeconds = 600

    private let sessions = Mutex<[String: ImportSession]>([:])

    public init() {}

    /// Opens an import for whoever was admitted.
    ///
    /// - Throws: `too-many-imports`.
    func open(_ lease: any NodeLease, _ admission: Admission) throws -> ImportSession {
        let session = ImportSession(id: Self.newID(), lease: lease, admission: admission)
        let isFull = sessions.withLock { sessions in
            if sessions.count >= Self.maximum { return true }
            sessions[session.id] = session
            return false
        }
        guard !isFull else {
            throw NodeFailure(
                .busy, code: "too-many-imports",
                detail: "\(Self.maximum) imports are under way; end one, or try again later")
        }
        return session
    }

    /// The import of that id, if whoever asks has opened it.
    ///
    /// - Throws: `import-not-found`.
    func session(_ id: String, of principal: Principal) throws -> ImportSession {
        guard let session = sessions.withLock({ $0[id] }), session.admission.principal.isSame(as: principal)
        else {
            throw NodeFailure(
                .notFound, code: "import-not-found",
                detail:
                    "there is no import \(APIRequest.shown(id)): it ended, or the node was started anew; open "
                    + "another and go on, what was stored is there")
        }
        session.touch()
        return session
    }

    /// Ends an import.
    func end(_ session: ImportSession) throws {
        _ = sessions.withLock { $0.removeValue(forKey: session.id) }
        try session.end()
    }

    /// Ends those that nothing was sent to. To be called now and then.
    public func endIdle() throws {
        let limit = ContinuousClock.now - .seconds(Self.idleSeconds)
        let idle = sessions.withLock { sessions in sessions.values.filter { $0.lastUse < limit } }
        for session in idle { try end(session) }
    }

    /// 128 random bits.
    private static func newID() -> String {
        (0..<2).map { _ in
            let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

/// One import.
final class ImportSession: Sendable {
    let id: String
    /// What was reserved for it when it was opened.
    let admission: Admission
    private let lease: any NodeLease
    private let state: Mutex<(bytes: Int64, lastUse: ContinuousClock.Instant)>

    init(id: String, lease: any NodeLease, admission: Admission) {
        self.id = id
        self.lease = lease
        self.admission = admission
        state = Mutex((0, .now))
    }

    var lastUse: ContinuousClock.Instant { state.withLock { $0.lastUse } }

    func touch() { state.withLock { $0.lastUse = .now } }

    /// How many more bytes may be sent.
    var remainingBytes: Int64 {
        guard let maximum = admission.maximumBytes else { return .max }
        return state.withLock { max(0, maximum - $0.bytes) }
    }

    /// Counts what was sent.
    func count(bytes: Int64) {
        state.withLock { state in
            state.bytes += bytes
            state.lastUse = .now
        }
    }

    func end() throws {
        lease.end()
        try admission.settle(bytes: state.withLock { $0.bytes })
    }
}
