import Synchronization

/// Who waits for changes: a node that stops lets them go at once.
final class SyncWaits: Sendable {
    private let state = Mutex<(isStopping: Bool, bells: [ObjectIdentifier: Bell])>((false, [:]))

    var isStopping: Bool { state.withLock { $0.isStopping } }

    func add(_ bell: Bell) { state.withLock { $0.bells[ObjectIdentifier(bell)] = bell } }
    func remove(_ bell: Bell) { state.withLock { $0.bells[ObjectIdentifier(bell)] = nil } }

    /// How many wait.
    var count: Int { state.withLock { $0.bells.count } }

    /// Of those who listen without an end.
    let listening: SyncPlaces
    /// Of those who wait for one answer: each is a task and a connection.
    let waiting: SyncPlaces

    init(
        listening: SyncPlaces = SyncPlaces(maximum: 1024, ofOne: 128),
        waiting: SyncPlaces = SyncPlaces(maximum: 8192, ofOne: 1024)
    ) {
        (self.listening, self.waiting) = (listening, waiting)
    }

    func stop() {
        let bells = state.withLock { state in
            state.isStopping = true
            return Array(state.bells.values)
        }
        for bell in bells { bell.ring() }
    }
}
